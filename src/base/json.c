/* JSON through jansson. */
#include "base/json.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

json_t *varve_json_parse(const char *text, size_t size, const char *name, GError **error)
{
	json_error_t at;
	g_autoptr(json_t) value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &at);

	if (!value) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: not valid JSON at line %d, column %d: %s", name, at.line, at.column,
			   at.text);
		return NULL;
	}
	if (!json_is_object(value)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: expected a JSON object", name);
		return NULL;
	}
	return g_steal_pointer(&value);
}

char *varve_json_dump(const json_t *value, gboolean compact)
{
	size_t flags = JSON_SORT_KEYS | JSON_ENCODE_ANY;
	char *text = json_dumps(value, flags | (compact ? JSON_COMPACT : JSON_INDENT(2)));
	char *owned = g_strconcat(text, compact ? "" : "\n", NULL);

	free(text);
	return owned;
}

gboolean varve_json_get_string(const json_t *object, const char *key, const char *name,
			       const char **ret, GError **error)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_string(member))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' is %s, expected a string",
				  name, key, member ? "of another type" : "missing");
	if (strlen(json_string_value(member)) != json_string_length(member))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' contains a NUL", name, key);
	*ret = json_string_value(member);
	return TRUE;
}

gboolean varve_json_get_int(const json_t *object, const char *key, const char *name, gint64 min,
			    gint64 max, gint64 *ret, GError **error)
{
	const json_t *member = json_object_get(object, key);
	gint64 value;

	if (!json_is_integer(member))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' is %s, expected an integer",
				  name, key, member ? "of another type" : "missing");
	value = json_integer_value(member);
	if (value < min || value > max)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' is %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT
				  " to %" G_GINT64_FORMAT,
				  name, key, value, min, max);
	*ret = value;
	return TRUE;
}

gboolean varve_json_get_strings(const json_t *object, const char *key, const char *name,
				char ***ret, GError **error)
{
	const json_t *member = json_object_get(object, key);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	if (member && !json_is_array(member))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' is of another type, expected an array of strings", name,
				  key);
	for (size_t i = 0; i < json_array_size(member); i++) {
		const json_t *item = json_array_get(member, i);

		if (!json_is_string(item) ||
		    strlen(json_string_value(item)) != json_string_length(item))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: item %zu of '%s' is not a string without NUL", name,
					  i, key);
		g_strv_builder_add(builder, json_string_value(item));
	}
	*ret = g_strv_builder_end(builder);
	return TRUE;
}

json_t *varve_json_strings(const char *const *strings)
{
	json_t *array = json_array();

	for (size_t i = 0; strings && strings[i]; i++)
		json_array_append_new(array, json_string(strings[i]));
	return array;
}

json_t *varve_json_text(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autoptr(GString) clean = g_string_new(NULL);

	for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
		gunichar character = g_utf8_get_char(c);

		g_string_append_unichar(clean, g_unichar_iscntrl(character) ? ' ' : character);
	}
	return json_string(clean->str);
}

json_t *varve_json_escaped(const char *text)
{
	g_autofree char *escaped = NULL;

	if (g_utf8_validate(text, -1, NULL))
		return json_string(text);
	escaped = g_strescape(text, NULL);
	return json_string(escaped);
}
