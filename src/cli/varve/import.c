/* Bringing an upstream of the definition into the work directory. */
#include "cli/varve/import.h"

#include "base/error.h"

/* Every name that any package set spells for the upstream; apt wants Debian's spelling. */
static GPtrArray *wanted_packages(const VarveImportRequest *request)
{
	g_autoptr(GPtrArray) wanted = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (gsize i = 0; i < request->definition->n_package_sets; i++) {
		const VarveSpelling *spelling = varve_package_set_spelling(
			&request->definition->package_sets[i], request->upstream);

		for (gsize j = 0; spelling && spelling->packages[j]; j++) {
			g_autoptr(GString) name = g_string_new(spelling->packages[j]);

			g_string_replace(name, "$debarch", request->arch->debian, 0);
			g_string_replace(name, "$basearch", request->arch->rpm, 0);
			if (g_hash_table_contains(seen, name->str) ||
			    varve_import_is_own(name->str))
				continue;
			g_ptr_array_add(wanted, g_strdup(name->str));
			g_hash_table_add(seen, g_ptr_array_index(wanted, wanted->len - 1));
		}
	}
	g_ptr_array_add(wanted, NULL);
	return g_steal_pointer(&wanted);
}

gboolean varve_import_upstream(const VarveImportRequest *request, VarveDebianImported *ret_imported,
			       char **ret_directory, GError **error)
{
	const VarveUpstream *upstream = request->upstream;
	g_autofree char *directory = g_build_filename(request->work, "upstream", upstream->name,
						      request->arch->name, NULL);
	g_autofree char *cache = g_build_filename(request->work, "import", upstream->name, NULL);
	g_autoptr(GPtrArray) wanted = wanted_packages(request);
	VarveDebianImported imported;
	const VarveDebianImport import = {
		.suite = upstream->suite,
		.components = upstream->archive_components,
		.mirror = request->mirror ? request->mirror : upstream->mirror,
		.keyring = upstream->keyring,
		.arch = request->arch,
		.wanted = (const char *const *)wanted->pdata,
		.essential = upstream->essential,
		.drop = upstream->drop,
		.keys = request->keys,
		.cache = cache,
		.output = directory,
		.refresh = request->refresh,
		.prune = request->prune,
	};

	if (upstream->type != VARVE_UPSTREAM_DEBIAN)
		return varve_fail(
			error, VARVE_ERROR_USAGE,
			"upstream '%s' is an rpm-md repository and is read in place: there is "
			"nothing to import",
			upstream->name);
	if (!varve_debian_import(&import, &imported, error)) {
		g_prefix_error(error, "upstream '%s': ", upstream->name);
		return FALSE;
	}
	if (ret_imported)
		*ret_imported = imported;
	if (ret_directory)
		*ret_directory = g_steal_pointer(&directory);
	return TRUE;
}

gboolean varve_import_is_own(const char *name)
{
	return g_str_equal(name, "varvectl") || g_str_equal(name, "varve-init");
}
