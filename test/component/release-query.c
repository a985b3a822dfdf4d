/* build/test/release-query: one question about a release, for the cases of other projects: a JSON
 * object on standard input, one on standard output, as run-releases has them. */
#include "component/release.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *query, const char *key)
{
	const char *text = json_string_value(json_object_get(query, key));

	return text ? text : "";
}

static json_t *value_or_error(const char *value)
{
	return value ? json_pack("{s:s}", "value", value) : json_pack("{s:b}", "error", TRUE);
}

static json_t *answer(const json_t *query)
{
	const char *asked = text_of(query, "query");
	g_autofree char *value = NULL;

	if (strcmp(asked, "is-auto") == 0)
		return json_pack("{s:b}", "autorelease",
				 varve_release_is_auto(text_of(query, "value")));
	if (strcmp(asked, "raise") == 0)
		value = varve_release_raise(
			text_of(query, "value"),
			(guint64)json_integer_value(json_object_get(query, "n")), NULL);
	else if (strcmp(asked, "find") == 0)
		value = varve_release_find(text_of(query, "spec"), NULL);
	else
		return NULL;
	return value_or_error(value);
}

int main(void)
{
	json_t *query = json_loadf(stdin, 0, NULL), *result = answer(query);

	if (result)
		json_dumpf(result, stdout, JSON_COMPACT);
	json_decref(query);
	json_decref(result);
	return result ? 0 : 2;
}
