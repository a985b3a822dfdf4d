/* Writes a regular expression's tree as a pattern of PCRE2. Classes are spelled out as ranges, so
 * that nothing depends on PCRE2's own notions of case, words and Unicode. Where ways of matching
 * part or meet, there is a callout, a stop: whoever comes to a stop at a place of the text where
 * another way was before need not go on. That is how RE2's automaton works: time in proportion to
 * the text, and RE2's order of preference also where loops can be empty. */
#include "base/error.h"
#include "definition/regex-tree.h"

/* PCRE2 compiles to at most 64 KiB; what is written here does not shrink to a quarter. */
#define TEXT_MAX (320 * 1024)
/* So many characters in a row cost what one callout costs. */
#define ROW 16
#define ROWS_MAX 255

typedef struct {
	GString *text;
	GArray *stops; /* (element-type VarveRegexStop) */
	guint row;     /* characters since the last */
} Writer;

static void write_node(Writer *writer, VarveRegexNode *node);

static VarveRegexStop *last_stop(Writer *writer)
{
	return &g_array_index(writer->stops, VarveRegexStop, writer->stops->len - 1);
}

static void stop(Writer *writer, guint rows)
{
	VarveRegexStop stop = { .ahead = -1 };

	if (writer->stops->len > 0 && last_stop(writer)->end == writer->text->len)
		return; /* the same place */
	g_string_append_printf(writer->text, "(?C%u)", CLAMP(rows, 1, ROWS_MAX));
	stop.end = (guint32)writer->text->len;
	g_array_append_val(writer->stops, stop);
	writer->row = 0;
}

static void write_rune(Writer *writer, gunichar rune)
{
	if (rune < 0x80 && g_ascii_isalnum((char)rune))
		g_string_append_c(writer->text, (char)rune);
	else
		g_string_append_printf(writer->text, "\\x{%x}", rune);
}

/* PCRE2 does not take surrogates, which no text has. */
static void write_range(Writer *writer, gunichar first, gunichar last)
{
	if (first < 0xd800 && last > 0xdfff) {
		write_range(writer, first, 0xd7ff);
		write_range(writer, 0xe000, last);
		return;
	}
	if (first >= 0xd800 && first <= 0xdfff)
		first = 0xe000;
	if (last >= 0xd800 && last <= 0xdfff)
		last = 0xd7ff;
	if (first > last)
		return;
	write_rune(writer, first);
	if (last > first) {
		g_string_append_c(writer->text, '-');
		write_rune(writer, last);
	}
}

static gboolean is_one(const VarveRuneRange *ranges, gsize n, gunichar rune)
{
	return n == 1 && ranges[0].first == rune && ranges[0].last == rune;
}

static gboolean is_surrogates(const VarveRuneRange *range)
{
	return range->first >= 0xd800 && range->last <= 0xdfff;
}

static void write_set(Writer *writer, VarveRuneSet *set)
{
	g_autoptr(VarveRuneSet) others = varve_rune_set_new();
	gsize n, n_others;
	const VarveRuneRange *ranges = varve_rune_set_ranges(set, &n), *excluded;
	gsize start;

	if (n == 1 && ranges[0].first == ranges[0].last &&
	    (ranges[0].first < 0xd800 || ranges[0].first > 0xdfff)) {
		write_rune(writer, ranges[0].first);
		return;
	}
	varve_rune_set_add_set(others, set);
	varve_rune_set_negate(others);
	excluded = varve_rune_set_ranges(others, &n_others);
	if (n_others == 0 || (n_others == 1 && is_surrogates(excluded))) {
		g_string_append_c(writer->text, '.');
		return;
	}
	if (is_one(excluded, n_others, '\n')) {
		g_string_append(writer->text, "\\N");
		return;
	}
	g_string_append(writer->text, n_others < n ? "[^" : "[");
	start = writer->text->len;
	for (gsize i = 0; i < MIN(n, n_others); i++) {
		const VarveRuneRange *range = n_others < n ? &excluded[i] : &ranges[i];

		write_range(writer, range->first, range->last);
	}
	if (writer->text->len == start) /* nothing, or nothing but surrogates */
		g_string_append(writer->text, "^\\x{0}-\\x{10ffff}");
	g_string_append_c(writer->text, ']');
}

static void write_assertion(Writer *writer, VarveRegexAssertion assertion)
{
	static const char *const texts[] = {
		[VARVE_REGEX_TEXT_BEGIN] = "\\A",         [VARVE_REGEX_TEXT_END] = "\\z",
		[VARVE_REGEX_LINE_BEGIN] = "(?<![^\\n])", [VARVE_REGEX_LINE_END] = "(?![^\\n])",
		[VARVE_REGEX_WORD_BOUNDARY] = "\\b",      [VARVE_REGEX_NO_WORD_BOUNDARY] = "\\B",
	};

	g_string_append(writer->text, texts[assertion]);
}

static void write_counts(Writer *writer, int min, int max, gboolean lazy)
{
	if (max == 1 && min == 0)
		g_string_append_c(writer->text, '?');
	else if (max == VARVE_REGEX_UNLIMITED && min <= 1)
		g_string_append_c(writer->text, min == 0 ? '*' : '+');
	else if (max == VARVE_REGEX_UNLIMITED)
		g_string_append_printf(writer->text, "{%d,}", min);
	else
		g_string_append_printf(writer->text, "{%d,%d}", min, max);
	if (lazy)
		g_string_append_c(writer->text, '?');
}

/* "(x", of which the parenthesis is still open. */
static void open_group(Writer *writer, VarveRegexNode *child)
{
	g_string_append_c(writer->text, '(');
	stop(writer, 1);
	write_node(writer, child);
}

/* x{2,4} is "xx(x(x)?)?", as RE2 has it, and x{3,} is "xx(x)+": PCRE2 would copy too, but then two
 * places of the pattern would be one stop. */
static void write_copies(Writer *writer, const VarveRegexNode *node, VarveRegexNode *child)
{
	gboolean unlimited = node->max == VARVE_REGEX_UNLIMITED;
	int optional = unlimited ? 0 : node->max - node->min;
	int plain = unlimited ? MAX(0, node->min - 1) : node->min;

	for (int i = 0; i < plain && writer->text->len <= TEXT_MAX; i++)
		write_node(writer, child);
	if (unlimited) {
		open_group(writer, child);
		stop(writer, 1);
		g_string_append_c(writer->text, ')');
		write_counts(writer, MIN(node->min, 1), node->max, node->lazy);
	}
	for (int i = 0; i < optional && writer->text->len <= TEXT_MAX; i++)
		open_group(writer, child);
	for (int i = 0; i < optional && writer->text->len <= TEXT_MAX; i++)
		g_string_append(writer->text, node->lazy ? ")?\?" : ")?");
}

static void write_repeat(Writer *writer, const VarveRegexNode *node)
{
	VarveRegexNode *child = g_ptr_array_index(node->children, 0);

	while (child->kind == VARVE_REGEX_GROUP)
		child = g_ptr_array_index(child->children, 0);
	if (node->max == 0)
		return;
	stop(writer, 1 + (guint)node->min / ROW);
	if (child->kind == VARVE_REGEX_ONE) {
		if (node->max == VARVE_REGEX_UNLIMITED && node->min <= 1)
			last_stop(writer)->ahead = (gint8)node->min;
		write_set(writer, child->set);
		write_counts(writer, node->min, node->max, node->lazy);
	} else {
		write_copies(writer, node, child);
	}
	stop(writer, 1);
}

static void write_choice(Writer *writer, const VarveRegexNode *node)
{
	stop(writer, 1);
	g_string_append_c(writer->text, '(');
	for (guint i = 0; i < node->children->len; i++) {
		if (i > 0)
			g_string_append_c(writer->text, '|');
		write_node(writer, g_ptr_array_index(node->children, i));
	}
	g_string_append_c(writer->text, ')');
	stop(writer, 1);
}

static void write_node(Writer *writer, VarveRegexNode *node)
{
	if (writer->text->len > TEXT_MAX)
		return;
	switch (node->kind) {
	case VARVE_REGEX_EMPTY:
		break;
	case VARVE_REGEX_ONE:
		write_set(writer, node->set);
		if (++writer->row >= 4 * ROW)
			stop(writer, writer->row / ROW);
		break;
	case VARVE_REGEX_ASSERTION:
		write_assertion(writer, node->assertion);
		break;
	case VARVE_REGEX_SEQUENCE:
	case VARVE_REGEX_GROUP:
		for (guint i = 0; i < node->children->len; i++)
			write_node(writer, g_ptr_array_index(node->children, i));
		break;
	case VARVE_REGEX_CHOICE:
		write_choice(writer, node);
		break;
	case VARVE_REGEX_REPEAT:
		write_repeat(writer, node);
		break;
	}
}

char *varve_regex_to_pcre2(VarveRegexNode *node, GArray *stops, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	Writer writer = { .text = text, .stops = stops };

	stop(&writer, 1);
	write_node(&writer, node);
	if (text->len > TEXT_MAX) {
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "the regular expression is too large with its repetitions written out; "
			   "use smaller counts or fewer Unicode classes");
		return NULL;
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}
