/* Comparing versions: RPM's way, and the way of UAPI.10. The two walks look alike and differ in
 * nearly every detail, so each has a loop of its own over the same helpers. */
#include "format/version.h"

#include <string.h>

static int sign(gssize value)
{
	return (value > 0) - (value < 0);
}

/* A run of digits or of letters within a version. */
typedef struct {
	const char *start;
	size_t length;
} Run;

static Run run_of(const char **cursor, gboolean digits)
{
	Run run = { .start = *cursor };

	while (digits ? g_ascii_isdigit(**cursor) : g_ascii_isalpha(**cursor))
		(*cursor)++;
	run.length = (size_t)(*cursor - run.start);
	return run;
}

/* Numbers of any length: without leading zeros the longer one is greater. */
static int compare_numbers(Run a, Run b)
{
	for (; a.length && *a.start == '0'; a.start++)
		a.length--;
	for (; b.length && *b.start == '0'; b.start++)
		b.length--;
	if (a.length != b.length)
		return a.length < b.length ? -1 : 1;
	return sign(memcmp(a.start, b.start, a.length));
}

static int compare_words(Run a, Run b)
{
	int order = sign(memcmp(a.start, b.start, MIN(a.length, b.length)));

	if (order)
		return order;
	return (a.length > b.length) - (a.length < b.length);
}

/* Both at @mark: steps over it and returns 0. Only one of them: that one is lower. */
static int compare_mark(const char **a, const char **b, char mark)
{
	int order = (**b == mark) - (**a == mark);

	if (order == 0 && **a == mark) {
		(*a)++;
		(*b)++;
	}
	return order;
}

static const char *skip_rpm_separators(const char *s)
{
	while (*s && !g_ascii_isalnum(*s) && *s != '~' && *s != '^')
		s++;
	return s;
}

int varve_rpm_version_compare(const char *a, const char *b)
{
	for (;;) {
		gboolean digits;
		Run run_a, run_b;
		int order;

		a = skip_rpm_separators(a);
		b = skip_rpm_separators(b);
		if (*a == '~' || *b == '~') {
			order = compare_mark(&a, &b, '~');
			if (order)
				return order;
			continue;
		}
		/* A caret is above the end of the string and below everything else. */
		if (*a == '^' || *b == '^') {
			if (!*a)
				return -1;
			if (!*b)
				return 1;
			order = compare_mark(&a, &b, '^');
			if (order)
				return order;
			continue;
		}
		if (!*a || !*b)
			return (*a != '\0') - (*b != '\0');

		digits = g_ascii_isdigit(*a);
		run_a = run_of(&a, digits);
		run_b = run_of(&b, digits);
		/* A number is greater than a word. */
		if (!run_b.length)
			return digits ? 1 : -1;
		order = digits ? compare_numbers(run_a, run_b) : compare_words(run_a, run_b);
		if (order)
			return order;
	}
}

typedef struct {
	Run epoch; /* empty is 0 */
	char *version;
	char *release; /* NULL where there is none */
} Evr;

static void evr_clear(Evr *evr)
{
	g_free(evr->version);
	g_free(evr->release);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Evr, evr_clear)

static void evr_split(const char *text, Evr *ret)
{
	const char *cursor = text, *dash;

	memset(ret, 0, sizeof *ret);
	ret->epoch = run_of(&cursor, TRUE);
	if (*cursor == ':') {
		text = cursor + 1;
	} else {
		ret->epoch.length = 0;
	}
	dash = strrchr(text, '-');
	ret->version = dash ? g_strndup(text, (gsize)(dash - text)) : g_strdup(text);
	ret->release = dash ? g_strdup(dash + 1) : NULL;
}

int varve_rpm_evr_compare(const char *a, const char *b)
{
	g_auto(Evr) evr_a, evr_b;
	int order;

	evr_split(a, &evr_a);
	evr_split(b, &evr_b);
	order = compare_numbers(evr_a.epoch, evr_b.epoch);
	if (!order)
		order = varve_rpm_version_compare(evr_a.version, evr_b.version);
	if (!order && evr_a.release && evr_b.release)
		order = varve_rpm_version_compare(evr_a.release, evr_b.release);
	return order;
}

static const char *skip_others(const char *s)
{
	while (*s && !g_ascii_isalnum(*s) && !strchr("~-^.", *s))
		s++;
	return s;
}

int varve_version_compare(const char *a, const char *b)
{
	for (;;) {
		gboolean digits;
		Run run_a, run_b;
		int order;

		a = skip_others(a);
		b = skip_others(b);
		order = compare_mark(&a, &b, '~');
		if (order)
			return order;
		if (!*a || !*b)
			return (*a != '\0') - (*b != '\0');
		for (const char *mark = "-^."; *mark; mark++) {
			order = compare_mark(&a, &b, *mark);
			if (order)
				return order;
		}
		digits = g_ascii_isdigit(*a) || g_ascii_isdigit(*b);
		run_a = run_of(&a, digits);
		run_b = run_of(&b, digits);
		/* Point 7 of the specification calls a missing number 0; boot loader and systemd
		 * sort it below every number, and must agree with us on what is newest. */
		if (digits && (run_a.length == 0) != (run_b.length == 0))
			return run_a.length ? 1 : -1;
		order = digits ? compare_numbers(run_a, run_b) : compare_words(run_a, run_b);
		if (order)
			return order;
	}
}

enum {
	BELOW = 1 << 0,
	EQUAL = 1 << 1,
	ABOVE = 1 << 2,
};

typedef struct {
	const char *name;
	size_t name_length;
	unsigned sense; /* 0: every version */
	const char *evr;
} Capability;

/* "name" or "name OPERATOR evr", as RPM prints them. */
static gboolean capability_parse(const char *text, Capability *ret)
{
	Capability capability = { .name = text, .name_length = strcspn(text, " ") };
	const char *cursor = text + capability.name_length;

	/* Rich dependencies start with a parenthesis; no capability does. */
	if (capability.name_length == 0 || *text == '(')
		return FALSE;
	cursor += strspn(cursor, " ");
	if (*cursor) {
		for (; *cursor && strchr("<=>", *cursor); cursor++)
			capability.sense |= *cursor == '<' ? BELOW : *cursor == '=' ? EQUAL : ABOVE;
		cursor += strspn(cursor, " ");
		if (!capability.sense || !*cursor || strchr(cursor, ' '))
			return FALSE;
	}
	capability.evr = cursor;
	*ret = capability;
	return TRUE;
}

gboolean varve_capability_satisfies(const char *provided, const char *required)
{
	Capability has, wants;
	int order;

	if (!capability_parse(provided, &has) || !capability_parse(required, &wants))
		return FALSE;
	if (has.name_length != wants.name_length ||
	    memcmp(has.name, wants.name, has.name_length) != 0)
		return FALSE;
	if (!wants.sense)
		return TRUE;
	if (!has.sense)
		return FALSE;
	/* Two ranges share a version: each end is open to one side or is the version itself. */
	order = varve_rpm_evr_compare(has.evr, wants.evr);
	if (order < 0)
		return (has.sense & ABOVE) || (wants.sense & BELOW);
	if (order > 0)
		return (has.sense & BELOW) || (wants.sense & ABOVE);
	return (has.sense & wants.sense) != 0;
}
