/* Small questions about text. */
#include "base/text.h"

#include <string.h>

/* A pattern is a row of tokens and is matched by keeping the set of tokens that may come next: time
 * is tokens times path, whatever the pattern. */
typedef enum {
	TOKEN_LITERAL,
	TOKEN_ANY,   /* ? */
	TOKEN_CLASS, /* [a-z] */
	TOKEN_STAR,  /* any run without a slash */
	TOKEN_DEEP,  /* any run */
	TOKEN_DIRS,  /* any number of whole directories, each with its slash, also none */
} TokenKind;

typedef struct {
	TokenKind kind;
	const char *text; /* the character, or what follows the bracket */
} Token;

static gboolean class_has(const char *p, char c)
{
	gboolean negated = *p == '!' || *p == '^', matched = FALSE;

	if (negated)
		p++;
	for (gboolean first = TRUE; *p && (*p != ']' || first); first = FALSE) {
		char low, high;

		if (*p == '\\' && p[1])
			p++;
		low = high = *p++;
		if (*p == '-' && p[1] && p[1] != ']') {
			high = p[1];
			p += 2;
		}
		if (c >= low && c <= high)
			matched = TRUE;
	}
	return matched != negated;
}

static const char *class_end(const char *p)
{
	if (*p == '!' || *p == '^')
		p++;
	for (gboolean first = TRUE; *p && (*p != ']' || first); first = FALSE)
		p += *p == '\\' && p[1] ? 2 : 1;
	return *p ? p + 1 : p;
}

static gsize tokenize(const char *pattern, Token *tokens)
{
	gsize n = 0;

	for (const char *p = pattern; *p; n++) {
		tokens[n].text = p;
		if (p[0] == '*' && p[1] == '*') {
			gboolean whole = p[2] == '/' && (p == pattern || p[-1] == '/');

			tokens[n].kind = whole ? TOKEN_DIRS : TOKEN_DEEP;
			p += whole ? 3 : 2;
		} else if (*p == '*') {
			tokens[n].kind = TOKEN_STAR;
			p++;
		} else if (*p == '?') {
			tokens[n].kind = TOKEN_ANY;
			p++;
		} else if (*p == '[') {
			tokens[n].kind = TOKEN_CLASS;
			tokens[n].text = ++p;
			p = class_end(p);
		} else {
			tokens[n].kind = TOKEN_LITERAL;
			if (*p == '\\' && p[1])
				p++;
			tokens[n].text = p++;
		}
	}
	return n;
}

/* Token @i may come next, and so may what follows it if it can stand for nothing. */
static void enter(const Token *tokens, gsize n, guint8 *set, gsize i)
{
	for (;; i++) {
		set[i] = 1;
		if (i == n || tokens[i].kind < TOKEN_STAR)
			return;
	}
}

static void step(const Token *tokens, gsize n, gsize i, char c, guint8 *set)
{
	switch (tokens[i].kind) {
	case TOKEN_LITERAL:
		if (*tokens[i].text == c)
			enter(tokens, n, set, i + 1);
		break;
	case TOKEN_ANY:
		if (c != '/')
			enter(tokens, n, set, i + 1);
		break;
	case TOKEN_CLASS:
		if (c != '/' && class_has(tokens[i].text, c))
			enter(tokens, n, set, i + 1);
		break;
	case TOKEN_STAR:
		if (c != '/')
			enter(tokens, n, set, i);
		break;
	case TOKEN_DEEP:
		enter(tokens, n, set, i);
		break;
	case TOKEN_DIRS:
		set[i] = 1;
		if (c == '/')
			enter(tokens, n, set, i + 1);
		break;
	}
}

gboolean varve_glob_match(const char *pattern, const char *path)
{
	gsize length = strlen(pattern), n;
	g_autofree Token *tokens = NULL;
	g_autofree guint8 *sets = NULL;
	guint8 *now, *next;

	/* Of many patterns most are told by how they begin. */
	if (strncmp(pattern, path, strcspn(pattern, "*?[\\")) != 0)
		return FALSE;
	tokens = g_new(Token, length + 1);
	sets = g_malloc0(2 * (length + 1));
	now = sets;
	next = sets + length + 1;
	n = tokenize(pattern, tokens);
	enter(tokens, n, now, 0);
	for (; *path; path++) {
		guint8 *spare = now;

		memset(next, 0, n + 1);
		for (gsize i = 0; i < n; i++)
			if (now[i])
				step(tokens, n, i, *path, next);
		now = next;
		next = spare;
	}
	return now[n];
}

/* Edit distance with adjacent swaps, of words up to 63 bytes. */
static guint distance(const char *a, const char *b)
{
	guint rows[3][64];
	guint *before = rows[0], *last = rows[1], *row = rows[2];
	gsize n = strlen(a), m = strlen(b);

	if (n > 63 || m > 63)
		return G_MAXUINT;
	for (guint j = 0; j <= m; j++)
		last[j] = j;
	for (guint i = 1; i <= n; i++) {
		guint *spare = before;

		row[0] = i;
		for (guint j = 1; j <= m; j++) {
			guint cost = a[i - 1] != b[j - 1];

			row[j] = MIN(MIN(last[j] + 1, row[j - 1] + 1), last[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[m];
}

const char *varve_nearest(const char *word, const char *const *candidates)
{
	guint best = MAX(1, (guint)strlen(word) / 3) + 1;
	const char *nearest = NULL;

	for (; *candidates; candidates++) {
		guint d = distance(word, *candidates);

		if (d < best) {
			best = d;
			nearest = *candidates;
		}
	}
	return nearest;
}

char *varve_size_text(guint64 bytes)
{
	return g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
}

char *varve_text_printable(const char *format, va_list args)
{
	g_autofree char *raw = g_strdup_vprintf(format, args);
	char *text = g_utf8_make_valid(raw, -1);
	GString *clean = g_string_new(NULL);

	for (const char *at = text; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		g_string_append_unichar(clean, c != '\n' && g_unichar_iscntrl(c) ? '?' : c);
	}
	g_free(text);
	return g_string_free(clean, FALSE);
}

char *varve_text_line(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *line = g_string_new(NULL);

	for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		g_string_append_unichar(line, g_unichar_isprint(c) ? c : '?');
	}
	return g_string_free(line, FALSE);
}
