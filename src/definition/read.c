/* From the merged tree to the model's structs, after the schema; what single fields must be is
 * checked here, on the way. */
#include "definition/tree.h"

#include "base/text.h"

#include <string.h>

static const char *const no_strings[] = { NULL };

static void *at(void *data, gsize offset)
{
	return (char *)data + offset;
}

static void put_pointer(void *data, gsize offset, const void *pointer)
{
	if (data && offset != VARVE_NOWHERE)
		memcpy(at(data, offset), &pointer, sizeof(pointer));
}

static void put_int(void *data, gsize offset, int number)
{
	if (data && offset != VARVE_NOWHERE)
		memcpy(at(data, offset), &number, sizeof(number));
}

static void put_integer(void *data, const VarveField *field, gint64 number)
{
	/* Little-endian or not: through a variable of the member's width. */
	guint32 narrow = (guint32)number;

	if (!data || field->offset == VARVE_NOWHERE)
		return;
	if (field->count == sizeof(narrow))
		memcpy(at(data, field->offset), &narrow, sizeof(narrow));
	else
		memcpy(at(data, field->offset), &number, sizeof(number));
}

static void put_count(void *data, gsize offset, gsize n)
{
	if (data && offset != VARVE_NOWHERE)
		memcpy(at(data, offset), &n, sizeof(n));
}

static gboolean check_text(VarveLoader *loader, const VarveItem *item, const VarveTomlValue *value)
{
	const VarveField *field = item->field;
	const char *text = value->string.text, *wrong = NULL;
	g_autofree char *judgement = NULL;

	if (*text == '\0' && field->flags & VARVE_FIELD_NOT_EMPTY)
		wrong = "must not be empty";
	else if (field->check)
		wrong = field->check(text);
	else if (field->judge)
		wrong = judgement = field->judge(text);
	if (!wrong)
		return TRUE;
	varve_loader_mistake(loader, item->source, value->span, "'%s': '%.80s' %s", item->key, text,
			     wrong);
	return FALSE;
}

static const char *resolve(VarveLoader *loader, const VarveItem *item, const char *path)
{
	return varve_loader_keep(loader, g_canonicalize_filename(path, item->source->directory));
}

static void check_distinct(VarveLoader *loader, const VarveItem *item)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint32 i = 0; i < item->value->array.n; i++) {
		const VarveTomlValue *element = item->value->array.items[i];

		if (!g_hash_table_add(seen, (gpointer)element->string.text))
			varve_loader_mistake(loader, item->source, element->span,
					     "'%s' is in '%s' twice", element->string.text,
					     item->key);
	}
}

/* Puts the elements of @item, after those of earlier files, to @strings (nullable), which has room.
 * Returns: their number. */
static guint32 put_strings(VarveLoader *loader, const VarveItem *item, const char **strings)
{
	guint32 n = item->earlier ? put_strings(loader, item->earlier, strings) : 0;

	for (guint32 i = 0; strings && i < item->value->array.n; i++) {
		const char *text = varve_item_string(item, i);

		strings[n + i] =
			item->field->kind == VARVE_FIELD_PATHS ? resolve(loader, item, text) : text;
	}
	return n + item->value->array.n;
}

static void check_strings(VarveLoader *loader, const VarveItem *item)
{
	guint flags = item->field->flags;
	guint32 n = item->value->array.n;

	if (item->earlier)
		check_strings(loader, item->earlier);
	if (n == 0 && flags & VARVE_FIELD_NOT_EMPTY && !(flags & VARVE_FIELD_OR_NONE))
		varve_item_mistake(loader, item, "'%s' must not be empty", item->key);
	for (guint32 i = 0; i < n; i++)
		check_text(loader, item, item->value->array.items[i]);
	if (flags & VARVE_FIELD_DISTINCT)
		check_distinct(loader, item);
}

static void read_strings(VarveLoader *loader, const VarveItem *item, void *data)
{
	const VarveField *field = item->field;
	const char **strings;

	check_strings(loader, item);
	if (!data || field->offset == VARVE_NOWHERE)
		return;
	strings = varve_loader_alloc(loader,
				     (put_strings(loader, item, NULL) + 1) * sizeof(*strings));
	put_strings(loader, item, strings);
	put_pointer(data, field->offset, strings);
}

static char *list_choices(const char *const *choices)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (gsize i = 0; choices[i]; i++) {
		if (i > 0)
			g_string_append(out, choices[i + 1] ? ", " : " or ");
		g_string_append_printf(out, "'%s'", choices[i]);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static void read_choice(VarveLoader *loader, const VarveItem *item, void *data)
{
	const char *const *choices = item->field->choices;
	const char *text = item->value->string.text, *nearest;
	g_autofree char *list = NULL;

	for (int i = 0; choices[i]; i++) {
		if (strcmp(choices[i], text) == 0) {
			put_int(data, item->field->offset, i);
			return;
		}
	}
	list = list_choices(choices);
	nearest = varve_nearest(text, choices);
	if (nearest && g_strv_length((GStrv)choices) > 3)
		varve_item_mistake(loader, item,
				   "'%s' is not a known '%s'; is '%s' meant? Known are %s", text,
				   item->key, nearest, list);
	else
		varve_item_mistake(loader, item, "'%s' must be %s, not '%s'", item->key, list,
				   text);
}

static void read_mode(VarveLoader *loader, const VarveItem *item, void *data)
{
	const char *text = item->value->string.text;
	gsize digits = strspn(text, "01234567");
	int mode = 0;

	if (digits < 3 || digits > 5 || text[digits] || (digits == 5 && text[0] != '0')) {
		varve_item_mistake(loader, item,
				   "'%s' must be three to five octal digits such as \"0644\", not "
				   "'%s'",
				   item->key, text);
		return;
	}
	for (; *text; text++)
		mode = mode * 8 + (*text - '0');
	put_int(data, item->field->offset, mode);
}

static void read_size(VarveLoader *loader, const VarveItem *item, void *data)
{
	static const char units[] = "KMGT";
	const char *text = item->value->string.text;
	char *end = NULL;
	guint64 number = g_ascii_isdigit(*text) ? g_ascii_strtoull(text, &end, 10) : 0;
	const char *unit = end && *end ? strchr(units, *end) : NULL;
	guint64 bytes = 0;

	if (!unit || end[1] || number == 0 ||
	    __builtin_mul_overflow(number, (guint64)1 << (10 * (unit - units + 1)), &bytes) ||
	    bytes > (guint64)1 << 50) {
		varve_item_mistake(
			loader, item,
			"'%s' must be a number and K, M, G or T, such as \"512M\", not '%s'",
			item->key, text);
		return;
	}
	if (data && item->field->offset != VARVE_NOWHERE)
		memcpy(at(data, item->field->offset), &bytes, sizeof(bytes));
}

static void read_integer(VarveLoader *loader, const VarveItem *item, void *data)
{
	gint64 number = item->value->integer;
	const VarveField *field = item->field;

	if (number < field->min || number > field->max) {
		varve_item_mistake(loader, item,
				   "'%s' must be between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
				   ", not %" G_GINT64_FORMAT,
				   item->key, field->min, field->max, number);
		return;
	}
	put_integer(data, field, number);
}

static void read_scalar(VarveLoader *loader, const VarveItem *item, void *data)
{
	const char *text = NULL;

	if (item->value->type == VARVE_TOML_STRING) {
		if (!check_text(loader, item, item->value))
			return;
		text = item->value->string.text;
	} else if (item->value->type == VARVE_TOML_BOOLEAN) {
		text = item->value->boolean ? "1" : "0";
	} else {
		text = varve_loader_keep(
			loader, g_strdup_printf("%" G_GINT64_FORMAT, item->value->integer));
	}
	put_pointer(data, item->field->offset, text);
}

static void read_date(VarveLoader *loader, const VarveItem *item, void *data)
{
	const VarveTomlDatetime *date = &item->value->datetime;

	if (date->year < 1970) {
		varve_item_mistake(loader, item, "'%s' must not be before 1970", item->key);
		return;
	}
	put_pointer(data, item->field->offset,
		    varve_loader_keep(loader, g_strdup_printf("%04u-%02u-%02u", date->year,
							      date->month, date->day)));
}

/* Structs */

/* @blank: what a struct has where a key is not there is in @data already. */
static void read_fields(VarveLoader *loader, const VarveSchema *schema, const VarveTable *table,
			void *data, gboolean blank);

static void set_origin(void *data, const VarveTable *table)
{
	VarveOrigin origin = varve_source_origin(table->source, table->span);

	memcpy(data, &origin, sizeof(origin));
}

static void read_struct(VarveLoader *loader, const VarveTable *table, void *data, gboolean blank)
{
	if (data && table->schema->size > 0)
		set_origin(data, table);
	read_fields(loader, table->schema, table, data, blank);
	if (table->schema->check)
		table->schema->check(loader, table, data);
}

void varve_table_read(VarveLoader *loader, const VarveTable *table, void *data)
{
	read_struct(loader, table, data, FALSE);
}

/* @n structs side by side, each as one without any key is. */
static void *new_structs(VarveLoader *loader, const VarveField *field, gsize n, void *data)
{
	gsize size = field->schema->size;
	void *structs = size > 0 ? varve_loader_alloc(loader, n * size) : NULL;

	put_pointer(data, field->offset, structs);
	put_count(data, field->count, n);
	if (structs && n > 0)
		read_fields(loader, field->schema, NULL, structs, FALSE);
	for (gsize i = 1; structs && i < n; i++)
		memcpy(at(structs, i * size), structs, size);
	return structs;
}

static void read_tables(VarveLoader *loader, const VarveItem *item, void *data)
{
	gsize size = item->field->schema->size;
	void *structs = new_structs(loader, item->field, item->tables->len, data);

	if (item->tables->len == 0 && item->field->flags & VARVE_FIELD_NOT_EMPTY)
		varve_item_mistake(loader, item, "'%s' must not be empty", item->key);
	for (guint i = 0; i < item->tables->len; i++)
		read_struct(loader, item->tables->pdata[i], structs ? at(structs, i * size) : NULL,
			    TRUE);
}

static void read_map(VarveLoader *loader, const VarveItem *item, void *data)
{
	gsize size = item->field->schema->size, n = item->table->items->len;
	void *structs = new_structs(loader, item->field, n, data);

	for (gsize i = 0; i < n; i++) {
		const VarveItem *entry = &g_array_index(item->table->items, VarveItem, i);
		void *one = structs ? at(structs, i * size) : NULL;

		put_pointer(one, sizeof(VarveOrigin), entry->key);
		read_struct(loader, entry->table, one, TRUE);
	}
}

static void read_table(VarveLoader *loader, const VarveItem *item, void *data, gboolean blank)
{
	void *inner = data;

	if (item->field->schema->size > 0 && data && item->field->offset != VARVE_NOWHERE) {
		inner = at(data, item->field->offset);
	} else if (item->field->schema->size > 0) {
		inner = varve_loader_alloc(loader, item->field->schema->size);
		blank = FALSE;
	}
	read_struct(loader, item->table, inner, blank);
}

static void read_item(VarveLoader *loader, const VarveItem *item, void *data, gboolean blank)
{
	const VarveField *field = item->field;

	switch (field->kind) {
	case VARVE_FIELD_STRING:
		if (check_text(loader, item, item->value))
			put_pointer(data, field->offset, item->value->string.text);
		break;
	case VARVE_FIELD_PATH:
		if (check_text(loader, item, item->value))
			put_pointer(data, field->offset,
				    resolve(loader, item, item->value->string.text));
		break;
	case VARVE_FIELD_STRINGS:
	case VARVE_FIELD_PATHS:
		read_strings(loader, item, data);
		break;
	case VARVE_FIELD_CHOICE:
		read_choice(loader, item, data);
		break;
	case VARVE_FIELD_MODE:
		read_mode(loader, item, data);
		break;
	case VARVE_FIELD_SIZE:
		read_size(loader, item, data);
		break;
	case VARVE_FIELD_DATE:
		read_date(loader, item, data);
		break;
	case VARVE_FIELD_INTEGER:
		read_integer(loader, item, data);
		break;
	case VARVE_FIELD_BOOLEAN:
		put_int(data, field->offset, item->value->boolean);
		break;
	case VARVE_FIELD_SCALAR:
		read_scalar(loader, item, data);
		break;
	case VARVE_FIELD_TABLE:
		read_table(loader, item, data, blank);
		break;
	case VARVE_FIELD_TABLES:
		read_tables(loader, item, data);
		break;
	case VARVE_FIELD_MAP:
		read_map(loader, item, data);
		break;
	case VARVE_FIELD_OPAQUE:
		break;
	}
}

/* What a struct has where the key is not there: arrays of strings are never NULL. */
static void read_absent(VarveLoader *loader, const VarveField *field, void *data)
{
	if (!data)
		return;
	if (field->kind == VARVE_FIELD_STRINGS || field->kind == VARVE_FIELD_PATHS)
		put_pointer(data, field->offset, no_strings);
	if (field->kind == VARVE_FIELD_TABLE && field->schema->size == 0)
		read_fields(loader, field->schema, NULL, data, FALSE);
	else if (field->kind == VARVE_FIELD_TABLE && field->offset != VARVE_NOWHERE)
		read_fields(loader, field->schema, NULL, at(data, field->offset), FALSE);
}

static void require(VarveLoader *loader, const VarveTable *table, const VarveField *field)
{
	g_autofree char *where = NULL;

	if (varve_table_mentions(table, field->key) || varve_table_partial(loader, table))
		return;
	where = varve_table_text(table);
	varve_table_mistake(loader, table, "%s has no '%s', which must be set", where, field->key);
}

static void read_fields(VarveLoader *loader, const VarveSchema *schema, const VarveTable *table,
			void *data, gboolean blank)
{
	gboolean empty = !table || table->items->len == 0;

	for (const VarveField *field = schema->fields; field && field->key; field++) {
		const VarveItem *item = empty ? NULL : varve_table_item(table, field->key);

		if (item && item->field) {
			read_item(loader, item, data, blank);
			continue;
		}
		if (!blank)
			read_absent(loader, field, data);
		if (table && !item && field->flags & VARVE_FIELD_REQUIRED)
			require(loader, table, field);
	}
	if (!table || !schema->any)
		return;
	for (guint i = 0; i < table->items->len; i++) {
		const VarveItem *item = &g_array_index(table->items, VarveItem, i);

		if (item->field == schema->any)
			read_item(loader, item, NULL, FALSE);
	}
}
