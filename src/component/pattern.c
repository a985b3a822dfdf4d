/* Patterns of file names, as azldev's library for them reads them: alternatives are written out
 * first; then all places that each pattern may be at go through the name together. */
#include "component/pattern.h"

#include "base/error.h"

#include <string.h>

/* Alternatives multiply: {a,b}{a,b}… */
#define STEPS_MAX 4096

struct VarvePattern {
	char *literal;    /* (nullable) */
	GPtrArray *globs; /* char *, without alternatives */
};

void varve_pattern_free(VarvePattern *pattern)
{
	if (!pattern)
		return;
	g_free(pattern->literal);
	g_ptr_array_unref(pattern->globs);
	g_free(pattern);
}

/* @c is at '['. Returns: what follows the class, NULL where it is empty or has no end. */
static const char *skip_class(const char *c)
{
	c += c[1] == '!' || c[1] == '^' ? 2 : 1;
	if (*c == ']')
		return NULL;
	for (; *c && *c != ']'; c++)
		if (*c == '\\' && !*++c)
			return NULL;
	return *c ? c + 1 : NULL;
}

/* What is wrong with it, or NULL. */
static const char *check(const char *text)
{
	guint depth = 0;

	for (const char *c = text; *c; c++) {
		if (*c == '\\') {
			if (!*++c)
				return "ends in a backslash";
		} else if (*c == '[') {
			c = skip_class(c);
			if (!c)
				return "has a '[' without its ']' or with nothing between";
			c--;
		} else if (*c == '{') {
			depth++;
		} else if (*c == '}' && depth-- == 0) {
			return "has a '}' without its '{'";
		}
	}
	return depth > 0 ? "has a '{' without its '}'" : NULL;
}

/* The first wildcard, or NULL; @alternatives: the first '{'. */
static const char *find_special(const char *text, gboolean alternatives)
{
	for (const char *c = text; *c; c++) {
		if (*c == '\\') {
			if (!*++c)
				return NULL;
		} else if (*c == '{' || (!alternatives && strchr("*?[", *c))) {
			return c;
		} else if (*c == '[') {
			c = skip_class(c);
			if (!c)
				return NULL;
			c--;
		}
	}
	return NULL;
}

/* Two stars are special as a whole segment only; elsewhere they are one. */
static char *normalise(const char *text)
{
	GString *glob = g_string_new(NULL);

	for (const char *c = text; *c;) {
		gsize stars = strspn(c, "*");
		const char *next = c + 1;
		gboolean first = glob->len == 0 || glob->str[glob->len - 1] == '/';

		if (stars > 0) {
			gboolean deep = stars == 2 && first && (c[2] == '/' || !c[2]);

			g_string_append(glob, deep ? "**" : "*");
			c += stars;
			continue;
		}
		if (*c == '\\' && c[1])
			next = c + 2;
		else if (*c == '[' && skip_class(c))
			next = skip_class(c);
		g_string_append_len(glob, c, next - c);
		c = next;
	}
	return g_string_free(glob, FALSE);
}

/* Of the text behind a '{': its '}'. */
static const char *find_end(const char *c)
{
	for (guint depth = 1; *c; c++) {
		if (*c == '\\' && c[1])
			c++;
		else if (*c == '{')
			depth++;
		else if (*c == '}' && --depth == 0)
			return c;
	}
	return NULL;
}

/* Writes out the first alternatives of @text and puts the results on @todo. */
static void expand_one(const char *text, const char *open, GQueue *todo)
{
	const char *end = find_end(open + 1), *start = open + 1;
	guint depth = 0;

	for (const char *c = start; c <= end; c++) {
		if (*c == '\\' && c[1]) {
			c++;
		} else if (c == end || (*c == ',' && depth == 0)) {
			g_queue_push_tail(todo,
					  g_strdup_printf("%.*s%.*s%s", (int)(open - text), text,
							  (int)(c - start), start, end + 1));
			start = c + 1;
		} else if (*c == '{') {
			depth++;
		} else if (*c == '}') {
			depth--;
		}
	}
}

static gboolean expand(const char *text, GPtrArray *globs, GError **error)
{
	g_autoptr(GQueue) todo = g_queue_new();
	guint steps = 0;

	for (g_queue_push_tail(todo, g_strdup(text)); !g_queue_is_empty(todo); steps++) {
		g_autofree char *one = g_queue_pop_head(todo);
		const char *open = find_special(one, TRUE);

		if (steps == STEPS_MAX) {
			g_queue_clear_full(todo, g_free);
			return varve_fail(
				error, VARVE_ERROR_USAGE,
				"the pattern '%s' has too many alternatives; write several "
				"overlays",
				text);
		}
		if (open && find_end(open + 1))
			expand_one(one, open, todo);
		else
			g_ptr_array_add(globs, normalise(one));
	}
	return TRUE;
}

static char *unquote(const char *text)
{
	GString *name = g_string_new(NULL);

	for (; *text; text++) {
		if (*text == '\\' && text[1] && strchr("*?[]{}", text[1]))
			text++;
		g_string_append_c(name, *text);
	}
	return g_string_free(name, FALSE);
}

VarvePattern *varve_pattern_new(const char *text, GError **error)
{
	g_autoptr(VarvePattern) pattern = g_new0(VarvePattern, 1);
	const char *wrong = check(text);

	pattern->globs = g_ptr_array_new_with_free_func(g_free);
	if (wrong) {
		varve_fail(error, VARVE_ERROR_USAGE, "the pattern '%s' %s", text, wrong);
		return NULL;
	}
	if (!find_special(text, FALSE))
		pattern->literal = unquote(text);
	if (!expand(text, pattern->globs, error))
		return NULL;
	return g_steal_pointer(&pattern);
}

guint varve_pattern_depth(const VarvePattern *pattern)
{
	guint depth = 0;

	for (guint i = 0; i < pattern->globs->len; i++) {
		g_auto(GStrv) parts = g_strsplit(pattern->globs->pdata[i], "/", -1);

		/* A slash in a class counts too: what is too deep matches nothing. */
		depth = MAX(depth, g_strv_length(parts) - 1);
		if (g_strv_contains((const char *const *)parts, "**"))
			return G_MAXUINT;
	}
	return depth;
}

const char *varve_pattern_literal(const VarvePattern *pattern)
{
	return pattern->literal;
}

/* Matching. A byte that is no UTF-8 is a letter of its own, U+FFFD. */

static gunichar next_letter(const char **p)
{
	gunichar letter = g_utf8_get_char_validated(*p, -1);

	if (letter >= 0x110000) {
		++*p;
		return 0xfffd;
	}
	*p = g_utf8_next_char(*p);
	return letter;
}

/* The letter at *@p of a class. */
static gunichar class_letter(const char **p)
{
	if (**p == '\\' && (*p)[1])
		++*p;
	return next_letter(p);
}

/* @p is behind a '['; the class has an end. */
static gboolean class_has(const char *p, gunichar letter)
{
	gboolean negated = *p == '!' || *p == '^', has = FALSE, range = FALSE;
	gunichar low = 0;

	for (p += negated; *p != ']';) {
		/* A '-' is itself at both ends and behind a range. */
		if (range && *p == '-' && p[1] != ']') {
			gunichar high;

			p++;
			high = class_letter(&p);
			has = has || (low <= letter && letter <= high);
			range = FALSE;
			continue;
		}
		low = class_letter(&p);
		has = has || low == letter;
		range = TRUE;
	}
	return has != negated;
}

typedef struct {
	const char *glob;
	gboolean is_value; /* no path: a class may have a slash in it */
	guint8 *now, *next;
} Matcher;

static gboolean starts_segment(const Matcher *m, const char *place)
{
	return place == m->glob || place[-1] == '/';
}

/* Two stars that are a whole segment. */
static gboolean is_deep(const Matcher *m, const char *place)
{
	return place[0] == '*' && place[1] == '*' && (place[2] == '/' || !place[2]) &&
	       starts_segment(m, place);
}

/* The pattern may be at @place next, and at what follows it if that can stand for nothing. */
static void enter(const Matcher *m, guint8 *set, const char *place)
{
	for (;;) {
		set[place - m->glob] = 1;
		if (*place != '*')
			return;
		place += !is_deep(m, place) ? 1 : place[2] ? 3 : 2;
	}
}

/* From @place by @letter, at the start of a segment of the name or not. */
static void step(Matcher *m, const char *place, gunichar letter)
{
	const char *p = place;

	if (*p == '*') {
		if (is_deep(m, p) && p[2]) {
			m->next[p - m->glob] = 1;
			if (letter == '/')
				enter(m, m->next, p + 3);
		} else if (letter != '/' || is_deep(m, p)) {
			enter(m, m->next, p);
		}
	} else if (*p == '?') {
		if (letter != '/')
			enter(m, m->next, p + 1);
	} else if (*p == '[') {
		if ((letter != '/' || m->is_value) && class_has(p + 1, letter))
			enter(m, m->next, skip_class(p));
	} else if (*p && class_letter(&p) == letter) {
		enter(m, m->next, p);
	}
}

/* Whether the pattern may end at @place. A value may be the directory that a pattern goes into. */
static gboolean may_end(const Matcher *m, const char *place)
{
	static const char *const ends[] = { "/**", "/**/" };

	if (!*place)
		return TRUE;
	for (gsize i = 0; m->is_value && i < G_N_ELEMENTS(ends); i++)
		if (strcmp(place, ends[i]) == 0)
			return TRUE;
	return FALSE;
}

static gboolean match_glob(const char *glob, const char *name, gboolean is_value)
{
	gsize n = strlen(glob);
	guint8 few[256] = { 0 };
	g_autofree guint8 *many = n < 128 ? NULL : g_malloc0(2 * (n + 1));
	guint8 *sets = many ? many : few;
	Matcher m = { glob, is_value, sets, sets + n + 1 };

	if (*glob && !strchr("*?[\\", *glob) && *glob != *name)
		return FALSE;

	enter(&m, m.now, glob);
	while (*name) {
		gunichar letter = next_letter(&name);
		guint8 *spare = m.now;

		memset(m.next, 0, n + 1);
		for (gsize i = 0; i < n; i++)
			if (m.now[i])
				step(&m, glob + i, letter);
		m.now = m.next;
		m.next = spare;
	}
	for (gsize i = 0; i <= n; i++)
		if (m.now[i] && may_end(&m, glob + i))
			return TRUE;
	return FALSE;
}

static gboolean match_any(const VarvePattern *pattern, const char *name, gboolean is_value)
{
	for (guint i = 0; i < pattern->globs->len; i++)
		if (match_glob(pattern->globs->pdata[i], name, is_value))
			return TRUE;
	return FALSE;
}

gboolean varve_pattern_match(const VarvePattern *pattern, const char *path)
{
	return match_any(pattern, path, FALSE);
}

gboolean varve_pattern_match_value(const VarvePattern *pattern, const char *value)
{
	return match_any(pattern, value, TRUE);
}
