/* Expressions of %if and %[ ] (rpm's manual, "Expression expansion"), after macro expansion. What
 * does not parse is unknown, never an error: the question is only which way a spec may go. */
#include "component/macros.h"

#include "format/version.h"

#include <string.h>

#define DEPTH_LIMIT 64

typedef struct {
	enum { VALUE_UNKNOWN, VALUE_NUMBER, VALUE_STRING, VALUE_VERSION } kind;
	gint64 number;
	char text[256];
} Value;

typedef struct {
	const char *at;
	guint depth;
	gboolean broken;
} Parser;

static Value parse_or(Parser *parser);

static Value number_value(gint64 number)
{
	return (Value){ .kind = VALUE_NUMBER, .number = number };
}

static gboolean take(Parser *parser, const char *token)
{
	while (g_ascii_isspace(*parser->at))
		parser->at++;
	if (!g_str_has_prefix(parser->at, token))
		return FALSE;
	parser->at += strlen(token);
	return TRUE;
}

static Value fail(Parser *parser)
{
	parser->broken = TRUE;
	return (Value){ .kind = VALUE_UNKNOWN };
}

static VarveTruth truth(const Value *value)
{
	if (value->kind == VALUE_UNKNOWN)
		return VARVE_TRUTH_UNKNOWN;
	if (value->kind == VALUE_NUMBER)
		return value->number ? VARVE_TRUTH_YES : VARVE_TRUTH_NO;
	return *value->text ? VARVE_TRUTH_YES : VARVE_TRUTH_NO;
}

static Value quoted(Parser *parser, int kind)
{
	const char *end = strchr(parser->at, '"');
	Value value = { .kind = kind };

	if (!end || (gsize)(end - parser->at) >= sizeof(value.text))
		return fail(parser);
	memcpy(value.text, parser->at, (gsize)(end - parser->at));
	parser->at = end + 1;
	return value;
}

static Value parse_primary(Parser *parser)
{
	Value value = { .kind = VALUE_STRING };
	gsize size = 0;
	char *end;

	if (parser->depth >= DEPTH_LIMIT)
		return fail(parser);
	if (take(parser, "(")) {
		parser->depth++;
		value = parse_or(parser);
		parser->depth--;
		return take(parser, ")") ? value : fail(parser);
	}
	if (take(parser, "v\""))
		return quoted(parser, VALUE_VERSION);
	if (take(parser, "\""))
		return quoted(parser, VALUE_STRING);
	if (g_ascii_isdigit(*parser->at)) {
		value = number_value(g_ascii_strtoll(parser->at, &end, 10));
		/* "0x" or "12rc": no number. */
		if (g_ascii_isalpha(*end) || *end == '.')
			return fail(parser);
		parser->at = end;
		return value;
	}
	/* A bare word, as specs of old have them: x86_64 == x86_64. */
	while (g_ascii_isalnum(parser->at[size]) || parser->at[size] == '_')
		size++;
	if (size == 0 || size >= sizeof(value.text))
		return fail(parser);
	memcpy(value.text, parser->at, size);
	parser->at += size;
	return value;
}

static Value parse_unary(Parser *parser)
{
	Value value;

	if (parser->depth >= DEPTH_LIMIT)
		return fail(parser);
	while (g_ascii_isspace(*parser->at))
		parser->at++;
	if (*parser->at == '!' && parser->at[1] != '=') {
		parser->at++;
		parser->depth++;
		value = parse_unary(parser);
		parser->depth--;
		if (truth(&value) == VARVE_TRUTH_UNKNOWN)
			return value;
		return number_value(truth(&value) == VARVE_TRUTH_NO);
	}
	if (take(parser, "-")) {
		value = parse_primary(parser);
		return value.kind == VALUE_NUMBER ? number_value(-value.number) : fail(parser);
	}
	return parse_primary(parser);
}

static Value compute(Parser *parser, const Value *left, char operation, const Value *right)
{
	gint64 result = 0;
	gboolean overflow = FALSE;

	if (left->kind == VALUE_STRING && right->kind == VALUE_STRING && operation == '+') {
		Value joined = { .kind = VALUE_STRING };

		g_strlcpy(joined.text, left->text, sizeof(joined.text));
		g_strlcat(joined.text, right->text, sizeof(joined.text));
		return joined;
	}
	if (left->kind != VALUE_NUMBER || right->kind != VALUE_NUMBER)
		return fail(parser);
	if (operation == '+')
		overflow = __builtin_add_overflow(left->number, right->number, &result);
	else if (operation == '-')
		overflow = __builtin_sub_overflow(left->number, right->number, &result);
	else if (operation == '*')
		overflow = __builtin_mul_overflow(left->number, right->number, &result);
	else if (right->number == 0 || (right->number == -1 && left->number == G_MININT64))
		overflow = TRUE;
	else
		result = left->number / right->number;
	return overflow ? fail(parser) : number_value(result);
}

static Value parse_product(Parser *parser)
{
	Value left = parse_unary(parser);

	for (;;) {
		char operation = take(parser, "*") ? '*' : take(parser, "/") ? '/' : '\0';
		Value right;

		if (!operation || parser->broken)
			return left;
		right = parse_unary(parser);
		left = compute(parser, &left, operation, &right);
	}
}

static Value parse_sum(Parser *parser)
{
	Value left = parse_product(parser);

	for (;;) {
		char operation = take(parser, "+") ? '+' : take(parser, "-") ? '-' : '\0';
		Value right;

		if (!operation || parser->broken)
			return left;
		right = parse_product(parser);
		left = compute(parser, &left, operation, &right);
	}
}

static Value compare(Parser *parser, const Value *left, const char *operation, const Value *right)
{
	int order;

	if (left->kind == VALUE_UNKNOWN || right->kind == VALUE_UNKNOWN)
		return (Value){ .kind = VALUE_UNKNOWN };
	if (left->kind != right->kind)
		return fail(parser);
	if (left->kind == VALUE_NUMBER)
		order = (left->number > right->number) - (left->number < right->number);
	else if (left->kind == VALUE_VERSION)
		order = varve_rpm_version_compare(left->text, right->text);
	else
		order = strcmp(left->text, right->text);
	if (strcmp(operation, "==") == 0)
		return number_value(order == 0);
	if (strcmp(operation, "!=") == 0)
		return number_value(order != 0);
	if (strcmp(operation, "<=") == 0)
		return number_value(order <= 0);
	if (strcmp(operation, ">=") == 0)
		return number_value(order >= 0);
	return number_value(*operation == '<' ? order < 0 : order > 0);
}

static Value parse_relation(Parser *parser)
{
	static const char *const operations[] = { "==", "!=", "<=", ">=", "<", ">" };
	Value left = parse_sum(parser);

	for (gsize i = 0; i < G_N_ELEMENTS(operations) && !parser->broken; i++) {
		Value right;

		if (!take(parser, operations[i]))
			continue;
		right = parse_sum(parser);
		return compare(parser, &left, operations[i], &right);
	}
	return left;
}

static Value join(const Value *left, gboolean is_and, const Value *right)
{
	VarveTruth a = truth(left), b = truth(right);
	VarveTruth decides = is_and ? VARVE_TRUTH_NO : VARVE_TRUTH_YES;

	if (a == decides || b == decides)
		return number_value(!is_and);
	if (a == VARVE_TRUTH_UNKNOWN || b == VARVE_TRUTH_UNKNOWN)
		return (Value){ .kind = VALUE_UNKNOWN };
	return number_value(is_and);
}

static Value parse_and(Parser *parser)
{
	Value left = parse_relation(parser);

	while (!parser->broken && take(parser, "&&")) {
		Value right = parse_relation(parser);

		left = join(&left, TRUE, &right);
	}
	return left;
}

static Value parse_or(Parser *parser)
{
	Value left = parse_and(parser);

	while (!parser->broken && take(parser, "||")) {
		Value right = parse_and(parser);

		left = join(&left, FALSE, &right);
	}
	return left;
}

static Value evaluate(const char *text)
{
	Parser parser = { .at = text };
	Value value, yes, no;

	if (strchr(text, VARVE_MACRO_UNKNOWN))
		return (Value){ .kind = VALUE_UNKNOWN };
	value = parse_or(&parser);
	if (!parser.broken && take(&parser, "?")) {
		yes = parse_or(&parser);
		if (!take(&parser, ":"))
			return (Value){ .kind = VALUE_UNKNOWN };
		no = parse_or(&parser);
		if (truth(&value) != VARVE_TRUTH_UNKNOWN)
			value = truth(&value) == VARVE_TRUTH_YES ? yes : no;
	}
	while (g_ascii_isspace(*parser.at))
		parser.at++;
	if (parser.broken || *parser.at)
		return (Value){ .kind = VALUE_UNKNOWN };
	return value;
}

VarveTruth varve_expression_truth(const char *text)
{
	Value value = evaluate(text);

	return truth(&value);
}

char *varve_expression_value(const char *text)
{
	Value value = evaluate(text);

	if (value.kind == VALUE_UNKNOWN)
		return NULL;
	if (value.kind == VALUE_NUMBER)
		return g_strdup_printf("%" G_GINT64_FORMAT, value.number);
	return g_strdup(value.text);
}
