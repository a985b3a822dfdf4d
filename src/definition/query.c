/* Questions to a definition. */
#include "base/error.h"
#include "base/text.h"
#include "definition/definition.h"

#include <string.h>

/* Every named struct starts with its origin and its name. */
typedef struct {
	VarveOrigin origin;
	const char *name;
} Named;

static const void *find(const void *structs, gsize n, gsize size, const char *what,
			const char *name, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *list = NULL;
	const char *nearest;

	for (gsize i = 0; i < n; i++) {
		const Named *one = (const Named *)(const void *)((const char *)structs + i * size);

		if (strcmp(one->name, name) == 0)
			return one;
		g_ptr_array_add(names, (gpointer)one->name);
	}
	g_ptr_array_add(names, NULL);
	nearest = varve_nearest(name, (const char *const *)names->pdata);
	list = g_strjoinv(", ", (char **)names->pdata);
	if (n == 0)
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "the definition has no %ss", what);
	else
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "there is no %s '%s'%s%s%s; there are: %s",
			   what, name, nearest ? ", is '" : "", nearest ? nearest : "",
			   nearest ? "' meant?" : "", list);
	return NULL;
}

const VarveUpstream *varve_definition_upstream(const VarveDefinition *definition, const char *name,
					       GError **error)
{
	return find(definition->upstreams, definition->n_upstreams, sizeof(VarveUpstream),
		    "upstream", name, error);
}

const VarvePackageSet *varve_definition_package_set(const VarveDefinition *definition,
						    const char *name, GError **error)
{
	return find(definition->package_sets, definition->n_package_sets, sizeof(VarvePackageSet),
		    "package set", name, error);
}

const VarveLayerDefinition *varve_definition_layer(const VarveDefinition *definition,
						   const char *name, GError **error)
{
	return find(definition->layers, definition->n_layers, sizeof(VarveLayerDefinition), "layer",
		    name, error);
}

const VarveEdition *varve_definition_edition(const VarveDefinition *definition, const char *name,
					     GError **error)
{
	return find(definition->editions, definition->n_editions, sizeof(VarveEdition), "edition",
		    name, error);
}

const VarveSpelling *varve_package_set_spelling(const VarvePackageSet *set,
						const VarveUpstream *upstream)
{
	for (gsize i = 0; i < set->n_spellings; i++) {
		if (set->spellings[i].upstream == upstream)
			return &set->spellings[i];
	}
	return NULL;
}

static char *replace_arch(const char *package, const char *debian_arch, const char *rpm_arch)
{
	g_autoptr(GString) text = g_string_new(package);

	g_string_replace(text, "$debarch", debian_arch, 0);
	g_string_replace(text, "$basearch", rpm_arch, 0);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

char **varve_layer_definition_packages(const VarveLayerDefinition *layer,
				       const VarveUpstream *upstream, const char *debian_arch,
				       const char *rpm_arch, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GStrvBuilder) packages = g_strv_builder_new();

	for (gsize i = 0; i < layer->n_package_sets; i++) {
		const VarvePackageSet *set = layer->package_sets[i];
		const VarveSpelling *spelling = varve_package_set_spelling(set, upstream);

		if (!spelling) {
			g_autofree char *place = varve_origin_text(&set->origin);

			varve_fail(error, VARVE_ERROR_NOT_FOUND,
				   "layer '%s': package set '%s' (%s) is not spelled for upstream "
				   "'%s'; add '%s = [...]' to it",
				   layer->name, set->name, place, upstream->name, upstream->name);
			return NULL;
		}
		for (gsize j = 0; spelling->packages[j]; j++) {
			char *name = replace_arch(spelling->packages[j], debian_arch, rpm_arch);

			if (g_hash_table_contains(seen, name)) {
				g_free(name);
				continue;
			}
			g_strv_builder_add(packages, name);
			g_hash_table_add(seen, name);
		}
	}
	return g_strv_builder_end(packages);
}

char *varve_origin_text(const VarveOrigin *origin)
{
	if (origin->line == 0)
		return g_strdup("(default)");
	return g_strdup_printf("%s:%u", origin->file, origin->line);
}

char *varve_edition_support_end(const VarveDefinition *definition, const VarveEdition *edition)
{
	g_autoptr(GDateTime) released = NULL, end = NULL;

	if (edition->support_years == 0 || !definition->os.released)
		return NULL;
	released = g_date_time_new_from_unix_utc(definition->os.released_time);
	end = g_date_time_add_years(released, (int)edition->support_years);
	return g_date_time_format(end, "%Y-%m-%d");
}
