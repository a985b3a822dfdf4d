/* Merging the tables of many files into one tree, after the schema: kinds of values, unknown keys,
 * keys that are set twice. */
#include "definition/tree.h"

#include "base/text.h"

#include <string.h>

#define INDEX_FROM 16

VarveTable *varve_table_new(VarveLoader *loader, const VarveSchema *schema, const char *name,
			    const VarveSource *source, VarveTomlSpan span)
{
	VarveTable *table = varve_loader_alloc(loader, sizeof(*table));

	table->schema = schema;
	table->name = name;
	table->source = source;
	table->span = span;
	table->later_wins = schema->later_wins;
	table->items = g_array_new(FALSE, TRUE, sizeof(VarveItem));
	g_ptr_array_add(loader->tables, table);
	return table;
}

static VarveItem *item_at(const VarveTable *table, guint i)
{
	return &g_array_index(table->items, VarveItem, i);
}

VarveItem *varve_table_item(const VarveTable *table, const char *key)
{
	if (table->index) {
		guint position = GPOINTER_TO_UINT(g_hash_table_lookup(table->index, key));

		return position ? item_at(table, position - 1) : NULL;
	}
	for (guint i = 0; i < table->items->len; i++) {
		VarveItem *item = item_at(table, i);

		if (strcmp(item->key, key) == 0)
			return item;
	}
	return NULL;
}

gboolean varve_table_mentions(const VarveTable *table, const char *key)
{
	if (varve_table_item(table, key))
		return TRUE;
	for (guint i = 0; table->meant && i < table->meant->len; i++) {
		if (strcmp(table->meant->pdata[i], key) == 0)
			return TRUE;
	}
	return FALSE;
}

gboolean varve_table_has_choice(const VarveTable *table, const char *key)
{
	const VarveItem *item = varve_table_item(table, key);

	return item && item->field &&
	       g_strv_contains(item->field->choices, item->value->string.text);
}

VarveTable *varve_table_child(const VarveTable *table, const char *key)
{
	VarveItem *item = table ? varve_table_item(table, key) : NULL;

	return item ? item->table : NULL;
}

static VarveItem *append(VarveTable *table, const VarveItem *item)
{
	g_array_append_val(table->items, *item);
	if (table->index) {
		g_hash_table_insert(table->index, (gpointer)item->key,
				    GUINT_TO_POINTER(table->items->len));
	} else if (table->items->len >= INDEX_FROM) {
		table->index = g_hash_table_new(g_str_hash, g_str_equal);
		for (guint i = 0; i < table->items->len; i++)
			g_hash_table_insert(table->index, (gpointer)item_at(table, i)->key,
					    GUINT_TO_POINTER(i + 1));
	}
	return item_at(table, table->items->len - 1);
}

gboolean varve_loader_partial(const VarveLoader *loader)
{
	return loader->incomplete || loader->lost_tables;
}

gboolean varve_table_partial(const VarveLoader *loader, const VarveTable *table)
{
	if (loader->incomplete)
		return TRUE;
	for (guint i = 0; i < table->source->lost->len; i++) {
		if (g_array_index(table->source->lost, guint32, i) == table->span.start)
			return TRUE;
	}
	return FALSE;
}

static const VarveField *find_field(const VarveSchema *schema, const char *key)
{
	for (const VarveField *field = schema->fields; field && field->key; field++) {
		if (strcmp(field->key, key) == 0)
			return field;
	}
	return schema->any;
}

static void add_meant(VarveTable *table, const char *key)
{
	if (!table->meant)
		table->meant = g_ptr_array_new();
	g_ptr_array_add(table->meant, (gpointer)key);
}

static void unknown_key(VarveLoader *loader, VarveTable *table, const VarveItem *item)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new();
	g_autofree char *where = varve_table_text(table);
	const char *nearest;

	for (const VarveField *field = table->schema->fields; field && field->key; field++)
		g_ptr_array_add(known, (gpointer)field->key);
	g_ptr_array_add(known, NULL);
	nearest = varve_nearest(item->key, (const char *const *)known->pdata);
	if (nearest)
		add_meant(table, nearest);
	if (nearest)
		varve_key_mistake(loader, item, "unknown key '%s' in %s; is '%s' meant?", item->key,
				  table->name || table->schema->what ? where : "the definition",
				  nearest);
	else
		varve_key_mistake(loader, item, "unknown key '%s' in %s", item->key,
				  table->name || table->schema->what ? where : "the definition");
}

/* Kinds */

static gboolean check_strings(VarveLoader *loader, const VarveItem *item)
{
	gboolean good = TRUE;

	for (guint32 i = 0; i < item->value->array.n; i++) {
		const VarveTomlValue *element = item->value->array.items[i];

		if (element->type == VARVE_TOML_STRING &&
		    strlen(element->string.text) == element->string.size)
			continue;
		varve_loader_mistake(
			loader, item->source, element->span,
			element->type == VARVE_TOML_STRING
				? "a string in '%s' must not hold the character U+0000"
				: "'%s' must be an array of strings; this is not a string",
			item->key);
		good = FALSE;
	}
	return good;
}

static gboolean check_tables(VarveLoader *loader, const VarveItem *item)
{
	gboolean good = TRUE;

	for (guint32 i = 0; i < item->value->array.n; i++) {
		const VarveTomlValue *element = item->value->array.items[i];

		if (element->type == VARVE_TOML_TABLE)
			continue;
		varve_loader_mistake(loader, item->source, element->span,
				     "'%s' must be an array of tables; this is %s", item->key,
				     varve_toml_type_name(element->type));
		good = FALSE;
	}
	return good;
}

static VarveTomlType type_of(VarveFieldKind kind)
{
	switch (kind) {
	case VARVE_FIELD_STRINGS:
	case VARVE_FIELD_PATHS:
	case VARVE_FIELD_TABLES:
		return VARVE_TOML_ARRAY;
	case VARVE_FIELD_DATE:
		return VARVE_TOML_LOCAL_DATE;
	case VARVE_FIELD_INTEGER:
		return VARVE_TOML_INTEGER;
	case VARVE_FIELD_BOOLEAN:
		return VARVE_TOML_BOOLEAN;
	case VARVE_FIELD_TABLE:
	case VARVE_FIELD_MAP:
	case VARVE_FIELD_OPAQUE:
		return VARVE_TOML_TABLE;
	default:
		return VARVE_TOML_STRING;
	}
}

/* "an array of strings", "a string such as …": what the field wants. */
static const char *wanted(VarveFieldKind kind)
{
	switch (kind) {
	case VARVE_FIELD_STRINGS:
	case VARVE_FIELD_PATHS:
		return "an array of strings";
	case VARVE_FIELD_TABLES:
		return "an array of tables";
	case VARVE_FIELD_MODE:
		return "a string of octal digits such as \"0644\"";
	case VARVE_FIELD_SIZE:
		return "a string such as \"512M\"";
	case VARVE_FIELD_DATE:
		return "a date without quotes, such as 2026-11-22";
	case VARVE_FIELD_SCALAR:
		return "a string, an integer or a boolean";
	default:
		return varve_toml_type_name(type_of(kind));
	}
}

static gboolean check_kind(VarveLoader *loader, const VarveItem *item)
{
	VarveFieldKind kind = item->field->kind;
	VarveTomlType type = item->value->type;
	gboolean good = type == type_of(kind);

	if (kind == VARVE_FIELD_SCALAR)
		good |= type == VARVE_TOML_INTEGER || type == VARVE_TOML_BOOLEAN;
	if (!good) {
		varve_item_mistake(loader, item, "'%s' must be %s, not %s", item->key, wanted(kind),
				   varve_toml_type_name(type));
		return FALSE;
	}
	if (type == VARVE_TOML_STRING &&
	    strlen(item->value->string.text) != item->value->string.size) {
		varve_item_mistake(loader, item, "'%s' must not hold the character U+0000",
				   item->key);
		return FALSE;
	}
	if (kind == VARVE_FIELD_STRINGS || kind == VARVE_FIELD_PATHS)
		return check_strings(loader, item);
	if (kind == VARVE_FIELD_TABLES)
		return check_tables(loader, item);
	return TRUE;
}

/* Merging */

static void merge_tables(VarveLoader *loader, VarveItem *into, const VarveItem *item)
{
	for (guint32 i = 0; i < item->value->array.n; i++) {
		const VarveTomlValue *element = item->value->array.items[i];
		VarveTable *table = varve_table_new(loader, item->field->schema, NULL, item->source,
						    element->span);

		varve_table_merge(loader, table, item->source, element);
		g_ptr_array_add(into->tables, table);
	}
}

static void merge_map_entry(VarveLoader *loader, VarveTable *map, const VarveSource *source,
			    const VarveTomlEntry *entry, const VarveItem *of)
{
	const VarveSchema *schema = of->field->schema;
	VarveItem item = { .key = entry->key,
			   .key_span = entry->key_span,
			   .value = entry->value,
			   .source = source,
			   .field = of->field };
	VarveItem *first = varve_table_item(map, entry->key);
	const char *wrong;

	if (entry->value->type != VARVE_TOML_TABLE) {
		varve_item_mistake(loader, &item, "'%s' in [%s] must be a table, not %s",
				   entry->key, of->key, varve_toml_type_name(entry->value->type));
		add_meant(map, entry->key);
		return;
	}
	if (first && of->field->flags & VARVE_FIELD_ONCE) {
		g_autofree char *place = varve_item_place(first);

		varve_key_mistake(loader, &item,
				  "%s '%s' was already set at %s; it is said in "
				  "one file",
				  schema->what, entry->key, place);
		return;
	}
	if (first && of->field->flags & VARVE_FIELD_REPLACED) {
		first->source = source;
		first->key_span = entry->key_span;
		first->value = entry->value;
		first->table = varve_table_new(loader, schema, entry->key, source, entry->key_span);
		first->table->later_wins |= map->later_wins;
	} else if (!first) {
		wrong = schema->check_name ? schema->check_name(entry->key) : NULL;
		if (strlen(entry->key) != entry->key_size)
			wrong = "must not hold the character U+0000";
		if (wrong) {
			varve_key_mistake(loader, &item, "the name '%s' %s", entry->key, wrong);
			if (strlen(entry->key) != entry->key_size)
				return;
		}
		item.table = varve_table_new(loader, schema, entry->key, source, entry->key_span);
		item.table->later_wins |= map->later_wins;
		first = append(map, &item);
	}
	varve_table_merge(loader, first->table, source, entry->value);
}

/* The first time that @item's key is seen. */
static void add_item(VarveLoader *loader, VarveTable *table, VarveItem *item)
{
	static const VarveSchema map_schema = { 0 };

	switch (item->field->kind) {
	case VARVE_FIELD_TABLE:
		item->table = varve_table_new(loader, item->field->schema, item->key, item->source,
					      item->key_span);
		item->table->later_wins |= table->later_wins;
		varve_table_merge(loader, item->table, item->source, item->value);
		break;
	case VARVE_FIELD_MAP:
		item->table = varve_table_new(loader, &map_schema, item->key, item->source,
					      item->key_span);
		item->table->later_wins = table->later_wins;
		TOML_FOREACH (entry, item->value)
			merge_map_entry(loader, item->table, item->source, entry, item);
		break;
	case VARVE_FIELD_TABLES:
		item->tables = g_ptr_array_new();
		merge_tables(loader, item, item);
		break;
	default:
		break;
	}
	append(table, item);
}

static gboolean both_headers(const VarveItem *a, const VarveItem *b)
{
	return a->value->made == VARVE_TOML_HEADER && b->value->made == VARVE_TOML_HEADER;
}

static gboolean is_nothing(const VarveTomlValue *value)
{
	switch (value->type) {
	case VARVE_TOML_STRING:
		return value->string.size == 0;
	case VARVE_TOML_BOOLEAN:
		return !value->boolean;
	case VARVE_TOML_INTEGER:
		return value->integer == 0;
	case VARVE_TOML_ARRAY:
		return value->array.n == 0;
	default:
		return FALSE;
	}
}

static void replace(VarveItem *first, const VarveItem *item)
{
	first->value = item->value;
	first->source = item->source;
	first->key_span = item->key_span;
}

static void append_strings(VarveLoader *loader, VarveItem *first, const VarveItem *item)
{
	VarveItem *earlier = varve_loader_alloc(loader, sizeof(*earlier));

	*earlier = *first;
	replace(first, item);
	first->earlier = earlier;
}

/* The key was set in an earlier file, or above a table that is continued. */
static void merge_item(VarveLoader *loader, const VarveTable *table, VarveItem *first,
		       VarveItem *item)
{
	gboolean replaced = item->field->flags & VARVE_FIELD_REPLACED;
	gboolean later_wins = table->later_wins;
	g_autofree char *place = NULL;

	switch (item->field->kind) {
	case VARVE_FIELD_TABLE:
		varve_table_merge(loader, first->table, item->source, item->value);
		return;
	case VARVE_FIELD_MAP:
		TOML_FOREACH (entry, item->value)
			merge_map_entry(loader, first->table, item->source, entry, item);
		return;
	case VARVE_FIELD_TABLES:
		if (replaced && later_wins && is_nothing(item->value))
			return;
		if (replaced)
			g_ptr_array_set_size(first->tables, 0);
		if (replaced || later_wins || both_headers(first, item)) {
			merge_tables(loader, first, item);
			return;
		}
		break;
	default:
		if (replaced) {
			replace(first, item);
			return;
		}
		if (!later_wins)
			break;
		if (is_nothing(item->value) && item->field != table->schema->any)
			return;
		if (item->field->kind == VARVE_FIELD_STRINGS)
			append_strings(loader, first, item);
		else
			replace(first, item);
		return;
	}
	place = varve_item_place(first);
	varve_key_mistake(loader, item, "'%s' was already set at %s; a key is set once", item->key,
			  place);
}

void varve_table_merge(VarveLoader *loader, VarveTable *table, const VarveSource *source,
		       const VarveTomlValue *value)
{
	TOML_FOREACH (entry, value) {
		VarveItem item = { .key = entry->key,
				   .key_span = entry->key_span,
				   .value = entry->value,
				   .source = source };
		VarveItem *first;

		item.field = find_field(table->schema, entry->key);
		if (!item.field || strlen(entry->key) != entry->key_size) {
			unknown_key(loader, table, &item);
			continue;
		}
		if (!check_kind(loader, &item)) {
			/* Known to be there, so that it is not reported as missing too. */
			item.field = NULL;
		}
		if (item.field && item.field->flags & VARVE_FIELD_BLANK &&
		    entry->value->string.size == 0)
			continue;
		first = varve_table_item(table, entry->key);
		if (first && (!first->field || !item.field))
			continue;
		if (first)
			merge_item(loader, table, first, &item);
		else if (item.field)
			add_item(loader, table, &item);
		else
			append(table, &item);
	}
}

const char *varve_item_string(const VarveItem *item, guint i)
{
	return item->value->array.items[i]->string.text;
}
