/* The clean root that a component is built in. */
#include "build/root.h"

#include "base/error.h"
#include "base/file.h"
#include "build/links.h"
#include "build/requires.h"
#include "compose/package-root.h"
#include "package/convert.h"
#include "package/import.h"
#include "package/repository.h"

#include <string.h>
#include <sys/stat.h>

#define ROOT_FORMAT "build root 2" /* raise when the same packages are to give another root */
#define ROOTS_KEPT 6
#define LISTS_SECONDS (24 * 60 * 60) /* how long an archive's lists serve */

void varve_build_root_clear(VarveBuildRoot *root)
{
	g_free(root->base);
	g_free(root->requires);
	g_free(root->key);
	g_strfreev(root->packages);
	*root = (VarveBuildRoot){ 0 };
}

char *varve_build_own_directory(const VarveBuildPlace *place)
{
	return g_build_filename(place->work, "upstream", "components", place->arch->name, NULL);
}

char **varve_build_own_packages(const VarveBuildPlace *place, GError **error)
{
	g_autofree char *own = varve_build_own_directory(place);
	g_autoptr(GPtrArray) files = NULL;
	GPtrArray *names;

	if (!g_file_test(own, G_FILE_TEST_IS_DIR))
		return g_new0(char *, 1);
	files = varve_repository_packages(own, error);
	if (!files)
		return NULL;
	names = g_ptr_array_new();
	for (guint i = 0; i < files->len; i++)
		g_ptr_array_add(names, varve_requires_file_package(files->pdata[i]));
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

/* What an import is asked for, as a text: while the archive's lists are the same, the same text has
 * the same answer, which costs seconds to find. */
static char *import_request(const VarveBuildPlace *place, const GPtrArray *names, GError **error)
{
	g_autofree char *key = g_build_filename(place->keys, "package.asc", NULL);
	g_autofree char *public_key = NULL, *list = NULL;

	if (!varve_file_read(AT_FDCWD, key, 1 << 20, &public_key, NULL, error)) {
		g_prefix_error(error,
			       "the package key (made by 'varve keys init %s'): ", place->keys);
		return NULL;
	}
	list = g_strjoinv("\n", (char **)names->pdata);
	return g_strdup_printf("%d\n%s\n%s\n%s\n", VARVE_CONVERTER_VERSION,
			       place->mirror ? place->mirror : "", public_key, list);
}

static gboolean is_imported(const VarveBuildPlace *place, const char *stamp, const char *request)
{
	g_autofree char *lists = g_strdup_printf("%s/upstream/%s/cache/apt-%s/updated", place->work,
						 place->upstream->name, place->arch->debian);
	g_autofree char *before = NULL;
	struct stat st, fetched;

	return !place->refresh && stat(stamp, &st) == 0 && stat(lists, &fetched) == 0 &&
	       st.st_mtime >= fetched.st_mtime &&
	       g_get_real_time() / G_USEC_PER_SEC - fetched.st_mtime < LISTS_SECONDS &&
	       varve_file_read(AT_FDCWD, stamp, 4 << 20, &before, NULL, NULL) &&
	       strcmp(before, request) == 0;
}

static gboolean import_names(const VarveBuildPlace *place, const GPtrArray *names, GError **error)
{
	VarveImport import = {
		.definition = place->definition,
		.upstream = place->upstream,
		.arch = place->arch,
		.work = place->work,
		.keys = place->keys,
		.mirror = place->mirror,
		.refresh = place->refresh,
		.build_packages = (const char *const *)names->pdata,
	};
	g_autofree char *request = import_request(place, names, error);
	g_autofree char *key =
		request ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, request, -1) : NULL;
	g_autofree char *directory =
		varve_import_build_directory(place->work, place->upstream, place->arch);
	g_autofree char *stamp = key ? g_strdup_printf("%s/imported/%s", directory, key) : NULL;
	g_autofree char *stamps = g_build_filename(directory, "imported", NULL);
	VarveDebianImported imported;

	if (!request)
		return FALSE;
	if (is_imported(place, stamp, request))
		return TRUE;
	return varve_import_run(&import, &imported, error) && varve_dir_make(stamps, 0755, error) &&
	       varve_file_write(AT_FDCWD, stamp, request, strlen(request), 0644, error);
}

/* What is made here is asked of no archive. */
static gboolean import(const VarveBuildPlace *place, const char *const *base,
		       const char *const *requires, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) own = NULL;

	if (place->upstream->type != VARVE_UPSTREAM_DEBIAN)
		return TRUE;
	own = varve_build_own_packages(place, error);
	if (!own)
		return FALSE;
	for (const char *const *name = base; *name; name++)
		g_ptr_array_add(names, g_strdup(*name));
	for (; requires && *requires; requires ++) {
		char *name = varve_requires_debian_package(*requires);

		if (name && !g_strv_contains((const char *const *)own, name))
			g_ptr_array_add(names, name);
		else
			g_free(name);
	}
	g_ptr_array_add(names, NULL);
	return import_names(place, names, error);
}

static VarveUniverse *open_universe(const VarveBuildPlace *place, const char *own, GError **error)
{
	g_autofree char *imported =
		varve_import_build_directory(place->work, place->upstream, place->arch);
	g_autofree char *imported_url = g_strconcat("file://", imported, NULL);
	g_autofree char *own_url = g_strconcat("file://", own, NULL);
	g_autofree char *index = g_build_filename(own, "repodata", "repomd.xml", NULL);
	g_autofree char *key = g_build_filename(place->keys, "package.asc", NULL);
	g_autofree char *cache = g_build_filename(place->work, "cache", NULL);
	const char *keys[] = { key, NULL };
	VarveRepositorySource sources[2] = { 0 };
	size_t n = 0;

	if (place->upstream->type == VARVE_UPSTREAM_DEBIAN)
		sources[n++] = (VarveRepositorySource){ .name = "build",
							.baseurl = imported_url,
							.keys = keys };
	if (g_file_test(index, G_FILE_TEST_EXISTS))
		sources[n++] = (VarveRepositorySource){
			.name = "components", .baseurl = own_url, .keys = keys, .own = TRUE
		};
	return varve_universe_open_upstream(place->upstream, place->arch, cache, sources, n, error);
}

static gboolean finish(const char *directory, const VarveInstalled *installed, gpointer data,
		       GError **error)
{
	g_autofree char *root = g_build_filename(directory, "root", NULL);
	const VarveBuildPlace *place = data;

	(void)installed;
	return varve_build_links(root, error) && varve_build_user(root, error) &&
	       varve_build_rpmrc(root, place->arch->rpm, error);
}

/* What lies on it: its parts of usr/bin, if there are any. */
static gboolean finish_top(const char *directory, const VarveInstalled *installed, gpointer data,
			   GError **error)
{
	g_autofree char *root = g_build_filename(directory, "root", NULL);
	g_autofree char *bin = g_build_filename(root, "usr/bin", NULL);

	(void)installed;
	(void)data;
	return !g_file_test(bin, G_FILE_TEST_IS_DIR) || varve_build_links(root, error);
}

/* FALSE where some of @some is not in @all; else @ret_rest is what @all has besides. */
static gboolean subtract(const GPtrArray *all, const GPtrArray *some, GPtrArray **ret_rest)
{
	g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) rest = g_ptr_array_new();

	for (guint i = 0; i < some->len; i++)
		g_hash_table_add(there, ((VarvePackage *)some->pdata[i])->nevra);
	for (guint i = 0; i < all->len; i++)
		if (!g_hash_table_remove(there, ((VarvePackage *)all->pdata[i])->nevra))
			g_ptr_array_add(rest, all->pdata[i]);
	if (g_hash_table_size(there) > 0)
		return FALSE;
	*ret_rest = g_steal_pointer(&rest);
	return TRUE;
}

static int compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char **list_packages(const GPtrArray *packages)
{
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; i < packages->len; i++)
		g_ptr_array_add(names, g_strdup(((VarvePackage *)packages->pdata[i])->nevra));
	g_ptr_array_sort(names, compare_text);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

/* @below: what every build needs; @all: that and what the component asks for. */
static gboolean install(const VarveBuildPlace *place, VarveUniverse *universe, GPtrArray *below,
			GPtrArray *all, VarveBuildRoot *root, GError **error)
{
	g_autoptr(GPtrArray) rest = NULL;
	g_autofree char *base = NULL, *on_top = NULL, *base_key = NULL;
	VarvePackageRoot how = { .work = place->work,
				 .kind = "build-roots",
				 .format = ROOT_FORMAT,
				 .name = place->arch->name,
				 .keep = ROOTS_KEPT,
				 .epoch = place->definition->os.released_time,
				 .finish = finish,
				 .data = (gpointer)place };

	/* Where a requirement changes what lies below (our own zlib for the upstream's), there is
	 * one root of everything. */
	if (!subtract(all, below, &rest))
		below = all;
	base = varve_package_root_make(&how, universe, below, &base_key, error);
	if (!base)
		return FALSE;
	root->base = g_build_filename(base, "root", NULL);
	root->packages = list_packages(all);
	if (!rest || !rest->len) {
		root->key = g_steal_pointer(&base_key);
		return TRUE;
	}
	how.lower = root->base;
	how.lower_key = base_key;
	how.finish = finish_top;
	on_top = varve_package_root_make(&how, universe, rest, &root->key, error);
	if (!on_top)
		return FALSE;
	root->requires = g_build_filename(on_top, "root", NULL);
	return TRUE;
}

static const VarveSpelling *find_set(const VarveBuildPlace *place, GError **error)
{
	const VarvePackageSet *set =
		varve_definition_package_set(place->definition, VARVE_BUILD_SET, error);
	const VarveSpelling *spelling =
		set ? varve_package_set_spelling(set, place->upstream) : NULL;

	if (set && !spelling)
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "package set '" VARVE_BUILD_SET
			   "' is not spelled for upstream '%s'; add it to "
			   "[package-sets." VARVE_BUILD_SET "]",
			   place->upstream->name);
	return spelling;
}

gboolean varve_build_root_make(const VarveBuildPlace *place, const char *const *requires,
			       const char *const *not_own, VarveBuildRoot *ret_root, GError **error)
{
	g_autofree char *own = varve_build_own_directory(place);
	const VarveSpelling *set = find_set(place, error);
	g_autoptr(GPtrArray) wanted = g_ptr_array_new(), below = NULL, all = NULL;
	g_autoptr(VarveUniverse) universe = NULL;
	g_auto(VarveBuildRoot) root = { 0 };
	VarveSolveRequest request = { .not_own = not_own };

	if (!set || !import(place, set->packages, requires, error))
		return FALSE;
	universe = open_universe(place, own, error);
	request.install = set->packages;
	if (!universe || !varve_universe_solve(universe, &request, &below, error))
		return FALSE;
	for (const char *const *name = set->packages; *name; name++)
		g_ptr_array_add(wanted, (gpointer)*name);
	for (; requires && *requires; requires ++)
		g_ptr_array_add(wanted, (gpointer) * requires);
	g_ptr_array_add(wanted, NULL);
	request.install = (const char *const *)wanted->pdata;
	if (!varve_universe_solve(universe, &request, &all, error) ||
	    !install(place, universe, below, all, &root, error))
		return FALSE;
	*ret_root = root;
	root = (VarveBuildRoot){ 0 };
	return TRUE;
}
