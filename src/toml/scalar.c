/* Scalars: strings, numbers, booleans and the four kinds of dates and times. */
#include "toml/document.h"

#include <math.h>
#include <string.h>

/* Strings */

static void scratch_add(VarveTomlParser *parser, const char *text, gsize size)
{
	if (size == 0)
		return;
	if (parser->scratch_size + size > parser->scratch_space) {
		parser->scratch_space = (parser->scratch_size + size) * 2;
		parser->scratch = g_realloc(parser->scratch, parser->scratch_space);
	}
	memcpy(parser->scratch + parser->scratch_size, text, size);
	parser->scratch_size += size;
}

/* \uXXXX and \UXXXXXXXX; the parser stands on the backslash. */
static gboolean scan_code_point(VarveTomlParser *parser, guint digits)
{
	const char *start = parser->at;
	gunichar c = 0;
	char utf8[6];

	for (guint i = 0; i < digits; i++) {
		int digit = g_ascii_xdigit_value(start[2 + i]);

		if (digit < 0) {
			parser->at = start + 2 + i;
			return varve_toml_problem(parser, start, parser->at,
						  "\\%c needs %u hexadecimal digits", start[1],
						  digits);
		}
		c = c << 4 | (gunichar)digit;
	}
	parser->at = start + 2 + digits;
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return varve_toml_problem(parser, start, parser->at,
					  "U+%04X is not a Unicode character", c);
	scratch_add(parser, utf8, (gsize)g_unichar_to_utf8(c, utf8));
	return TRUE;
}

static gboolean scan_escape(VarveTomlParser *parser)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	const char *start = parser->at, *known;

	if (start[1] == 'u')
		return scan_code_point(parser, 4);
	if (start[1] == 'U')
		return scan_code_point(parser, 8);
	known = start[1] ? strchr(from, start[1]) : NULL;
	if (!known) {
		/* Go on behind it, unless it is the end of the line or file. */
		parser->at += (guint8)start[1] < 0x20 ? 1 : 2;
		return varve_toml_problem(
			parser, start, start + 2,
			"unknown escape; known are \\b \\t \\n \\f \\r \\\" \\\\ \\uXXXX "
			"\\UXXXXXXXX, and a 'literal string' needs none");
	}
	scratch_add(parser, &to[known - from], 1);
	parser->at += 2;
	return TRUE;
}

static gboolean is_control(char c)
{
	return ((guint8)c < 0x20 && c != '\t') || c == 0x7f;
}

static gboolean bad_control(VarveTomlParser *parser)
{
	const char *at = parser->at;

	return varve_toml_problem(parser, at, at + 1, "the control character U+%04X %s",
				  (guint)(guint8)*at,
				  "is not allowed here; write it as \\uXXXX in a \"string\"");
}

/* "…" and '…'; the parser stands on the opening quote. */
static gboolean scan_line_string(VarveTomlParser *parser, const char **ret_text, gsize *ret_size)
{
	/* Where a string may end or be wrong. */
	static const gboolean stops[256] = {
		[0 ... 8] = TRUE, [10 ... 31] = TRUE, ['"'] = TRUE,
		['\''] = TRUE,    ['\\'] = TRUE,      [127] = TRUE,
	};
	const char *start = parser->at, *run = start + 1;
	char quote = *start;
	gboolean good = TRUE;

	parser->scratch_size = 0;
	parser->at++;
	for (;;) {
		char c;

		while (!stops[(guint8)*parser->at])
			parser->at++;
		c = *parser->at;

		if (c == quote)
			break;
		if (c == '\\' && quote == '"') {
			scratch_add(parser, run, (gsize)(parser->at - run));
			good &= scan_escape(parser);
			run = parser->at;
		} else if (c == '\n' || c == '\r' || parser->at == parser->end) {
			return varve_toml_problem(parser, start, parser->at,
						  "this string does not end on its line");
		} else if (is_control(c)) {
			good = bad_control(parser);
			parser->at++;
		} else {
			parser->at++;
		}
	}
	if (run == start + 1) {
		*ret_size = (gsize)(parser->at - run);
		*ret_text = varve_toml_copy(parser->toml, run, *ret_size);
	} else {
		scratch_add(parser, run, (gsize)(parser->at - run));
		*ret_size = parser->scratch_size;
		*ret_text = varve_toml_copy(parser->toml, parser->scratch, *ret_size);
	}
	parser->at++;
	return good;
}

/* A backslash at the end of a line takes the white space behind it away, new lines included. */
static gboolean skip_line_ending(VarveTomlParser *parser)
{
	const char *at = parser->at + 1;

	while (*at == ' ' || *at == '\t')
		at++;
	if (*at != '\n' && !(*at == '\r' && at[1] == '\n'))
		return FALSE;
	while (*at == ' ' || *at == '\t' || *at == '\n' || (*at == '\r' && at[1] == '\n'))
		at++;
	parser->at = at;
	return TRUE;
}

/* """…""" and '''…'''; up to two quotes may stand right before the closing three. */
static gboolean scan_multiline_string(VarveTomlParser *parser, const char **ret_text,
				      gsize *ret_size)
{
	const char *start = parser->at, *run;
	char quote = *start;
	gboolean good = TRUE;

	parser->scratch_size = 0;
	parser->at += 3;
	if (*parser->at == '\n')
		parser->at++;
	else if (parser->at[0] == '\r' && parser->at[1] == '\n')
		parser->at += 2;
	run = parser->at;
	for (;;) {
		const char *at = parser->at;
		guint quotes = 0;

		while (quotes < 5 && at[quotes] == quote)
			quotes++;
		if (quotes >= 3) {
			scratch_add(parser, run, (gsize)(at + quotes - 3 - run));
			parser->at = at + quotes;
			break;
		}
		if (quotes > 0) {
			parser->at += quotes;
		} else if (*at == '\\' && quote == '"') {
			scratch_add(parser, run, (gsize)(at - run));
			if (!skip_line_ending(parser))
				good &= scan_escape(parser);
			run = parser->at;
		} else if (at == parser->end) {
			return varve_toml_problem(parser, start, start + 3,
						  "this string is never closed with %.3s", start);
		} else if (*at == '\n' || (*at == '\r' && at[1] == '\n') || !is_control(*at)) {
			parser->at++;
		} else {
			good = bad_control(parser);
			parser->at++;
		}
	}
	*ret_size = parser->scratch_size;
	*ret_text = varve_toml_copy(parser->toml, parser->scratch_size ? parser->scratch : "",
				    *ret_size);
	return good;
}

gboolean varve_toml_scan_string(VarveTomlParser *parser, gboolean may_be_multiline,
				const char **ret_text, gsize *ret_size)
{
	const char *at = parser->at;

	if (at[1] != at[0] || at[2] != at[0])
		return scan_line_string(parser, ret_text, ret_size);
	if (!may_be_multiline) {
		parser->at += 3;
		return varve_toml_problem(parser, at, at + 3,
					  "a key cannot be a multi-line string");
	}
	return scan_multiline_string(parser, ret_text, ret_size);
}

/* Numbers: from the token that the caller has cut out */

typedef struct {
	const char *start, *end;
} Token;

static gboolean token_problem(VarveTomlParser *parser, Token token, const char *message)
{
	return varve_toml_problem(parser, token.start, token.end, "%.*s %s",
				  (int)MIN(token.end - token.start, 40), token.start, message);
}

static gboolean scan_prefixed_integer(VarveTomlParser *parser, Token token, int base,
				      VarveTomlValue *value)
{
	const char *at = token.start + 2;
	guint64 number = 0;
	gboolean digit_before = FALSE;

	for (; at < token.end; at++) {
		int digit = g_ascii_xdigit_value(*at);

		if (*at == '_' && digit_before) {
			digit_before = FALSE;
			continue;
		}
		if (digit < 0 || digit >= base)
			return token_problem(parser, token, "is not a number");
		if (__builtin_mul_overflow(number, (guint64)base, &number) ||
		    __builtin_add_overflow(number, (guint64)digit, &number) || number > G_MAXINT64)
			return token_problem(parser, token, "does not fit in 64 bits");
		digit_before = TRUE;
	}
	if (!digit_before)
		return token_problem(parser, token, "is not a number");
	value->type = VARVE_TOML_INTEGER;
	value->integer = (gint64)number;
	return TRUE;
}

/* Skips `digit (_? digit)*`. Returns: NULL where there is none. */
static const char *skip_digits(const char *at, const char *end)
{
	if (at == end || !g_ascii_isdigit(*at))
		return NULL;
	for (at++; at < end; at++) {
		if (g_ascii_isdigit(*at))
			continue;
		if (*at != '_' || at + 1 == end || !g_ascii_isdigit(at[1]))
			break;
	}
	return at;
}

static gboolean scan_decimal_integer(VarveTomlParser *parser, Token token, VarveTomlValue *value)
{
	gboolean negative = *token.start == '-';
	gint64 number = 0;

	for (const char *at = token.start; at < token.end; at++) {
		int digit = *at - '0';

		if (!g_ascii_isdigit(*at))
			continue;
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, negative ? -digit : digit, &number))
			return token_problem(parser, token, "does not fit in 64 bits");
	}
	value->type = VARVE_TOML_INTEGER;
	value->integer = number;
	return TRUE;
}

static gboolean scan_float(VarveTomlParser *parser, Token token, VarveTomlValue *value)
{
	parser->scratch_size = 0;
	for (const char *at = token.start; at < token.end; at++) {
		if (*at != '_')
			scratch_add(parser, at, 1);
	}
	scratch_add(parser, "", 1);
	value->type = VARVE_TOML_FLOAT;
	value->real = g_ascii_strtod(parser->scratch, NULL);
	return TRUE;
}

static gboolean scan_number(VarveTomlParser *parser, Token token, VarveTomlValue *value)
{
	const char *at = token.start, *whole;
	gboolean is_float = FALSE;

	if (at[0] == '0' && token.end - at > 1) {
		if (at[1] == 'x')
			return scan_prefixed_integer(parser, token, 16, value);
		if (at[1] == 'o')
			return scan_prefixed_integer(parser, token, 8, value);
		if (at[1] == 'b')
			return scan_prefixed_integer(parser, token, 2, value);
	}
	if (*at == '+' || *at == '-')
		at++;
	whole = at;
	at = skip_digits(at, token.end);
	if (!at)
		return token_problem(parser, token, "is not a number");
	if (*whole == '0' && at - whole > 1)
		return token_problem(parser, token, "must not start with a zero; octal is 0o…");
	if (at < token.end && *at == '.') {
		is_float = TRUE;
		at = skip_digits(at + 1, token.end);
	}
	if (at && at < token.end && (*at == 'e' || *at == 'E')) {
		is_float = TRUE;
		at++;
		if (at < token.end && (*at == '+' || *at == '-'))
			at++;
		at = skip_digits(at, token.end);
	}
	if (!at || at != token.end)
		return token_problem(parser, token, "is not a number");
	if (is_float)
		return scan_float(parser, token, value);
	return scan_decimal_integer(parser, token, value);
}

/* Dates and times, RFC 3339 */

static gboolean take_digits(const char **at, guint n, guint *ret)
{
	guint number = 0;

	for (guint i = 0; i < n; i++) {
		if (!g_ascii_isdigit((*at)[i]))
			return FALSE;
		number = number * 10 + (guint)((*at)[i] - '0');
	}
	*at += n;
	*ret = number;
	return TRUE;
}

static gboolean take(const char **at, char c)
{
	if (**at != c)
		return FALSE;
	(*at)++;
	return TRUE;
}

static gboolean scan_date(const char **at, VarveTomlDatetime *when)
{
	static const guint8 days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	guint year, month, day;
	gboolean leap;

	if (!take_digits(at, 4, &year) || !take(at, '-') || !take_digits(at, 2, &month) ||
	    !take(at, '-') || !take_digits(at, 2, &day))
		return FALSE;
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (month < 1 || month > 12 || day < 1 || day > days[month - 1] ||
	    (month == 2 && day == 29 && !leap))
		return FALSE;
	when->year = (guint16)year;
	when->month = (guint8)month;
	when->day = (guint8)day;
	return TRUE;
}

static gboolean scan_time(const char **at, VarveTomlDatetime *when)
{
	guint hour, minute, second, nanosecond = 0, scale = 100000000;

	if (!take_digits(at, 2, &hour) || !take(at, ':') || !take_digits(at, 2, &minute) ||
	    !take(at, ':') || !take_digits(at, 2, &second))
		return FALSE;
	/* RFC 3339 has leap seconds. */
	if (hour > 23 || minute > 59 || second > 60)
		return FALSE;
	if (take(at, '.')) {
		if (!g_ascii_isdigit(**at))
			return FALSE;
		for (; g_ascii_isdigit(**at); (*at)++, scale /= 10)
			nanosecond += (guint)(**at - '0') * scale;
	}
	when->hour = (guint8)hour;
	when->minute = (guint8)minute;
	when->second = (guint8)second;
	when->nanosecond = nanosecond;
	return TRUE;
}

static gboolean scan_offset(const char **at, VarveTomlDatetime *when)
{
	gboolean west = **at == '-';
	guint hours, minutes;

	if (**at == 'Z' || **at == 'z') {
		(*at)++;
		return TRUE;
	}
	(*at)++;
	if (!take_digits(at, 2, &hours) || !take(at, ':') || !take_digits(at, 2, &minutes) ||
	    hours > 23 || minutes > 59)
		return FALSE;
	when->offset = (gint16)(hours * 60 + minutes);
	if (west)
		when->offset = (gint16)-when->offset;
	return TRUE;
}

static gboolean is_token(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '+' || c == '-' || c == '.' || c == ':';
}

/* The token that starts at the parser's place; a date followed by a blank and a time is one. */
static Token cut_token(VarveTomlParser *parser, gboolean is_date)
{
	Token token = { parser->at, parser->at };

	while (is_token(*token.end))
		token.end++;
	if (is_date && token.end - token.start == 10 && *token.end == ' ' &&
	    g_ascii_isdigit(token.end[1])) {
		token.end++;
		while (is_token(*token.end))
			token.end++;
	}
	return token;
}

static gboolean scan_datetime(VarveTomlParser *parser, Token token, gboolean is_date,
			      VarveTomlValue *value)
{
	VarveTomlDatetime when = { 0 };
	const char *at = token.start;
	VarveTomlType type = VARVE_TOML_LOCAL_TIME;
	gboolean good = TRUE, has_time = !is_date;

	if (is_date) {
		good = scan_date(&at, &when);
		type = VARVE_TOML_LOCAL_DATE;
		if (good && (*at == 'T' || *at == 't' || (*at == ' ' && at < token.end))) {
			at++;
			has_time = TRUE;
			type = VARVE_TOML_LOCAL_DATETIME;
		}
	}
	if (good && has_time)
		good = scan_time(&at, &when);
	if (good && type == VARVE_TOML_LOCAL_DATETIME && at < token.end) {
		good = strchr("Zz+-", *at) && scan_offset(&at, &when);
		type = VARVE_TOML_OFFSET_DATETIME;
	}
	if (!good || at != token.end)
		return token_problem(parser, token,
				     is_date ? "is not a date (and time) that exists"
					     : "is not a time of day");
	value->type = type;
	value->datetime = when;
	return TRUE;
}

static gboolean token_is(Token token, const char *word)
{
	gsize size = (gsize)(token.end - token.start);

	return strlen(word) == size && memcmp(token.start, word, size) == 0;
}

static gboolean scan_word(VarveTomlParser *parser, Token token, VarveTomlValue *value)
{
	const char *bare = token.start + (*token.start == '+' || *token.start == '-');
	double sign = *token.start == '-' ? -1.0 : 1.0;
	Token rest = { bare, token.end };

	if (token_is(token, "true") || token_is(token, "false")) {
		value->type = VARVE_TOML_BOOLEAN;
		value->boolean = *token.start == 't';
		return TRUE;
	}
	value->type = VARVE_TOML_FLOAT;
	if (token_is(rest, "inf")) {
		value->real = copysign(INFINITY, sign);
		return TRUE;
	}
	if (token_is(rest, "nan")) {
		value->real = copysign(NAN, sign);
		return TRUE;
	}
	return token_problem(parser, token, "is not a value; a string needs quotes");
}

gboolean varve_toml_scan_scalar(VarveTomlParser *parser, VarveTomlValue **ret)
{
	const char *at = parser->at;
	gboolean is_date, is_time, good;
	VarveTomlValue *value;
	Token token;

	if (*at == '"' || *at == '\'') {
		value = varve_toml_new_value(parser, VARVE_TOML_STRING, at);
		good = varve_toml_scan_string(parser, TRUE, &value->string.text,
					      &value->string.size);
		value->span.end = (guint32)(parser->at - parser->toml->text);
		*ret = value;
		return good;
	}
	is_date = g_ascii_isdigit(at[0]) && g_ascii_isdigit(at[1]) && g_ascii_isdigit(at[2]) &&
		  g_ascii_isdigit(at[3]) && at[4] == '-';
	is_time = g_ascii_isdigit(at[0]) && g_ascii_isdigit(at[1]) && at[2] == ':';
	token = cut_token(parser, is_date);
	value = varve_toml_new_value(parser, VARVE_TOML_INTEGER, at);
	value->span.end = (guint32)(token.end - parser->toml->text);
	if (is_date || is_time)
		good = scan_datetime(parser, token, is_date, value);
	else if (g_ascii_isdigit(*at) || ((*at == '+' || *at == '-') && g_ascii_isdigit(at[1])))
		good = scan_number(parser, token, value);
	else
		good = scan_word(parser, token, value);
	parser->at = token.end;
	*ret = value;
	return good;
}
