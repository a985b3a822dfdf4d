/* The reader: lines, keys, headers, arrays and inline tables into a document. It records every
 * problem it finds and goes on behind it. */
#include "toml/document.h"

#include <string.h>

#define SCALAR_SIZE ((gsize)16)
G_STATIC_ASSERT(sizeof(((VarveTomlValue *)0)->string) <= SCALAR_SIZE);
G_STATIC_ASSERT(sizeof(((VarveTomlValue *)0)->datetime) <= SCALAR_SIZE);
G_STATIC_ASSERT(sizeof(((VarveTomlValue *)0)->array) <= SCALAR_SIZE);

static guint32 offset_of(const VarveTomlParser *parser, const char *at)
{
	return (guint32)(at - parser->toml->text);
}

gboolean varve_toml_problem(VarveTomlParser *parser, const char *start, const char *end,
			    const char *format, ...)
{
	VarveTomlProblem *problem;
	va_list args;

	if (parser->stopped)
		return FALSE;
	problem = g_new0(VarveTomlProblem, 1);
	problem->section = parser->section;
	problem->span.start = offset_of(parser, start);
	problem->span.end = offset_of(parser, MIN(end, parser->end));
	va_start(args, format);
	problem->message = g_strdup_vprintf(format, args);
	va_end(args);
	g_ptr_array_add(parser->problems, problem);
	if (parser->problems->len >= VARVE_TOML_MAX_PROBLEMS)
		parser->stopped = TRUE;
	return FALSE;
}

/* Returns: (caller frees) what stands at @at, for "expected …, found …". */
static char *describe(const VarveTomlParser *parser, const char *at)
{
	const char *end = at + 1;

	if (at == parser->end)
		return g_strdup("the end of the file");
	if (*at == '\n' || (*at == '\r' && at[1] == '\n'))
		return g_strdup("the end of the line");
	if ((guint8)*at < 0x20 || *at == 0x7f)
		return g_strdup_printf("the control character U+%04X", (guint)(guint8)*at);
	while (((guint8)*end & 0xc0) == 0x80)
		end++;
	return g_strdup_printf("'%.*s'", (int)(end - at), at);
}

static gboolean expected(VarveTomlParser *parser, const char *what)
{
	g_autofree char *found = describe(parser, parser->at);

	return varve_toml_problem(parser, parser->at, parser->at + 1, "expected %s, found %s", what,
				  found);
}

VarveTomlValue *varve_toml_new_value(VarveTomlParser *parser, VarveTomlType type, const char *start)
{
	/* Most values are scalars: they get no room for what only tables have. */
	gsize size = type == VARVE_TOML_TABLE ? sizeof(VarveTomlValue)
					      : offsetof(VarveTomlValue, string) + SCALAR_SIZE;
	VarveTomlValue *value = varve_toml_alloc(parser->toml, size);

	memset(value, 0, size);
	value->type = type;
	value->span.start = offset_of(parser, start);
	value->span.end = value->span.start;
	if (type == VARVE_TOML_TABLE)
		value->table.seed = parser->toml->seed;
	return value;
}

/* White space, comments, ends of lines */

static void skip_blank(VarveTomlParser *parser)
{
	while (*parser->at == ' ' || *parser->at == '\t')
		parser->at++;
}

static gboolean take_newline(VarveTomlParser *parser)
{
	if (*parser->at == '\n') {
		parser->at++;
		return TRUE;
	}
	if (parser->at[0] == '\r' && parser->at[1] == '\n') {
		parser->at += 2;
		return TRUE;
	}
	return FALSE;
}

/* The parser stands on '#' or elsewhere; ends before the end of the line. */
static gboolean skip_comment(VarveTomlParser *parser)
{
	if (*parser->at != '#')
		return TRUE;
	for (parser->at++;; parser->at++) {
		guint8 c = (guint8)*parser->at;

		if (c >= 0x20 && c != 0x7f)
			continue;
		if (c == '\n' || (c == '\r' && parser->at[1] == '\n') || parser->at == parser->end)
			return TRUE;
		if (c == '\t')
			continue;
		return varve_toml_problem(
			parser, parser->at, parser->at + 1,
			"the control character U+%04X is not allowed in a comment", (guint)c);
	}
}

static gboolean end_line(VarveTomlParser *parser, const char *behind)
{
	g_autofree char *what = NULL;

	skip_blank(parser);
	if (!skip_comment(parser))
		return FALSE;
	if (parser->at == parser->end || take_newline(parser))
		return TRUE;
	what = g_strdup_printf("the end of the line behind the %s", behind);
	return expected(parser, what);
}

/* Within arrays: anything but values. */
static gboolean skip_space(VarveTomlParser *parser)
{
	do {
		skip_blank(parser);
		if (!skip_comment(parser))
			return FALSE;
	} while (take_newline(parser));
	return TRUE;
}

/* Keys */

typedef struct {
	const char *text;
	gsize size;
	gboolean owned; /* already in the document's memory */
	const char *start, *end;
} Key;

static gboolean is_bare(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '-';
}

static gboolean scan_key(VarveTomlParser *parser, Key *key)
{
	const char *start = parser->at;

	*key = (Key){ .text = start, .start = start };
	if (*start == '"' || *start == '\'') {
		if (!varve_toml_scan_string(parser, FALSE, &key->text, &key->size))
			return FALSE;
		key->owned = TRUE;
	} else {
		while (is_bare(*parser->at))
			parser->at++;
		key->size = (gsize)(parser->at - start);
		if (key->size == 0)
			return expected(parser, "a key (letters, digits, '-' and '_', or quoted)");
	}
	key->end = parser->at;
	return TRUE;
}

/* Behind a key: a dot and a further part? */
static gboolean take_dot(VarveTomlParser *parser)
{
	skip_blank(parser);
	if (*parser->at != '.')
		return FALSE;
	parser->at++;
	skip_blank(parser);
	return TRUE;
}

static VarveTomlEntry *find(const VarveTomlParser *parser, const VarveTomlValue *table,
			    const Key *key, guint32 *ret_hash)
{
	*ret_hash = varve_toml_hash(parser->toml, key->text, key->size);
	return varve_toml_find(table, key->text, key->size, *ret_hash);
}

static void insert(VarveTomlParser *parser, VarveTomlValue *table, const Key *key, guint32 hash,
		   VarveTomlValue *value)
{
	VarveTomlEntry entry = {
		.key = key->owned ? key->text : varve_toml_copy(parser->toml, key->text, key->size),
		.key_size = (guint32)key->size,
		.hash = hash,
		.key_span = { offset_of(parser, key->start), offset_of(parser, key->end) },
		.value = value,
	};

	varve_toml_insert(parser->toml, table, &entry);
}

static VarveTomlValue *insert_container(VarveTomlParser *parser, VarveTomlValue *table,
					const Key *key, guint32 hash, VarveTomlType type,
					VarveTomlMade made)
{
	VarveTomlValue *value = varve_toml_new_value(parser, type, key->start);

	value->made = made;
	value->span.end = offset_of(parser, key->end);
	insert(parser, table, key, hash, value);
	return value;
}

static gboolean too_deep(VarveTomlParser *parser, const char *at)
{
	return varve_toml_problem(parser, at, at + 1,
				  "tables and arrays are nested more than %d deep",
				  VARVE_TOML_MAX_DEPTH);
}

static gboolean already(VarveTomlParser *parser, const Key *key, const VarveTomlEntry *first,
			const char *what)
{
	guint line, column;

	varve_toml_locate(parser->toml, first->key_span.start, &line, &column);
	return varve_toml_problem(parser, key->start, key->end, "'%.*s' %s on line %u",
				  (int)MIN(key->size, 100u), key->text, what, line);
}

/* Values */

static gboolean parse_value(VarveTomlParser *parser, guint depth, VarveTomlValue **ret);

/* Descends from @table into @key, a part of a dotted key that is not its last. */
static VarveTomlValue *enter_dotted(VarveTomlParser *parser, VarveTomlValue *table, const Key *key)
{
	guint32 hash;
	VarveTomlEntry *entry = find(parser, table, key, &hash);

	if (!entry)
		return insert_container(parser, table, key, hash, VARVE_TOML_TABLE,
					VARVE_TOML_DOTTED);
	if (entry->value->type != VARVE_TOML_TABLE) {
		already(parser, key, entry, "is not a table: it was set");
		return NULL;
	}
	if (entry->value->made == VARVE_TOML_IMPLIED)
		entry->value->made = VARVE_TOML_DOTTED;
	if (entry->value->made != VARVE_TOML_DOTTED) {
		already(parser, key, entry, "cannot be added to here: it was completed");
		return NULL;
	}
	return entry->value;
}

/* key = value */
static gboolean parse_pair(VarveTomlParser *parser, VarveTomlValue *table, guint depth)
{
	VarveTomlEntry *entry;
	VarveTomlValue *value;
	guint32 hash;
	Key key;

	for (;;) {
		if (!scan_key(parser, &key))
			return FALSE;
		if (!take_dot(parser))
			break;
		if (++depth > VARVE_TOML_MAX_DEPTH)
			return too_deep(parser, key.start);
		table = enter_dotted(parser, table, &key);
		if (!table)
			return FALSE;
	}
	if (*parser->at != '=')
		return expected(parser, "'=' behind the key");
	parser->at++;
	skip_blank(parser);
	if (!parse_value(parser, depth + 1, &value))
		return FALSE;
	entry = find(parser, table, &key, &hash);
	if (entry) {
		/* The line is good otherwise: nothing to recover from. */
		already(parser, &key, entry, "was already set");
		return TRUE;
	}
	insert(parser, table, &key, hash, value);
	return TRUE;
}

static gboolean parse_array(VarveTomlParser *parser, guint depth, VarveTomlValue **ret)
{
	const char *start = parser->at++;
	VarveTomlValue *array = varve_toml_new_value(parser, VARVE_TOML_ARRAY, start);

	for (;;) {
		VarveTomlValue *item;

		if (!skip_space(parser))
			return FALSE;
		if (*parser->at == ']')
			break;
		if (parser->at == parser->end)
			return varve_toml_problem(parser, start, start + 1,
						  "this array is never closed");
		if (!parse_value(parser, depth + 1, &item))
			return FALSE;
		varve_toml_append(parser->toml, array, item);
		if (!skip_space(parser))
			return FALSE;
		if (*parser->at == ']')
			break;
		if (parser->at == parser->end)
			continue;
		if (*parser->at != ',')
			return expected(parser, "',' or ']' in the array");
		parser->at++;
	}
	parser->at++;
	array->span.end = offset_of(parser, parser->at);
	*ret = array;
	return TRUE;
}

static gboolean parse_inline_table(VarveTomlParser *parser, guint depth, VarveTomlValue **ret)
{
	const char *start = parser->at++;
	VarveTomlValue *table = varve_toml_new_value(parser, VARVE_TOML_TABLE, start);

	skip_blank(parser);
	if (*parser->at != '}') {
		for (;;) {
			if (!parse_pair(parser, table, depth))
				return FALSE;
			skip_blank(parser);
			if (*parser->at == '}')
				break;
			if (*parser->at != ',')
				return expected(parser, "',' or '}' in the inline table (it must "
							"stand on one line)");
			parser->at++;
			skip_blank(parser);
			if (*parser->at == '}')
				return varve_toml_problem(parser, parser->at - 1, parser->at,
							  "an inline table must not end with a "
							  "comma");
		}
	}
	parser->at++;
	table->span.end = offset_of(parser, parser->at);
	*ret = table;
	return TRUE;
}

static gboolean parse_value(VarveTomlParser *parser, guint depth, VarveTomlValue **ret)
{
	const char *at = parser->at;

	switch (*at) {
	case '[':
		if (depth > VARVE_TOML_MAX_DEPTH)
			return too_deep(parser, at);
		return parse_array(parser, depth, ret);
	case '{':
		if (depth > VARVE_TOML_MAX_DEPTH)
			return too_deep(parser, at);
		return parse_inline_table(parser, depth, ret);
	case '"':
	case '\'':
	case '+':
	case '-':
		return varve_toml_scan_scalar(parser, ret);
	default:
		if (g_ascii_isalnum(*at) || *at == '_')
			return varve_toml_scan_scalar(parser, ret);
		return expected(parser, "a value");
	}
}

/* Headers */

/* Descends from @table into @key, a part of a header that is not its last. */
static VarveTomlValue *enter_header(VarveTomlParser *parser, VarveTomlValue *table, const Key *key,
				    guint *depth)
{
	guint32 hash;
	VarveTomlEntry *entry = find(parser, table, key, &hash);
	VarveTomlValue *value;

	++*depth;
	if (!entry)
		return insert_container(parser, table, key, hash, VARVE_TOML_TABLE,
					VARVE_TOML_IMPLIED);
	value = entry->value;
	if (value->type == VARVE_TOML_TABLE && value->made != VARVE_TOML_INLINE)
		return value;
	if (value->type == VARVE_TOML_ARRAY && value->made == VARVE_TOML_HEADER) {
		++*depth;
		return value->array.items[value->array.n - 1];
	}
	already(parser, key, entry,
		value->type == VARVE_TOML_TABLE ? "cannot be added to: it was completed"
						: "is not a table: it was set");
	return NULL;
}

static VarveTomlValue *define_table(VarveTomlParser *parser, VarveTomlValue *parent, const Key *key)
{
	guint32 hash;
	VarveTomlEntry *entry = find(parser, parent, key, &hash);

	if (!entry)
		return insert_container(parser, parent, key, hash, VARVE_TOML_TABLE,
					VARVE_TOML_HEADER);
	if (entry->value->type == VARVE_TOML_TABLE && entry->value->made == VARVE_TOML_IMPLIED) {
		entry->value->made = VARVE_TOML_HEADER;
		entry->value->span.start = offset_of(parser, key->start);
		entry->value->span.end = offset_of(parser, key->end);
		entry->key_span = entry->value->span;
		return entry->value;
	}
	already(parser, key, entry, "was already defined");
	return NULL;
}

static VarveTomlValue *append_table(VarveTomlParser *parser, VarveTomlValue *parent, const Key *key)
{
	guint32 hash;
	VarveTomlEntry *entry = find(parser, parent, key, &hash);
	VarveTomlValue *array, *table;

	if (!entry) {
		array = insert_container(parser, parent, key, hash, VARVE_TOML_ARRAY,
					 VARVE_TOML_HEADER);
	} else if (entry->value->type == VARVE_TOML_ARRAY &&
		   entry->value->made == VARVE_TOML_HEADER) {
		array = entry->value;
	} else {
		already(parser, key, entry, "is not an array of [[tables]]: it was defined");
		return NULL;
	}
	table = varve_toml_new_value(parser, VARVE_TOML_TABLE, key->start);
	table->made = VARVE_TOML_HEADER;
	table->span.end = offset_of(parser, key->end);
	varve_toml_append(parser->toml, array, table);
	return table;
}

/* [a.b] or [[a.b]]; *ret is set even on failure: what follows then goes nowhere. */
static gboolean parse_header(VarveTomlParser *parser, VarveTomlValue **ret, guint *ret_depth)
{
	VarveTomlValue *table = parser->toml->root;
	gboolean is_array = parser->at[1] == '[';
	guint depth = 0;
	Key key;

	*ret = varve_toml_new_value(parser, VARVE_TOML_TABLE, parser->at);
	*ret_depth = 0;
	parser->at += is_array ? 2 : 1;
	skip_blank(parser);
	for (;;) {
		if (!scan_key(parser, &key))
			return FALSE;
		if (!take_dot(parser))
			break;
		table = enter_header(parser, table, &key, &depth);
		if (!table)
			return FALSE;
		if (depth > VARVE_TOML_MAX_DEPTH)
			return too_deep(parser, key.start);
	}
	depth += is_array ? 2 : 1;
	if (depth > VARVE_TOML_MAX_DEPTH)
		return too_deep(parser, key.start);
	if (*parser->at != ']')
		return expected(parser, is_array ? "']]' behind the key" : "']' behind the key");
	parser->at++;
	if (is_array && *parser->at++ != ']') {
		parser->at--;
		return expected(parser, "a second ']' behind the key");
	}
	table = is_array ? append_table(parser, table, &key) : define_table(parser, table, &key);
	if (table) {
		*ret = table;
		*ret_depth = depth;
	}
	return end_line(parser, "header");
}

/* The document */

/* Does a line that starts here look like a key or a header, not like the inside of a value? */
static gboolean looks_like_start(const char *at)
{
	gboolean header;

	while (*at == ' ' || *at == '\t')
		at++;
	header = *at == '[';
	while (*at == '[')
		at++;
	if (!is_bare(*at) && *at != '"' && *at != '\'')
		return FALSE;
	while (is_bare(*at) || *at == '"' || *at == '\'' || *at == '.' || *at == ' ' || *at == '\t')
		at++;
	if (header)
		return *at == ']' || *at == '\n' || *at == '\r';
	return *at == '=';
}

static void recover(VarveTomlParser *parser, gboolean header)
{
	if (parser->problems->len > 0) {
		VarveTomlProblem *problem = parser->problems->pdata[parser->problems->len - 1];

		problem->lost_key = !header;
		problem->lost_table = header;
	}
	do {
		const char *newline = memchr(parser->at, '\n', (gsize)(parser->end - parser->at));

		parser->at = newline ? newline + 1 : parser->end;
	} while (parser->at < parser->end && !looks_like_start(parser->at));
}

static void parse_lines(VarveTomlParser *parser)
{
	VarveTomlValue *table = parser->toml->root;
	guint depth = 0;

	while (parser->at < parser->end && !parser->stopped) {
		gboolean good, header;

		skip_blank(parser);
		if (parser->at == parser->end)
			break;
		if (take_newline(parser))
			continue;
		header = *parser->at == '[';
		if (*parser->at == '#')
			good = end_line(parser, "comment");
		else if (header)
			good = parse_header(parser, &table, &depth);
		else
			good = parse_pair(parser, table, depth) && end_line(parser, "value");
		parser->section = table->span.start;
		if (!good)
			recover(parser, header);
	}
}

const char *varve_toml_utf8_end(const char *text, const char *end)
{
	const char *at = text;

	while (at < end) {
		guint64 word;

		if (end - at >= 8) {
			memcpy(&word, at, 8);
			if (!(word & 0x8080808080808080ull)) {
				at += 8;
				continue;
			}
		}
		if (!((guint8)*at & 0x80)) {
			at++;
			continue;
		}
		/* g_utf8_get_char_validated() checks length, overlong forms, surrogates, range. */
		if (g_utf8_get_char_validated(at, end - at) >= (gunichar)-2)
			return at;
		at = g_utf8_next_char(at);
	}
	return end;
}

static void parse_document(VarveTomlParser *parser)
{
	VarveToml *toml = parser->toml;
	const char *bad;

	if (toml->size >= 3 && memcmp(toml->text, "\xef\xbb\xbf", 3) == 0)
		toml->begin = 3;
	parser->at = toml->text + toml->begin;
	bad = varve_toml_utf8_end(parser->at, parser->end);
	if (bad < parser->end) {
		varve_toml_problem(parser, bad, bad + 1,
				   "the byte 0x%02x is not UTF-8; save the file as UTF-8",
				   (guint)(guint8)*bad);
		recover(parser, TRUE);
		return;
	}
	parse_lines(parser);
}

VarveToml *varve_toml_parse_tolerant(const char *name, const char *text, gsize size,
				     GPtrArray *problems)
{
	VarveToml *toml = g_new0(VarveToml, 1);
	VarveTomlParser parser = { .toml = toml };
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	gboolean too_big = size > VARVE_TOML_MAX_SIZE;

	toml->name = g_strdup(name);
	toml->seed = g_random_int();
	toml->size = too_big ? 0 : size;
	toml->text = g_malloc(toml->size + 1);
	if (toml->size)
		memcpy(toml->text, text, toml->size);
	toml->text[toml->size] = '\0';
	varve_toml_index_lines(toml);
	parser.end = toml->text + toml->size;
	parser.problems = found;
	toml->root = varve_toml_new_value(&parser, VARVE_TOML_TABLE, toml->text);
	toml->root->made = VARVE_TOML_HEADER;
	if (too_big)
		varve_toml_problem(&parser, toml->text, toml->text,
				   "the file has %" G_GSIZE_FORMAT
				   " bytes; at most %" G_GSIZE_FORMAT " are read",
				   size, VARVE_TOML_MAX_SIZE);
	else
		parse_document(&parser);
	g_free(parser.scratch);
	for (guint i = 0; i < found->len; i++)
		g_ptr_array_add(problems, found->pdata[i]);
	return toml;
}

VarveToml *varve_toml_parse(const char *name, const char *text, gsize size, GError **error)
{
	g_autoptr(GPtrArray) problems =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_toml_problem_free);
	g_autoptr(VarveToml) toml = varve_toml_parse_tolerant(name, text, size, problems);
	g_autoptr(GString) all = g_string_new(NULL);

	if (problems->len == 0)
		return g_steal_pointer(&toml);
	for (guint i = 0; i < problems->len; i++) {
		const VarveTomlProblem *problem = problems->pdata[i];
		g_autofree char *message =
			varve_toml_message(toml, problem->span, problem->message);

		g_string_append_printf(all, "%s%s", i ? "\n" : "", message);
	}
	varve_fail(error, VARVE_ERROR_DEFINITION, "%s", all->str);
	return NULL;
}
