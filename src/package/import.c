/* From a definition to an import. */
#include "package/import.h"

#include "base/error.h"
#include "package/own.h"

#include <string.h>

char *varve_import_directory(const char *work, const VarveUpstream *upstream, const VarveArch *arch)
{
	return g_build_filename(work, "upstream", upstream->name, arch->name, NULL);
}

char *varve_import_build_directory(const char *work, const VarveUpstream *upstream,
				   const VarveArch *arch)
{
	g_autofree char *name = g_strconcat(arch->name, "-build", NULL);

	return g_build_filename(work, "upstream", upstream->name, name, NULL);
}

static char *expand(const char *name, const VarveArch *arch)
{
	GString *text = g_string_new(name);

	g_string_replace(text, "$debarch", arch->debian, 0);
	g_string_replace(text, "$basearch", arch->rpm, 0);
	return g_string_free(text, FALSE);
}

static GPtrArray *wanted_packages(const VarveImport *import)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	if (import->build_packages) {
		for (const char *const *name = import->build_packages; *name; name++)
			g_ptr_array_add(names, expand(*name, import->arch));
		return names;
	}
	for (gsize i = 0; i < import->definition->n_package_sets; i++) {
		const VarvePackageSet *set = &import->definition->package_sets[i];
		const VarveSpelling *spelling = varve_package_set_spelling(set, import->upstream);

		if (strcmp(set->name, VARVE_BUILD_SET) == 0)
			continue;
		for (gsize k = 0; spelling && spelling->packages[k]; k++)
			if (!varve_own_is(spelling->packages[k]) &&
			    !(import->own && g_strv_contains(import->own, spelling->packages[k])))
				g_ptr_array_add(names, expand(spelling->packages[k], import->arch));
	}
	return names;
}

gboolean varve_import_run(const VarveImport *import, VarveDebianImported *ret_imported,
			  GError **error)
{
	const VarveUpstream *upstream = import->upstream;
	g_autofree char *output =
		import->build_packages
			? varve_import_build_directory(import->work, upstream, import->arch)
			: varve_import_directory(import->work, upstream, import->arch);
	g_autofree char *cache =
		g_build_filename(import->work, "upstream", upstream->name, "cache", NULL);
	g_autoptr(GPtrArray) wanted = wanted_packages(import);
	VarveDebianImport debian = { 0 };

	if (upstream->type != VARVE_UPSTREAM_DEBIAN)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "upstream '%s' is read as it is; only those of type \"debian\" "
				  "are imported",
				  upstream->name);
	if (!wanted->len)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "no package set of the definition is spelled for upstream '%s'",
				  upstream->name);
	g_ptr_array_add(wanted, NULL);
	debian = (VarveDebianImport){
		.suite = upstream->suite,
		.components = upstream->archive_components,
		.mirror = import->mirror ? import->mirror : upstream->mirror,
		.security_mirror = import->security_mirror,
		.keyring = upstream->keyring,
		.arch = import->arch,
		.wanted = (const char *const *)wanted->pdata,
		.essential = upstream->essential,
		.drop = import->build_packages ? NULL : upstream->drop,
		.keys = import->keys,
		.cache = cache,
		.output = output,
		.refresh = import->refresh,
		.prune = import->prune,
	};
	return varve_debian_import(&debian, ret_imported, error);
}
