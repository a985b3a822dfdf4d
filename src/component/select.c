/* Components by name and by pattern. */
#include "component/select.h"

#include "base/error.h"
#include "base/text.h"

#include <string.h>

static gboolean is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

static void add_line(GString *wrong, const GError *error)
{
	g_string_append_printf(wrong, "%s%s", wrong->len ? "\n" : "", error->message);
}

/* Adds the names that @pattern matches; says so in @wrong where there are none. */
static void match(const VarveComponents *components, const char *pattern, GHashTable *names,
		  GString *wrong)
{
	g_autoptr(GError) error = NULL;
	gboolean found = FALSE;

	if (!is_pattern(pattern)) {
		if (varve_components_find(components, pattern, &error))
			g_hash_table_add(names, (gpointer)pattern);
		else
			add_line(wrong, error);
		return;
	}
	for (gsize i = 0; i < components->n_components; i++) {
		const char *name = components->components[i].name;

		if (!varve_glob_match(pattern, name))
			continue;
		g_hash_table_add(names, (gpointer)name);
		found = TRUE;
	}
	if (!found)
		g_string_append_printf(wrong, "%sno component's name matches '%s'",
				       wrong->len ? "\n" : "", pattern);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list_names(const VarveComponents *components, const char *const *patterns,
			     GString *wrong)
{
	g_autoptr(GHashTable) found = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iter;
	gpointer name;

	if (!patterns || !patterns[0])
		for (gsize i = 0; i < components->n_components; i++)
			g_ptr_array_add(names, (gpointer)components->components[i].name);
	for (gsize i = 0; patterns && patterns[i]; i++)
		match(components, patterns[i], found, wrong);
	g_hash_table_iter_init(&iter, found);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, name);
	g_ptr_array_sort(names, by_name);
	return names;
}

GPtrArray *varve_effective_select(const VarveDefinition *definition, const char *const *patterns,
				  GError **error)
{
	g_autoptr(GPtrArray) all =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_effective_free);
	g_autoptr(GString) wrong = g_string_new(NULL);
	g_autoptr(GPtrArray) names = list_names(definition->components, patterns, wrong);

	if (wrong->len > 0) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s", wrong->str);
		return NULL;
	}
	for (guint i = 0; i < names->len; i++) {
		g_autoptr(GError) one = NULL;
		VarveEffective *effective = varve_effective_new(definition, names->pdata[i], &one);

		if (effective)
			g_ptr_array_add(all, effective);
		else
			add_line(wrong, one);
	}
	if (wrong->len == 0)
		return g_steal_pointer(&all);
	varve_fail(error, VARVE_ERROR_DEFINITION, "%s", wrong->str);
	return NULL;
}
