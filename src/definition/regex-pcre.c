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
/* From fewer places a repetition may run over the same characters anew. */
#define WAYS_MANY 16
/* A class of more ranges is not written twice. */
#define RANGES_FEW 32

typedef struct {
	GString *text;
	GArray *stops; /* (element-type VarveRegexStop) */
	guint row;     /* characters since the last */
	/* At so many places of a text what is written next can be tried, for one place where the
	 * search begins; at most WAYS_MANY. */
	guint ways;
} Writer;

static void write_node(Writer *writer, VarveRegexNode *node);

static VarveRegexStop *stop_at(Writer *writer, guint32 index)
{
	return &g_array_index(writer->stops, VarveRegexStop, index);
}

/* Returns: its index. */
static guint32 stop(Writer *writer, guint rows)
{
	VarveRegexStop stop = { .ahead = -1 };
	guint n = writer->stops->len;

	if (n > 0 && stop_at(writer, n - 1)->end == writer->text->len)
		return n - 1; /* the same place */
	g_string_append_printf(writer->text, "(?C%u)", CLAMP(rows, 1, ROWS_MAX));
	stop.end = (guint32)writer->text->len;
	g_array_append_val(writer->stops, stop);
	writer->row = 0;
	return n;
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
	if (node->max != 1)
		writer->ways = WAYS_MANY;
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

/* x* in two ways: as PCRE2 is quick with it, and with a stop at each turn, for when the first ran
 * over the same characters too often. The second is not tried behind the first: what it comes to
 * was visited. Returns: the index of the first one's stop; the second's is the next. */
static guint32 write_either(Writer *writer, VarveRuneSet *set, gboolean lazy)
{
	guint32 quick;

	g_string_append_c(writer->text, '(');
	quick = stop(writer, 1);
	write_set(writer, set);
	write_counts(writer, 0, VARVE_REGEX_UNLIMITED, lazy);
	g_string_append_c(writer->text, '|');
	stop(writer, 1);
	g_string_append_c(writer->text, '(');
	stop(writer, 1);
	write_set(writer, set);
	g_string_append_c(writer->text, ')');
	write_counts(writer, 0, VARVE_REGEX_UNLIMITED, lazy);
	g_string_append_c(writer->text, ')');
	stop_at(writer, quick)->gives_way = TRUE;
	return quick;
}

static void lead_to(Writer *writer, guint32 stop, int ahead, guint32 after)
{
	stop_at(writer, stop)->ahead = (gint8)ahead;
	stop_at(writer, stop)->after = after;
}

/* x* and x+ where many places lead to it: "(xA)?" and "xA", where A is x* in two ways. Most of
 * these places have no x, and then nothing of it is tried. */
static void write_careful(Writer *writer, VarveRuneSet *set, int min, gboolean lazy, guint32 before)
{
	guint32 quick, after;

	if (min == 0)
		g_string_append_c(writer->text, '(');
	write_set(writer, set);
	quick = write_either(writer, set, lazy);
	if (min == 0) {
		g_string_append_c(writer->text, ')');
		write_counts(writer, 0, 1, lazy);
	}
	after = stop(writer, 1);
	lead_to(writer, before, min, after);
	lead_to(writer, quick, 0, after);
	lead_to(writer, quick + 1, 0, after);
}

/* x*, x+ and x{3,}, which is "x{2}x+": where a run of x has led on from its end, one that begins
 * within it need not be tried. */
static void write_unlimited(Writer *writer, const VarveRegexNode *node, VarveRuneSet *set)
{
	int min = MIN(node->min, 1);
	guint32 before = stop(writer, 1 + (guint)node->min / ROW);

	if (node->min > 1) {
		write_set(writer, set);
		g_string_append_printf(writer->text, "{%d}", node->min - 1);
		before = stop(writer, 1);
	}
	if (writer->ways < WAYS_MANY) {
		write_set(writer, set);
		write_counts(writer, min, VARVE_REGEX_UNLIMITED, node->lazy);
		lead_to(writer, before, min, stop(writer, 1));
	} else {
		write_careful(writer, set, min, node->lazy, before);
	}
	writer->ways = WAYS_MANY;
}

static gboolean is_large(VarveRuneSet *set)
{
	gsize n;

	varve_rune_set_ranges(set, &n);
	return n > RANGES_FEW;
}

static void write_repeat(Writer *writer, const VarveRegexNode *node)
{
	VarveRegexNode *child = g_ptr_array_index(node->children, 0);
	gboolean unlimited = node->max == VARVE_REGEX_UNLIMITED;
	guint ways = writer->ways;
	guint32 before, after;

	while (child->kind == VARVE_REGEX_GROUP)
		child = g_ptr_array_index(child->children, 0);
	if (node->max == 0)
		return;
	if (child->kind == VARVE_REGEX_ONE && unlimited &&
	    (!is_large(child->set) || (node->min <= 1 && ways < WAYS_MANY))) {
		write_unlimited(writer, node, child->set);
		return;
	}
	before = stop(writer, 1 + (guint)node->min / ROW);
	if (child->kind == VARVE_REGEX_ONE && (!unlimited || ways < WAYS_MANY)) {
		write_set(writer, child->set);
		write_counts(writer, node->min, node->max, node->lazy);
		ways = unlimited ? WAYS_MANY : ways * (guint)(node->max - node->min + 1);
	} else {
		write_copies(writer, node, child);
		ways += writer->ways;
	}
	writer->ways = MIN(ways, WAYS_MANY);
	after = stop(writer, 1);
	/* To begin a lazy loop and to be behind a turn of it is one state of the automaton: it
	 * leaves the loop first. */
	if (unlimited && node->min == 0 && node->lazy && !child->nullable)
		lead_to(writer, before, 0, after);
}

static void write_choice(Writer *writer, const VarveRegexNode *node)
{
	guint before = writer->ways, ways = 0;

	stop(writer, 1);
	g_string_append_c(writer->text, '(');
	for (guint i = 0; i < node->children->len; i++) {
		if (i > 0)
			g_string_append_c(writer->text, '|');
		writer->ways = before;
		write_node(writer, g_ptr_array_index(node->children, i));
		ways = MIN(ways + writer->ways, WAYS_MANY);
	}
	writer->ways = ways;
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
	Writer writer = { .text = text, .stops = stops, .ways = 1 };

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
