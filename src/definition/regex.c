/* Regular expressions in RE2's syntax: compiled by way of a tree (regex-tree.h) to PCRE2, without
 * its JIT, which does not keep the limits. */
#include "definition/regex.h"

#include "base/error.h"
#include "definition/regex-tree.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Of one call of varve_regex_replace(): a step is a stop (regex-pcre.c), or ADVANCE bytes that the
 * repetition of one character ran over. The stops of a search are in proportion to the text, what
 * is between them may be quadratic. */
#define STEPS_MIN G_GUINT64_CONSTANT(4000000)
#define STEPS_PER_BYTE 500
#define STEPS_MAX G_GUINT64_CONSTANT(500000000)
#define ADVANCE 16
/* One bit for each stop at each place of the text. */
#define BITS_MAX (G_GUINT64_CONSTANT(1) << 31)
/* A stop that refused so often on a short text did no harm. */
#define REFUSED_MIN 1000
/* Of one attempt of PCRE2, which counts them anew at each place it begins. */
#define MATCH_MAX 100000000
#define DEPTH_MAX 4000000
#define HEAP_MAX_KIB (256 * 1024)
/* What a text may become: a short pattern and a long replacement make much of little. */
#define RESULT_MAX ((gsize)512 << 20)
#define RESULT_TOO_LONG (-10000) /* beside PCRE2's own numbers */
/* Groups that a tree as high as VARVE_REGEX_HEIGHT_MAX becomes, and copies of one. */
#define NESTING_MAX (4 * VARVE_REGEX_HEIGHT_MAX)

struct VarveRegex {
	pcre2_code *code;
	GArray *stops;    /* (element-type VarveRegexStop) */
	guint32 *stop_of; /* by where a callout ends in PCRE2's pattern */
};

static pcre2_code *compile(const char *pattern, GError **error)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	char message[256];
	pcre2_code *code;
	PCRE2_SIZE offset;
	int number;

	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pcre2_set_parens_nest_limit(context, NESTING_MAX);
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
			     PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOTALL | PCRE2_NEVER_UCP |
				     PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE |
				     PCRE2_NO_AUTO_POSSESS,
			     &number, &offset, context);
	pcre2_compile_context_free(context);
	if (!code) {
		pcre2_get_error_message(number, (PCRE2_UCHAR *)message, sizeof message);
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "PCRE2 does not compile the regular expression (%s); use smaller counts "
			   "or fewer Unicode classes",
			   message);
	}
	return code;
}

VarveRegex *varve_regex_new(const char *pattern, GError **error)
{
	g_autoptr(GArray) stops = g_array_new(FALSE, FALSE, sizeof(VarveRegexStop));
	g_autoptr(VarveRegexNode) tree = varve_regex_parse(pattern, error);
	g_autofree char *text = tree ? varve_regex_to_pcre2(tree, stops, error) : NULL;
	pcre2_code *code = text ? compile(text, error) : NULL;
	VarveRegex *regex;

	if (!code)
		return NULL;
	regex = g_new0(VarveRegex, 1);
	regex->code = code;
	regex->stop_of = g_new0(guint32, strlen(text) + 1);
	for (guint32 i = 0; i < stops->len; i++)
		regex->stop_of[g_array_index(stops, VarveRegexStop, i).end] = i;
	regex->stops = g_steal_pointer(&stops);
	return regex;
}

void varve_regex_free(VarveRegex *regex)
{
	if (!regex)
		return;
	pcre2_code_free(regex->code);
	g_array_unref(regex->stops);
	g_free(regex->stop_of);
	g_free(regex);
}

/* What the callouts share. */
typedef struct {
	const VarveRegex *regex;
	guint64 steps, limit;
	gsize at;         /* where the last step was */
	guint64 *visited; /* bits: of each stop the places of the text */
	gsize n_words, n_places;
	GArray *touched;  /* (element-type gsize) words of @visited that are not 0; once there are
			   * too many, it says nothing any more */
	guint64 *refused; /* by stop: how often; behind @visited */
} Track;

static gsize many_words(const Track *track)
{
	return track->n_words / 8 + 1;
}

/* Whether that is the first visit. */
static gboolean visit(Track *track, guint32 stop, gsize place)
{
	guint64 bit = stop * (guint64)track->n_places + place;
	guint64 *word = &track->visited[bit / 64], mask = G_GUINT64_CONSTANT(1) << bit % 64;
	gsize index = bit / 64;

	if (*word & mask)
		return FALSE;
	if (*word == 0 && track->touched->len < many_words(track))
		g_array_append_val(track->touched, index);
	*word |= mask;
	return TRUE;
}

/* Another search begins: nobody was anywhere. */
static void forget_visits(Track *track)
{
	if (track->touched->len >= many_words(track)) {
		memset(track->visited, 0, track->n_words * sizeof(guint64));
	} else {
		for (guint i = 0; i < track->touched->len; i++)
			track->visited[g_array_index(track->touched, gsize, i)] = 0;
	}
	g_array_set_size(track->touched, 0);
}

static gboolean was_visited(const Track *track, guint32 stop, gsize place)
{
	guint64 bit = stop * (guint64)track->n_places + place;

	return track->visited[bit / 64] >> bit % 64 & 1;
}

/* Whether the repetition behind @stop leads only to where others were. */
static gboolean is_covered(const Track *track, guint32 stop, const pcre2_callout_block *block)
{
	const VarveRegexStop *what = &g_array_index(track->regex->stops, VarveRegexStop, stop);
	gsize at = block->current_position;

	if (what->ahead < 0 || (what->ahead > 0 && at == block->subject_length))
		return FALSE;
	if (what->ahead > 0)
		at += (gsize)g_utf8_skip[block->subject[at]];
	return was_visited(track, what->after, at);
}

static gboolean gives_way(const Track *track, guint32 stop)
{
	const VarveRegexStop *what = &g_array_index(track->regex->stops, VarveRegexStop, stop);

	return what->gives_way && track->refused[what->after] > track->n_places + REFUSED_MIN;
}

static int on_callout(pcre2_callout_block *block, void *data)
{
	Track *track = data;
	gsize at = block->current_position;
	guint32 stop = track->regex->stop_of[block->pattern_position];

	track->steps += block->callout_number +
			(at > track->at ? at - track->at : track->at - at) / ADVANCE;
	track->at = at;
	if (track->steps > track->limit)
		return PCRE2_ERROR_MATCHLIMIT;
	if (gives_way(track, stop))
		return 1;
	if (!visit(track, stop, at)) {
		track->refused[stop]++;
		return 1;
	}
	return is_covered(track, stop, block);
}

/* The text as PCRE2 takes it, and where it is in it. */
typedef struct {
	const char *text, *clean;
	gsize length, clean_length;
	gsize at, clean_at; /* the same place in both */
} Subject;

/* The length of the character at @text; 1 with @ret_valid FALSE for a byte that belongs to none. */
static gsize rune_length(const char *text, gsize length, gboolean *ret_valid)
{
	gunichar rune = (guchar)*text < 0x80
				? (guchar)*text
				: g_utf8_get_char_validated(text, (gssize)MIN(length, 6));

	*ret_valid = (gint32)rune >= 0 && g_unichar_validate(rune);
	return *ret_valid ? (gsize)g_unichar_to_utf8(rune, NULL) : 1;
}

/* @text with U+FFFD for every byte that is no UTF-8; NULL: all of it is. */
static char *clean_text(const char *text, gsize length, gsize *ret_length)
{
	g_autoptr(GString) clean = NULL;
	gsize size;

	for (gsize at = 0; at < length; at += size) {
		gboolean valid;

		size = rune_length(text + at, length - at, &valid);
		if (!valid && !clean)
			clean = g_string_new_len(text, (gssize)at);
		if (!valid)
			g_string_append(clean, "\xef\xbf\xbd");
		else if (clean)
			g_string_append_len(clean, text + at, (gssize)size);
	}
	if (!clean)
		return NULL;
	*ret_length = clean->len;
	return g_string_free(g_steal_pointer(&clean), FALSE);
}

/* Goes on to @clean_at and returns where that is in the text. */
static gsize advance(Subject *subject, gsize clean_at)
{
	if (subject->clean == subject->text) {
		subject->at = subject->clean_at = clean_at;
		return clean_at;
	}
	while (subject->clean_at < clean_at) {
		gboolean valid;
		gsize size = rune_length(subject->text + subject->at, subject->length - subject->at,
					 &valid);

		subject->at += size;
		subject->clean_at += valid ? size : 3;
	}
	return subject->at;
}

static gboolean explain(int number, GError **error)
{
	char message[256];

	switch (number) {
	case RESULT_TOO_LONG:
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "with all matches replaced the text would be longer than %zu MiB",
				  RESULT_MAX >> 20);
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_NOMEMORY:
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "the regular expression takes more %s on this text than are "
				  "allowed; write it with fewer repetitions in each other",
				  number == PCRE2_ERROR_MATCHLIMIT ? "steps" : "bytes of memory");
	default:
		pcre2_get_error_message(number, (PCRE2_UCHAR *)message, sizeof message);
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "the regular expression cannot be matched: %s", message);
	}
}

/* From @begin on: 1 and @ret_found, 0 there is none, or a negative number of PCRE2's. */
static int search(Track *track, const Subject *subject, gsize begin, pcre2_match_data *match,
		  pcre2_match_context *context, gsize ret_found[2])
{
	int n = pcre2_match(track->regex->code, (PCRE2_SPTR)subject->clean, subject->clean_length,
			    begin, PCRE2_NO_UTF_CHECK, match, context);
	const PCRE2_SIZE *found = pcre2_get_ovector_pointer(match);

	forget_visits(track);
	if (n < 0)
		return n == PCRE2_ERROR_NOMATCH ? 0 : n;
	ret_found[0] = found[0];
	ret_found[1] = found[1];
	return 1;
}

/* Go's rules: an empty match right behind another is none, and the search goes on behind the
 * character that follows it. */
static int replace_all(Track *track, Subject *subject, const char *replacement,
		       pcre2_match_data *match, pcre2_match_context *context, GString *into,
		       guint *matches)
{
	gsize begin = 0, kept = 0, found[2], last = 0;
	int n = 0;

	while (begin <= subject->clean_length &&
	       (n = search(track, subject, begin, match, context, found)) > 0) {
		if (found[1] > last || found[0] == 0) {
			gsize start = advance(subject, found[0]);

			g_string_append_len(into, subject->text + kept, (gssize)(start - kept));
			g_string_append(into, replacement);
			kept = advance(subject, found[1]);
			(*matches)++;
			if (into->len > RESULT_MAX)
				return RESULT_TOO_LONG;
		}
		last = found[1];
		if (found[1] > begin)
			begin = found[1];
		else if (begin < subject->clean_length)
			begin += (gsize)(g_utf8_next_char(subject->clean + begin) -
					 (subject->clean + begin));
		else
			break;
	}
	g_string_append_len(into, subject->text + kept, (gssize)(subject->length - kept));
	return MIN(n, 0);
}

/* With the memory for it all; the same. */
static int replace_within(Track *track, Subject *subject, const char *replacement, GString *into,
			  guint *matches)
{
	g_autoptr(GArray) touched = g_array_new(FALSE, FALSE, sizeof(gsize));
	g_autofree guint64 *visited =
		g_try_new0(guint64, track->n_words + track->regex->stops->len);
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *match = pcre2_match_data_create(1, NULL);
	int n = PCRE2_ERROR_NOMEMORY;

	track->visited = visited;
	track->touched = touched;
	track->refused = visited ? visited + track->n_words : NULL;
	pcre2_set_match_limit(context, MATCH_MAX);
	pcre2_set_depth_limit(context, DEPTH_MAX);
	pcre2_set_heap_limit(context, HEAP_MAX_KIB);
	pcre2_set_callout(context, on_callout, track);
	if (visited)
		n = replace_all(track, subject, replacement, match, context, into, matches);
	pcre2_match_data_free(match);
	pcre2_match_context_free(context);
	return n;
}

gboolean varve_regex_replace(const VarveRegex *regex, const char *text, gsize length,
			     const char *replacement, GString *ret, guint *ret_matches,
			     GError **error)
{
	Subject subject = { .text = text, .length = length, .clean_length = length };
	g_autofree char *clean = clean_text(text, length, &subject.clean_length);
	g_autoptr(GString) into = g_string_sized_new(length);
	Track track = { .regex = regex,
			.limit = MIN(STEPS_MIN + STEPS_PER_BYTE * (guint64)length, STEPS_MAX),
			.n_places = subject.clean_length + 1 };
	guint matches = 0;
	int n;

	subject.clean = clean ? clean : text;
	if (track.n_places > BITS_MAX / regex->stops->len)
		return explain(PCRE2_ERROR_NOMEMORY, error);
	track.n_words = (track.n_places * regex->stops->len + 63) / 64;
	n = replace_within(&track, &subject, replacement, into, &matches);
	if (n < 0)
		return explain(n, error);
	g_string_append_len(ret, into->str, (gssize)into->len);
	*ret_matches = matches;
	return TRUE;
}
