/* Typed access to a table's keys. */
#include "base/text.h"
#include "toml/document.h"

#include <string.h>

const char *varve_toml_type_name(VarveTomlType type)
{
	static const char *const names[] = {
		[VARVE_TOML_STRING] = "a string",
		[VARVE_TOML_INTEGER] = "an integer",
		[VARVE_TOML_FLOAT] = "a float",
		[VARVE_TOML_BOOLEAN] = "a boolean",
		[VARVE_TOML_OFFSET_DATETIME] = "a date-time",
		[VARVE_TOML_LOCAL_DATETIME] = "a local date-time",
		[VARVE_TOML_LOCAL_DATE] = "a date",
		[VARVE_TOML_LOCAL_TIME] = "a time",
		[VARVE_TOML_ARRAY] = "an array",
		[VARVE_TOML_TABLE] = "a table",
	};

	return names[type];
}

static guint32 hash_of(const VarveTomlValue *table, const char *key, gsize size)
{
	VarveToml seeded = { .seed = table->table.seed };

	return varve_toml_hash(&seeded, key, size);
}

const VarveTomlEntry *varve_toml_entry_sized(const VarveTomlValue *table, const char *key,
					     gsize size)
{
	if (table->table.n == 0)
		return NULL;
	return varve_toml_find(table, key, size, hash_of(table, key, size));
}

const VarveTomlEntry *varve_toml_entry(const VarveTomlValue *table, const char *key)
{
	return varve_toml_entry_sized(table, key, strlen(key));
}

const VarveTomlValue *varve_toml_get(const VarveTomlValue *table, const char *key)
{
	const VarveTomlEntry *entry = varve_toml_entry(table, key);

	return entry ? entry->value : NULL;
}

/* *ret is NULL where the key is not there and need not be. */
static gboolean get_typed(const VarveToml *toml, const VarveTomlValue *table, const char *key,
			  gboolean required, VarveTomlType type, const VarveTomlValue **ret,
			  GError **error)
{
	const VarveTomlValue *value = varve_toml_get(table, key);

	*ret = NULL;
	if (!value) {
		if (required)
			return varve_toml_fail(toml, table->span, error, "'%s' is missing", key);
		return TRUE;
	}
	if (value->type != type)
		return varve_toml_fail(toml, value->span, error, "'%s' must be %s, not %s", key,
				       varve_toml_type_name(type),
				       varve_toml_type_name(value->type));
	*ret = value;
	return TRUE;
}

static gboolean check_text(const VarveToml *toml, const VarveTomlValue *value, const char *key,
			   GError **error)
{
	if (strlen(value->string.text) != value->string.size)
		return varve_toml_fail(toml, value->span, error,
				       "'%s' must not hold the character U+0000", key);
	return TRUE;
}

gboolean varve_toml_read_string(const VarveToml *toml, const VarveTomlValue *table, const char *key,
				gboolean required, const char **ret, GError **error)
{
	const VarveTomlValue *value;

	if (!get_typed(toml, table, key, required, VARVE_TOML_STRING, &value, error))
		return FALSE;
	if (!value)
		return TRUE;
	if (!check_text(toml, value, key, error))
		return FALSE;
	*ret = value->string.text;
	return TRUE;
}

gboolean varve_toml_read_integer(const VarveToml *toml, const VarveTomlValue *table,
				 const char *key, gboolean required, gint64 min, gint64 max,
				 gint64 *ret, GError **error)
{
	const VarveTomlValue *value;

	if (!get_typed(toml, table, key, required, VARVE_TOML_INTEGER, &value, error))
		return FALSE;
	if (!value)
		return TRUE;
	if (value->integer < min || value->integer > max)
		return varve_toml_fail(toml, value->span, error,
				       "'%s' must be between %" G_GINT64_FORMAT
				       " and %" G_GINT64_FORMAT,
				       key, min, max);
	*ret = value->integer;
	return TRUE;
}

gboolean varve_toml_read_boolean(const VarveToml *toml, const VarveTomlValue *table,
				 const char *key, gboolean required, gboolean *ret, GError **error)
{
	const VarveTomlValue *value;

	if (!get_typed(toml, table, key, required, VARVE_TOML_BOOLEAN, &value, error))
		return FALSE;
	if (value)
		*ret = value->boolean;
	return TRUE;
}

gboolean varve_toml_read_strings(const VarveToml *toml, const VarveTomlValue *table,
				 const char *key, gboolean required, char ***ret, GError **error)
{
	g_autoptr(GStrvBuilder) strings = g_strv_builder_new();
	const VarveTomlValue *value;

	if (!get_typed(toml, table, key, required, VARVE_TOML_ARRAY, &value, error))
		return FALSE;
	if (!value)
		return TRUE;
	for (guint32 i = 0; i < value->array.n; i++) {
		const VarveTomlValue *item = value->array.items[i];

		if (item->type != VARVE_TOML_STRING)
			return varve_toml_fail(toml, item->span, error,
					       "'%s' must be an array of strings; this is %s", key,
					       varve_toml_type_name(item->type));
		if (!check_text(toml, item, key, error))
			return FALSE;
		g_strv_builder_add(strings, item->string.text);
	}
	*ret = g_strv_builder_end(strings);
	return TRUE;
}

gboolean varve_toml_read_table(const VarveToml *toml, const VarveTomlValue *table, const char *key,
			       gboolean required, const VarveTomlValue **ret, GError **error)
{
	const VarveTomlValue *value;

	if (!get_typed(toml, table, key, required, VARVE_TOML_TABLE, &value, error))
		return FALSE;
	if (value)
		*ret = value;
	return TRUE;
}

gboolean varve_toml_read_tables(const VarveToml *toml, const VarveTomlValue *table, const char *key,
				gboolean required, const VarveTomlValue **ret, GError **error)
{
	const VarveTomlValue *value;

	if (!get_typed(toml, table, key, required, VARVE_TOML_ARRAY, &value, error))
		return FALSE;
	if (!value)
		return TRUE;
	for (guint32 i = 0; i < value->array.n; i++) {
		if (value->array.items[i]->type != VARVE_TOML_TABLE)
			return varve_toml_fail(toml, value->array.items[i]->span, error,
					       "'%s' must be an array of tables; this is %s", key,
					       varve_toml_type_name(value->array.items[i]->type));
	}
	*ret = value;
	return TRUE;
}

gboolean varve_toml_check_keys(const VarveToml *toml, const VarveTomlValue *table,
			       const char *const *known, GError **error)
{
	TOML_FOREACH (entry, table) {
		const char *nearest;

		if (g_strv_contains(known, entry->key) && strlen(entry->key) == entry->key_size)
			continue;
		nearest = varve_nearest(entry->key, known);
		if (nearest)
			return varve_toml_fail(toml, entry->key_span, error,
					       "unknown key '%s'; is '%s' meant?", entry->key,
					       nearest);
		return varve_toml_fail(toml, entry->key_span, error, "unknown key '%s'",
				       entry->key);
	}
	return TRUE;
}
