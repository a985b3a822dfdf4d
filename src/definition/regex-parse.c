/* Reads a regular expression of RE2's syntax, as Go's package regexp accepts it (flags Perl), into
 * a tree. Reference: https://github.com/google/re2/wiki/Syntax and the documentation of Go's
 * regexp/syntax. Groups are kept on a stack of our own: a pattern can nest them by thousands. */
#include "base/error.h"
#include "definition/regex-tree.h"

#include <string.h>

/* A group that is open, or the pattern. */
typedef struct {
	gsize opened;
	gboolean captures;
	gboolean fold, multiline, dot_all, ungreedy; /* what holds again after it */
	GPtrArray *branches, *items;
} Frame;

typedef struct {
	VarveRegexReader reader;
	GArray *frames;
	gboolean after_repeat; /* the last token was a repetition */
} Parser;

gboolean varve_regex_fault(const VarveRegexReader *reader, gsize at, GError **error,
			   const char *what, ...)
{
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, what);
	message = g_strdup_vprintf(what, args);
	va_end(args);
	return varve_fail(error, VARVE_ERROR_USAGE, "byte %zu of the regular expression: %s",
			  MIN(at, reader->size) + 1, message);
}

gboolean varve_regex_foreign(const VarveRegexReader *reader, gsize at, const char *name,
			     GError **error)
{
	return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			  "byte %zu of the regular expression: RE2's syntax does not have %s",
			  MIN(at, reader->size) + 1, name);
}

static GPtrArray *new_nodes(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)varve_regex_node_free);
}

static void clear_frame(gpointer data)
{
	Frame *frame = data;

	g_clear_pointer(&frame->branches, g_ptr_array_unref);
	g_clear_pointer(&frame->items, g_ptr_array_unref);
}

static Frame *top(Parser *parser)
{
	return &g_array_index(parser->frames, Frame, parser->frames->len - 1);
}

static void open_frame(Parser *parser, gsize opened, gboolean captures)
{
	const VarveRegexReader *reader = &parser->reader;
	Frame frame = { .opened = opened,
			.captures = captures,
			.fold = reader->fold,
			.multiline = reader->multiline,
			.dot_all = reader->dot_all,
			.ungreedy = reader->ungreedy,
			.branches = new_nodes(),
			.items = new_nodes() };

	g_array_append_val(parser->frames, frame);
}

static gboolean push(Parser *parser, VarveRegexNode *node, GError **error)
{
	guint height = node->height;

	g_ptr_array_add(top(parser)->items, node);
	if (height > VARVE_REGEX_HEIGHT_MAX)
		return varve_regex_fault(&parser->reader, parser->reader.at, error,
					 "nested deeper than %d", VARVE_REGEX_HEIGHT_MAX);
	return TRUE;
}

static gboolean push_set(Parser *parser, VarveRuneSet *set, GError **error)
{
	return set && push(parser, varve_regex_node_one(set), error);
}

static void end_branch(Frame *frame)
{
	g_ptr_array_add(frame->branches, varve_regex_node_join(VARVE_REGEX_SEQUENCE, frame->items));
	frame->items = new_nodes();
}

/* Takes the innermost group off and returns what was in it. */
static VarveRegexNode *close_frame(Parser *parser)
{
	Frame *frame = top(parser);
	VarveRegexReader *reader = &parser->reader;
	VarveRegexNode *node;

	end_branch(frame);
	node = varve_regex_node_join(VARVE_REGEX_CHOICE, g_steal_pointer(&frame->branches));
	if (frame->captures)
		node = varve_regex_node_group(node);
	reader->fold = frame->fold;
	reader->multiline = frame->multiline;
	reader->dot_all = frame->dot_all;
	reader->ungreedy = frame->ungreedy;
	g_array_set_size(parser->frames, parser->frames->len - 1);
	return node;
}

static char peek(const Parser *parser, gsize ahead)
{
	const VarveRegexReader *reader = &parser->reader;

	return reader->size - reader->at > ahead ? reader->pattern[reader->at + ahead] : '\0';
}

/* "(?P<name>" and "(?<name>", of which @prefix is what comes before the name. */
static gboolean read_named_group(Parser *parser, gsize prefix, GError **error)
{
	VarveRegexReader *reader = &parser->reader;
	const char *name = reader->pattern + reader->at + prefix;
	gsize size = 0;

	while (g_ascii_isalnum(name[size]) || name[size] == '_')
		size++;
	if (size == 0 || name[size] != '>')
		return varve_regex_fault(reader, reader->at, error,
					 "the name of a group is of letters, digits and '_', "
					 "and ends in '>'");
	open_frame(parser, reader->at, TRUE);
	reader->at += prefix + size + 1;
	return TRUE;
}

/* What others have behind "(?"; NULL: nothing that we know. */
static const char *foreign_group(const char *rest)
{
	static const struct {
		const char *start, *name;
	} groups[] = {
		{ "=", "lookahead" },
		{ "!", "lookahead" },
		{ "<=", "lookbehind" },
		{ "<!", "lookbehind" },
		{ ">", "atomic groups" },
		{ "|", "groups that reset the numbers" },
		{ "#", "comments" },
		{ "(", "conditions" },
		{ "'", "names of groups in quotes" },
		{ "P=", "backreferences" },
		{ "P>", "recursion" },
		{ "&", "recursion" },
		{ "R", "recursion" },
		{ "+", "recursion" },
		{ "C", "callouts" },
		{ "x", "the flag x" },
		{ "n", "the flag n" },
		{ "J", "the flag J" },
	};

	if (g_ascii_isdigit(*rest))
		return "recursion";
	for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
		if (g_str_has_prefix(rest, groups[i].start))
			return groups[i].name;
	}
	return NULL;
}

static gboolean refuse_group(const Parser *parser, gsize start, GError **error)
{
	const VarveRegexReader *reader = &parser->reader;
	const char *name = foreign_group(reader->pattern + start + 2);

	if (name)
		return varve_regex_foreign(reader, start, name, error);
	return varve_regex_fault(reader, start, error,
				 "after '(?' come flags (of i, m, s and U, those after '-' off) "
				 "with ')' or ':', or '<name>' or 'P<name>'");
}

/* "(?i)", "(?s-m:" */
static gboolean read_flags(Parser *parser, GError **error)
{
	VarveRegexReader *reader = &parser->reader, flags = *reader;
	gsize start = reader->at;
	gboolean on = TRUE, any = FALSE;

	for (flags.at += 2; flags.at < flags.size; flags.at++) {
		char c = flags.pattern[flags.at];

		if (c == 'i') {
			flags.fold = on;
		} else if (c == 'm') {
			flags.multiline = on;
		} else if (c == 's') {
			flags.dot_all = on;
		} else if (c == 'U') {
			flags.ungreedy = on;
		} else if (c == '-' && on) {
			on = FALSE;
			any = FALSE;
			continue;
		} else if ((c == ':' || c == ')') && (on || any)) {
			if (c == ':')
				open_frame(parser, start, FALSE);
			*reader = flags;
			reader->at++;
			return TRUE;
		} else {
			break;
		}
		any = TRUE;
	}
	return refuse_group(parser, start, error);
}

static gboolean read_open(Parser *parser, GError **error)
{
	if (peek(parser, 1) == '*' && g_ascii_isupper(peek(parser, 2)))
		return varve_regex_foreign(&parser->reader, parser->reader.at,
					   "verbs such as (*FAIL)", error);
	if (peek(parser, 1) != '?') {
		open_frame(parser, parser->reader.at++, TRUE);
		return TRUE;
	}
	if (peek(parser, 2) == 'P' && peek(parser, 3) == '<')
		return read_named_group(parser, 4, error);
	if (peek(parser, 2) == '<' && peek(parser, 3) != '=' && peek(parser, 3) != '!')
		return read_named_group(parser, 3, error);
	return read_flags(parser, error);
}

static gboolean read_close(Parser *parser, GError **error)
{
	if (parser->frames->len == 1)
		return varve_regex_fault(&parser->reader, parser->reader.at, error,
					 "')' without '('");
	parser->reader.at++;
	return push(parser, close_frame(parser), error);
}

/* Digits without a zero before them; what is too large is more than any limit. */
static gboolean read_number(const char **rest, int *ret_number)
{
	const char *c = *rest;
	int number = 0;

	if (!g_ascii_isdigit(*c) || (*c == '0' && g_ascii_isdigit(c[1])))
		return FALSE;
	for (; g_ascii_isdigit(*c); c++)
		number = MIN(number * 10 + (*c - '0'), 2 * VARVE_REGEX_REPEAT_MAX);
	*rest = c;
	*ret_number = number;
	return TRUE;
}

/* "{2}", "{2,}", "{2,5}"; FALSE: '{' is a character. */
static gboolean read_counts(const char *text, int *ret_min, int *ret_max, gsize *ret_size)
{
	const char *rest = text + 1;
	int min, max;

	if (!read_number(&rest, &min))
		return FALSE;
	max = min;
	if (*rest == ',') {
		rest++;
		max = VARVE_REGEX_UNLIMITED;
		if (*rest != '}' && !read_number(&rest, &max))
			return FALSE;
	}
	if (*rest != '}')
		return FALSE;
	*ret_min = min;
	*ret_max = max;
	*ret_size = (gsize)(rest + 1 - text);
	return TRUE;
}

/* @at: where it begins; @reader is behind it. */
static gboolean repeat(Parser *parser, gsize at, int min, int max, GError **error)
{
	VarveRegexReader *reader = &parser->reader;
	GPtrArray *items = top(parser)->items;
	gboolean lazy = reader->ungreedy;
	VarveRegexNode *node;

	if (parser->after_repeat && reader->pattern[at] == '+')
		return varve_regex_foreign(reader, at, "possessive repetitions", error);
	if (parser->after_repeat)
		return varve_regex_fault(reader, at, error,
					 "a repetition of a repetition; put the first in (?:…)");
	if (items->len == 0)
		return varve_regex_fault(reader, at, error, "nothing to repeat before '%c'",
					 reader->pattern[at]);
	if (peek(parser, 0) == '?') {
		lazy = !lazy;
		reader->at++;
	}
	node = varve_regex_node_repeat(g_ptr_array_steal_index(items, items->len - 1), min, max,
				       lazy);
	if (!push(parser, node, error))
		return FALSE;
	if (node->repeats > VARVE_REGEX_REPEAT_MAX)
		return varve_regex_fault(reader, at, error,
					 "repeats more than %d times, with those in it multiplied",
					 VARVE_REGEX_REPEAT_MAX);
	parser->after_repeat = TRUE;
	return TRUE;
}

static gboolean read_repeat(Parser *parser, GError **error)
{
	VarveRegexReader *reader = &parser->reader;
	gsize at = reader->at, size = 1;
	char sign = reader->pattern[at];
	int min = sign == '+', max = sign == '?' ? 1 : VARVE_REGEX_UNLIMITED;

	if (sign == '{' && !read_counts(reader->pattern + at, &min, &max, &size)) {
		parser->after_repeat = FALSE;
		reader->at++;
		return push_set(parser, varve_regex_rune(reader, '{'), error);
	}
	if (min > VARVE_REGEX_REPEAT_MAX || max > VARVE_REGEX_REPEAT_MAX)
		return varve_regex_fault(reader, at, error, "repeats more than %d times",
					 VARVE_REGEX_REPEAT_MAX);
	if (max != VARVE_REGEX_UNLIMITED && max < min)
		return varve_regex_fault(reader, at, error, "at least %d times and at most %d", min,
					 max);
	reader->at += size;
	return repeat(parser, at, min, max, error);
}

/* "\Q…\E", or to the end. */
static gboolean read_quoted(Parser *parser, GError **error)
{
	VarveRegexReader *reader = &parser->reader;
	const char *c = reader->pattern + reader->at + 2;
	const char *end = strstr(c, "\\E");

	reader->at = end ? (gsize)(end + 2 - reader->pattern) : reader->size;
	if (!end)
		end = reader->pattern + reader->size;
	for (; c < end; c = g_utf8_next_char(c)) {
		if (!push_set(parser, varve_regex_rune(reader, g_utf8_get_char(c)), error))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_escape(Parser *parser, GError **error)
{
	static const struct {
		char letter;
		VarveRegexAssertion assertion;
	} assertions[] = {
		{ 'A', VARVE_REGEX_TEXT_BEGIN },
		{ 'z', VARVE_REGEX_TEXT_END },
		{ 'b', VARVE_REGEX_WORD_BOUNDARY },
		{ 'B', VARVE_REGEX_NO_WORD_BOUNDARY },
	};
	char letter = peek(parser, 1);

	for (gsize i = 0; i < G_N_ELEMENTS(assertions); i++) {
		if (letter == assertions[i].letter) {
			parser->reader.at += 2;
			return push(parser, varve_regex_node_assertion(assertions[i].assertion),
				    error);
		}
	}
	if (letter == 'Q')
		return read_quoted(parser, error);
	return push_set(parser, varve_regex_read_escape(&parser->reader, error), error);
}

static gboolean push_dot(Parser *parser, GError **error)
{
	VarveRuneSet *set = varve_rune_set_new();

	if (!parser->reader.dot_all)
		varve_rune_set_add(set, '\n', '\n');
	varve_rune_set_negate(set);
	return push_set(parser, set, error);
}

static gboolean read_plain(Parser *parser, GError **error)
{
	VarveRegexReader *reader = &parser->reader;
	const char *at = reader->pattern + reader->at;

	switch (*at) {
	case '|':
		reader->at++;
		end_branch(top(parser));
		return TRUE;
	case '^':
		reader->at++;
		return push(parser,
			    varve_regex_node_assertion(reader->multiline ? VARVE_REGEX_LINE_BEGIN
									 : VARVE_REGEX_TEXT_BEGIN),
			    error);
	case '$':
		reader->at++;
		return push(parser,
			    varve_regex_node_assertion(reader->multiline ? VARVE_REGEX_LINE_END
									 : VARVE_REGEX_TEXT_END),
			    error);
	case '.':
		reader->at++;
		return push_dot(parser, error);
	default:
		reader->at += (gsize)(g_utf8_next_char(at) - at);
		return push_set(parser, varve_regex_rune(reader, g_utf8_get_char(at)), error);
	}
}

static gboolean read_token(Parser *parser, GError **error)
{
	char c = parser->reader.pattern[parser->reader.at];

	if (strchr("*+?{", c))
		return read_repeat(parser, error);
	parser->after_repeat = FALSE;
	switch (c) {
	case '(':
		return read_open(parser, error);
	case ')':
		return read_close(parser, error);
	case '[':
		return push_set(parser, varve_regex_read_class(&parser->reader, error), error);
	case '\\':
		return read_escape(parser, error);
	default:
		return read_plain(parser, error);
	}
}

static VarveRegexNode *parse(Parser *parser, GError **error)
{
	g_autoptr(VarveRegexNode) node = NULL;

	open_frame(parser, 0, FALSE);
	while (parser->reader.at < parser->reader.size) {
		if (!read_token(parser, error))
			return NULL;
	}
	if (parser->frames->len > 1) {
		varve_regex_fault(&parser->reader, top(parser)->opened, error, "'(' without ')'");
		return NULL;
	}
	node = close_frame(parser);
	if (node->height > VARVE_REGEX_HEIGHT_MAX) {
		varve_regex_fault(&parser->reader, 0, error, "nested deeper than %d",
				  VARVE_REGEX_HEIGHT_MAX);
		return NULL;
	}
	return g_steal_pointer(&node);
}

VarveRegexNode *varve_regex_parse(const char *pattern, GError **error)
{
	g_autoptr(VarveUnicode) unicode = varve_unicode_new();
	g_autoptr(GArray) frames = g_array_new(FALSE, FALSE, sizeof(Frame));
	Parser parser = {
		.reader = { .pattern = pattern, .size = strlen(pattern), .unicode = unicode },
		.frames = frames
	};
	const char *invalid;

	g_array_set_clear_func(frames, clear_frame);
	if (parser.reader.size > VARVE_REGEX_PATTERN_MAX) {
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "the regular expression has %zu bytes; at most %d are supported",
			   parser.reader.size, VARVE_REGEX_PATTERN_MAX);
		return NULL;
	}
	if (!g_utf8_validate(pattern, -1, &invalid)) {
		varve_regex_fault(&parser.reader, (gsize)(invalid - pattern), error, "no UTF-8");
		return NULL;
	}
	return parse(&parser, error);
}
