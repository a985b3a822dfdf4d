/* From fetched packages to a root directory, all or nothing. */
#include "package/install.h"

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "rpm/reader.h"
#include "rpm/transaction.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

void varve_installed_free(VarveInstalled *installed)
{
	if (!installed)
		return;
	g_hash_table_unref(installed->owners);
	g_ptr_array_unref(installed->files);
	g_ptr_array_unref(installed->packages);
	g_free(installed);
}

static int compare_packages(gconstpointer a, gconstpointer b)
{
	return varve_package_compare(*(const VarvePackage *const *)a,
				     *(const VarvePackage *const *)b);
}

/* By path, then by package, so that the first of equal paths does not depend on the order of
 * installation; one that was only claimed (%ghost) comes after one that was brought. */
static int compare_files(gconstpointer a, gconstpointer b)
{
	const VarvePackageFile *left = *(const VarvePackageFile *const *)a;
	const VarvePackageFile *right = *(const VarvePackageFile *const *)b;
	int order = strcmp(left->path, right->path);

	if (!order)
		order = (int)(left->flags & VARVE_PACKAGE_FILE_GHOST) -
			(int)(right->flags & VARVE_PACKAGE_FILE_GHOST);
	return order ? order : varve_package_compare(left->package, right->package);
}

typedef struct {
	VarveUniverse *universe;
	const GPtrArray *packages;
	VarvePackage **facts;
	GPtrArray **files;
} Read;

static gboolean read_one(gsize index, gpointer data, GError **error)
{
	Read *read = data;
	const VarvePackage *package = g_ptr_array_index(read->packages, index);
	const VarvePackageRepository *repository =
		varve_universe_repository(read->universe, package->repository);
	VarvePackage *facts;

	if (!repository || !*package->path)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "package '%s': was not fetched",
				  package->nevra);
	if (!varve_rpm_read_header(package->path, varve_package_repository_keys(repository), &facts,
				   &read->files[index], error))
		return FALSE;
	read->facts[index] = facts;
	g_free(facts->repository);
	g_free(facts->location);
	facts->repository = g_strdup(package->repository);
	facts->location = g_strdup(package->location);
	facts->digest = package->digest;
	facts->size = package->size;
	return TRUE;
}

static void free_file(gpointer file)
{
	varve_package_file_free(file);
}

/* Takes the facts of all packages in, files unique by path. */
static VarveInstalled *merge(Read *read)
{
	VarveInstalled *installed = g_new0(VarveInstalled, 1);
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(free_file);

	installed->packages = varve_package_array_new();
	installed->files = g_ptr_array_new_with_free_func(free_file);
	installed->owners = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < read->packages->len; i++) {
		gsize count = 0;
		gpointer *files;

		g_ptr_array_add(installed->packages, g_steal_pointer(&read->facts[i]));
		files = g_ptr_array_steal(read->files[i], &count);
		for (gsize j = 0; j < count; j++)
			g_ptr_array_add(all, files[j]);
		g_free(files);
	}
	g_ptr_array_sort(installed->packages, compare_packages);
	g_ptr_array_sort(all, compare_files);
	for (guint i = 0; i < all->len; i++) {
		VarvePackageFile *file = all->pdata[i];

		if (!g_hash_table_contains(installed->owners, file->path)) {
			g_hash_table_insert(installed->owners, file->path, file);
			g_ptr_array_add(installed->files, file);
			all->pdata[i] = NULL;
		}
	}
	return installed;
}

gboolean varve_installed_read(VarveUniverse *universe, const GPtrArray *packages,
			      VarveInstalled **ret_installed, GError **error)
{
	Read read = { .universe = universe,
		      .packages = packages,
		      .facts = g_new0(VarvePackage *, packages->len + 1),
		      .files = g_new0(GPtrArray *, packages->len + 1) };
	gboolean fine = varve_parallel(packages->len, 0, read_one, &read, error);

	if (fine)
		*ret_installed = merge(&read);
	for (guint i = 0; i < packages->len; i++) {
		g_clear_pointer(&read.files[i], g_ptr_array_unref);
		varve_package_free(read.facts[i]);
	}
	g_free(read.facts);
	g_free(read.files);
	return fine;
}

/* What an overlay leaves in its upper directory: its own notes go; a deletion of something of the
 * base is not ours to make. */
static gboolean settle_upper(int directory, const char *where, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(directory, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_strconcat(where, "/", *name, NULL);
		varve_autofd fd = -1;
		struct stat st;

		if (fstatat(directory, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s", path);
		if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
			return varve_fail(error, VARVE_ERROR_CONFLICT,
					  "a scriptlet removed %s, which the base brings: an "
					  "extension cannot "
					  "take anything away",
					  path);
		if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
			continue;
		fd = openat(directory, *name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return varve_fail_errno(error, errno, "%s", path);
		if (S_ISDIR(st.st_mode) && fgetxattr(fd, "trusted.overlay.opaque", NULL, 0) > 0)
			return varve_fail(
				error, VARVE_ERROR_CONFLICT,
				"a scriptlet replaced directory %s, which the base brings: an "
				"extension cannot take anything away",
				path);
		fremovexattr(fd, "trusted.overlay.origin");
		fremovexattr(fd, "trusted.overlay.impure");
		fremovexattr(fd, "trusted.overlay.uuid");
		if (S_ISDIR(st.st_mode) && !settle_upper(fd, path, error))
			return FALSE;
	}
	return TRUE;
}

/* Everything of one installation until it is renamed to where it belongs. */
typedef struct {
	char *base; /* removed whole */
	char *root; /* below it */
	char *work;
	char *database; /* (nullable) */
} Stage;

static void stage_clear(Stage *stage)
{
	if (stage->base)
		varve_dir_remove(AT_FDCWD, stage->base, NULL);
	g_free(stage->base);
	g_free(stage->root);
	g_free(stage->work);
	g_free(stage->database);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

static gboolean make_stage(const VarveInstall *install, Stage *stage, GError **error)
{
	stage->base = g_strconcat(install->root, ".partial", NULL);
	stage->root = g_build_filename(stage->base, "root", NULL);
	stage->work = g_build_filename(stage->base, "work", NULL);
	if (install->write_database)
		stage->database = g_build_filename(stage->base, "database", NULL);
	return varve_dir_remove(AT_FDCWD, stage->base, error) &&
	       varve_dir_make(stage->root, 0755, error) &&
	       varve_dir_make(stage->work, 0700, error) &&
	       (!stage->database || varve_dir_make(stage->database, 0755, error));
}

/* @to is replaced by @from. */
static gboolean put(const char *from, const char *to, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(to);

	if (!varve_dir_make(parent, 0755, error) || !varve_dir_remove(AT_FDCWD, to, error))
		return FALSE;
	if (rename(from, to) < 0)
		return varve_fail_errno(error, errno, "%s", to);
	return TRUE;
}

static void on_installed(guint64 bytes, const char *nevra, gpointer data)
{
	varve_progress_add(data, bytes, nevra);
}

static gboolean run(VarveUniverse *universe, const GPtrArray *packages, const VarveInstall *install,
		    const Stage *stage, GError **error)
{
	g_autoptr(VarveProgress) progress = NULL;
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	VarveTransaction transaction = { .keys = varve_universe_keys(universe),
					 .root = stage->root,
					 .lower = install->lower,
					 .work = stage->work,
					 .database = install->database,
					 .read_database = install->read_database,
					 .write_database = stage->database,
					 .users = install->users,
					 .groups = install->groups,
					 .epoch = install->epoch,
					 .no_docs = install->no_docs,
					 .progress = on_installed };
	guint64 total = 0;

	for (guint i = 0; i < packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(packages, i);

		if (!*package->path)
			return varve_fail(error, VARVE_ERROR_NOT_FOUND,
					  "package '%s': was not fetched", package->nevra);
		g_ptr_array_add(paths, package->path);
		total += package->installed_size;
	}
	g_ptr_array_add(paths, NULL);
	progress = varve_progress_new("installing packages", VARVE_PROGRESS_BYTES, total);
	transaction.paths = (const char *const *)paths->pdata;
	transaction.progress_data = progress;
	if (!varve_transaction_run(&transaction, error))
		return FALSE;
	varve_progress_end(progress, "installed %u packages", packages->len);
	return TRUE;
}

gboolean varve_install(VarveUniverse *universe, const GPtrArray *packages,
		       const VarveInstall *install, VarveInstalled **ret_installed, GError **error)
{
	g_autoptr(VarveInstalled) installed = NULL;
	g_auto(Stage) stage = { 0 };

	if (!make_stage(install, &stage, error) ||
	    !run(universe, packages, install, &stage, error) ||
	    !varve_installed_read(universe, packages, &installed, error))
		return FALSE;
	if (install->lower) {
		varve_autofd upper = varve_dir_open(AT_FDCWD, stage.root, error);

		if (upper < 0 || !settle_upper(upper, "", error))
			return FALSE;
	}
	if (stage.database && !put(stage.database, install->write_database, error))
		return FALSE;
	if (!put(stage.root, install->root, error))
		return FALSE;
	*ret_installed = g_steal_pointer(&installed);
	return TRUE;
}
