/* Provides and requires of layers. */
#include "compose/capabilities.h"

#include "format/version.h"

#include <string.h>

static gint compare_strings(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, without doubles. */
static char **sorted_strings(GPtrArray *strings)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	const char *last = NULL;

	g_ptr_array_sort(strings, compare_strings);
	for (guint i = 0; i < strings->len; i++) {
		const char *string = g_ptr_array_index(strings, i);

		if (!last || strcmp(last, string) != 0)
			g_strv_builder_add(builder, string);
		last = string;
	}
	return g_strv_builder_end(builder);
}

/* The name in front of a capability's comparison. */
static char *capability_name(const char *capability)
{
	return g_strndup(capability, strcspn(capability, " "));
}

GHashTable *varve_capabilities_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
				     (GDestroyNotify)g_ptr_array_unref);
}

/* By name, so that a requirement meets only those that could satisfy it. */
void varve_capabilities_add(GHashTable *index, char **capabilities)
{
	for (char **capability = capabilities; *capability; capability++) {
		char *name = capability_name(*capability);
		GPtrArray *list = g_hash_table_lookup(index, name);

		if (!list) {
			list = g_ptr_array_new();
			g_hash_table_insert(index, name, list);
		} else {
			g_free(name);
		}
		g_ptr_array_add(list, *capability);
	}
}

gboolean varve_capabilities_has(GHashTable *index, const char *required)
{
	g_autofree char *name = capability_name(required);
	const GPtrArray *list = g_hash_table_lookup(index, name);

	for (guint i = 0; list && i < list->len; i++)
		if (varve_capability_satisfies(g_ptr_array_index(list, i), required))
			return TRUE;
	return FALSE;
}

void varve_capabilities_set(VarveManifest *manifest, const GPtrArray *packages)
{
	g_autoptr(GHashTable) index = varve_capabilities_new();
	g_autoptr(GPtrArray) provides = g_ptr_array_new(), requires = g_ptr_array_new();

	for (guint i = 0; i < packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(packages, i);

		for (char **capability = package->provides; *capability; capability++)
			g_ptr_array_add(provides, *capability);
		varve_capabilities_add(index, package->provides);
	}
	for (guint i = 0; i < packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(packages, i);

		for (char **required = package->requires; *required; required++)
			if (**required != '(' && **required != '/' &&
			    !varve_capabilities_has(index, *required))
				g_ptr_array_add(requires, *required);
	}
	g_strfreev(manifest->provides);
	manifest->provides = sorted_strings(provides);
	if (manifest->role == VARVE_ROLE_BASE)
		return; /* nothing lies below it; what was left out on purpose is not missed */
	g_strfreev(manifest->requires);
	manifest->requires = sorted_strings(requires);
}
