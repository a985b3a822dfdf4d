/* One line of a spec: what it does to the structure, the tokens of a header, a tag. Blanks are
 * Unicode's White_Space, as in azldev, whose language splits lines so. */
#include "component/spec-internal.h"

#include <string.h>

static const char *const section_names[] = {
	"%build",
	"%changelog",
	"%check",
	"%clean",
	"%conf",
	"%description",
	"%files",
	"%filetriggerin",
	"%filetriggerpostun",
	"%filetriggerun",
	"%generate_buildrequires",
	"%install",
	"%package",
	"%patchlist",
	"%post",
	"%posttrans",
	"%postun",
	"%postuntrans",
	"%pre",
	"%prep",
	"%pretrans",
	"%preun",
	"%preuntrans",
	"%sourcelist",
	"%transfiletriggerin",
	"%transfiletriggerpostun",
	"%transfiletriggerun",
	"%triggerin",
	"%triggerpostun",
	"%triggerprein",
	"%triggerun",
	"%verify",
};

/* The bytes of the blank that @p starts with, 0 for none. */
static gsize blank_at(const char *p, const char *end)
{
	const guint8 *c = (const guint8 *)p;

	if (*c < 0x80)
		return *c == ' ' || (*c >= '\t' && *c <= '\r') ? 1 : 0;
	if (*c == 0xc2 && end - p >= 2)
		return c[1] == 0x85 || c[1] == 0xa0 ? 2 : 0;
	if (end - p < 3 || *c < 0xe1 || *c > 0xe3)
		return 0;
	if ((c[0] == 0xe1 && c[1] == 0x9a && c[2] == 0x80) ||
	    (c[0] == 0xe3 && c[1] == 0x80 && c[2] == 0x80) ||
	    (c[0] == 0xe2 && c[1] == 0x81 && c[2] == 0x9f))
		return 3;
	if (c[0] == 0xe2 && c[1] == 0x80 &&
	    ((c[2] >= 0x80 && c[2] <= 0x8a) || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf))
		return 3;
	return 0;
}

static const char *skip_blanks(const char *p, const char *end)
{
	for (gsize n; p < end && (n = blank_at(p, end)) > 0;)
		p += n;
	return p;
}

SpecPiece varve_spec_trim(const char *text, gsize size)
{
	const char *end = text + size, *start = skip_blanks(text, end);

	while (end > start) {
		gsize n = 0;

		for (gsize back = 1; n == 0 && back <= 3 && back <= (gsize)(end - start); back++)
			n = blank_at(end - back, end) == back ? back : 0;
		if (n == 0)
			break;
		end -= n;
	}
	return (SpecPiece){ start, (gsize)(end - start) };
}

/* The next token at *@p, which moves behind it; size 0 at the end. */
static SpecPiece next_token(const char **p, const char *end)
{
	const char *start = skip_blanks(*p, end), *c = start;

	while (c < end && blank_at(c, end) == 0)
		c++;
	*p = c;
	return (SpecPiece){ start, (gsize)(c - start) };
}

/* The letter at *@p, which moves behind it. A byte that is no UTF-8 is U+FFFD, as in azldev. */
static gunichar next_letter(const char **p, const char *end)
{
	gunichar letter = (guint8) * *p;

	if (letter >= 0x80) {
		letter = g_utf8_get_char_validated(*p, end - *p);
		if (letter >= 0x110000) {
			++*p;
			return 0xfffd;
		}
		*p = g_utf8_next_char(*p);
		return letter;
	}
	++*p;
	return letter;
}

/* Unicode's simple folding: U+0130 and U+0131 are like no other letter. */
static gunichar fold(gunichar letter)
{
	return letter == 0x130 || letter == 0x131 ? letter
						  : g_unichar_tolower(g_unichar_toupper(letter));
}

static inline gunichar lower(gunichar letter)
{
	if (letter < 0x80)
		return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
	return g_unichar_tolower(letter);
}

gboolean varve_spec_same(SpecPiece piece, const char *text)
{
	const char *p = piece.text, *end = p + piece.size, *text_end = text + strlen(text);

	while (p < end && text < text_end)
		if (lower(next_letter(&p, end)) != lower(next_letter(&text, text_end)))
			return FALSE;
	return p == end && text == text_end;
}

gboolean varve_spec_same_folded(SpecPiece piece, const char *text)
{
	const char *p = piece.text, *end = p + piece.size, *text_end = text + strlen(text);

	while (p < end && text < text_end)
		if (fold(next_letter(&p, end)) != fold(next_letter(&text, text_end)))
			return FALSE;
	return p == end && text == text_end;
}

/* One of @names, which begin with '%' as the token does. */
static gboolean is_one_of(SpecPiece token, const char *const *names, gsize n)
{
	gunichar first;

	if (token.size < 2)
		return FALSE;
	first = (guint8)token.text[1] < 0x80 ? lower((guint8)token.text[1]) : 0x80;
	for (gsize i = 0; i < n; i++)
		if (((gunichar)names[i][1] == first || first >= 0x80) &&
		    varve_spec_same(token, names[i]))
			return TRUE;
	return FALSE;
}

SpecMark varve_spec_mark(const char *text, gsize size)
{
	static const char *const openers[] = { "%if", "%ifarch", "%ifnarch", "%ifos", "%ifnos" };
	static const char *const branches[] = { "%else",      "%elif",   "%elifarch",
						"%elifnarch", "%elifos", "%elifnos" };
	const char *end = text + size, *p = skip_blanks(text, end);
	SpecPiece token;

	if (p == end || *p != '%')
		return SPEC_TEXT;
	token = next_token(&p, end);
	if (is_one_of(token, section_names, G_N_ELEMENTS(section_names)))
		return SPEC_HEADER;
	if (is_one_of(token, openers, G_N_ELEMENTS(openers)))
		return SPEC_IF;
	if (varve_spec_same(token, "%endif"))
		return SPEC_ENDIF;
	if (is_one_of(token, branches, G_N_ELEMENTS(branches)))
		return SPEC_BRANCH;
	return SPEC_TEXT;
}

/* Reads one token after another of a header; @state begins zeroed. */
typedef struct {
	gboolean ended;    /* by "--": a trigger's condition follows */
	gboolean argument; /* the next one belongs to an option */
	gboolean full;     /* the next one follows -n */
	SpecPiece name, suffix;
} HeaderState;

static void take_header_token(HeaderState *state, SpecPiece token)
{
	gboolean option = token.size == 2 && token.text[0] == '-';

	if (state->ended)
		return;
	if (state->full) {
		state->name = token;
		state->full = FALSE;
	} else if (state->argument) {
		state->argument = FALSE;
	} else if (option && token.text[1] == '-') {
		state->ended = TRUE;
	} else if (option && token.text[1] == 'n') {
		state->full = TRUE;
	} else if (option && memchr("fplP", token.text[1], 4)) {
		state->argument = TRUE;
	} else if (token.text[0] != '-' && state->suffix.size == 0) {
		state->suffix = token;
	}
}

static SpecPiece package_of(const HeaderState *state)
{
	return state->name.size > 0 ? state->name : state->suffix;
}

char *varve_spec_package_of(const char *const *tokens)
{
	HeaderState state = { 0 };
	SpecPiece package;

	for (gsize i = 1; tokens[0] && tokens[i]; i++)
		take_header_token(&state, (SpecPiece){ tokens[i], strlen(tokens[i]) });
	package = package_of(&state);
	return g_strndup(package.size > 0 ? package.text : "", package.size);
}

void varve_spec_header(VarveSpec *spec, const SpecLine *line, SpecSection *ret)
{
	static const char *const lists[] = { "%changelog", "%patchlist", "%sourcelist" };
	const char *p = line->text, *end = p + line->size;
	SpecPiece section = next_token(&p, end), token, package = { "", 0 };
	HeaderState state = { 0 };

	while ((token = next_token(&p, end)).size > 0)
		take_header_token(&state, token);
	ret->kind = SECTION_OTHER;
	if (varve_spec_same(section, "%package"))
		ret->kind = SECTION_PACKAGE;
	else if (is_one_of(section, lists, G_N_ELEMENTS(lists)))
		ret->kind = SECTION_LIST;
	if (ret->kind != SECTION_LIST && package_of(&state).size > 0)
		package = package_of(&state);
	ret->name = g_string_chunk_insert_len(spec->names, section.text, (gssize)section.size);
	ret->package = g_string_chunk_insert_len(spec->names, package.text, (gssize)package.size);
}

static gboolean is_ascii_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/* The name has no blank and no colon, and the colon is next to it. */
gboolean varve_spec_parse_tag(const SpecLine *line, SpecPiece *ret_tag, SpecPiece *ret_value)
{
	SpecPiece all;
	const char *p, *end;

	if (line->size > 0 && line->text[0] == '#')
		return FALSE;
	all = varve_spec_trim(line->text, line->size);
	end = all.text + all.size;
	for (p = all.text; p < end && *p != ':' && !is_ascii_blank(*p);)
		p++;
	if (p == all.text || p == end || *p != ':' || memchr(p, '\n', (gsize)(end - p)))
		return FALSE;
	*ret_tag = (SpecPiece){ all.text, (gsize)(p - all.text) };
	for (p++; p < end && is_ascii_blank(*p);)
		p++;
	*ret_value = (SpecPiece){ p, (gsize)(end - p) };
	return TRUE;
}
