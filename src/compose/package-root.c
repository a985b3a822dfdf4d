/* Roots made of packages, kept by what they were made of. */
#include "compose/package-root.h"

#include "base/error.h"
#include "base/file.h"
#include "compose/store.h"

void varve_inputs_add_packages(VarveInputs *inputs, const GPtrArray *packages)
{
	varve_inputs_add_number(inputs, "packages", packages->len);
	for (guint i = 0; i < packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(packages, i);

		varve_inputs_add(inputs, "nevra", package->nevra);
		varve_inputs_add_digest(inputs, "digest", &package->digest);
	}
}

static gboolean install_root(const VarvePackageRoot *how, VarveUniverse *universe,
			     GPtrArray *packages, const char *path, GError **error)
{
	g_autofree char *partial = varve_store_begin(path, error);
	g_autofree char *root = NULL;
	g_autoptr(GHashTable) users = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(VarveInstalled) installed = NULL;
	VarveInstall install = {
		.lower = how->lower,
		.users = users,
		.groups = users,
		.epoch = how->epoch,
		.no_docs = TRUE,
		.any_owner = TRUE,
	};

	if (!partial)
		return FALSE;
	root = g_build_filename(partial, "root", NULL);
	install.root = root;
	if (!varve_universe_fetch(universe, packages, error) ||
	    !varve_install(universe, packages, &install, &installed, error) ||
	    (how->finish && !how->finish(partial, installed, how->data, error)))
		return FALSE;
	return varve_store_commit(partial, path, error);
}

char *varve_package_root_make(const VarvePackageRoot *how, VarveUniverse *universe,
			      GPtrArray *packages, char **ret_key, GError **error)
{
	g_autoptr(VarveInputs) inputs = varve_inputs_new(how->format);
	g_autofree char *path = NULL, *key = NULL;

	varve_inputs_add(inputs, "arch", varve_universe_arch(universe)->name);
	if (how->lower)
		varve_inputs_add(inputs, "lower", how->lower_key);
	varve_inputs_add_packages(inputs, packages);
	key = varve_inputs_key(inputs);
	path = varve_store_path(how->work, how->kind, how->name, key, error);
	if (!path)
		return NULL;
	if (!g_file_test(path, G_FILE_TEST_IS_DIR) &&
	    (!install_root(how, universe, packages, path, error) ||
	     !varve_store_trim(path, how->keep, error)))
		return NULL;
	varve_store_touch(path);
	*ret_key = g_steal_pointer(&key);
	return g_steal_pointer(&path);
}
