/* An index made aside, signed, then exchanged with the old one. */
#include "package/repository.h"

#include "base/error.h"
#include "base/file.h"
#include "ground/fd.h"
#include "rpm/createrepo.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STAGING ".repodata.partial"
#define DEPTH_LIMIT 8

static gboolean collect(const char *directory, const char *relative, guint depth, GPtrArray *found,
			GError **error)
{
	g_autofree char *path = g_build_filename(directory, relative, NULL);
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(AT_FDCWD, path, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *below =
			*relative ? g_build_filename(relative, *name, NULL) : g_strdup(*name);
		g_autofree char *full = g_build_filename(directory, below, NULL);
		struct stat st;

		if (**name == '.' || lstat(full, &st) < 0)
			continue;
		if (S_ISREG(st.st_mode) && g_str_has_suffix(*name, ".rpm"))
			g_ptr_array_add(found, g_steal_pointer(&below));
		else if (S_ISDIR(st.st_mode) && depth < DEPTH_LIMIT &&
			 strcmp(*name, "repodata") != 0 &&
			 !collect(directory, below, depth + 1, found, error))
			return FALSE;
	}
	return TRUE;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *varve_repository_packages(const char *directory, GError **error)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

	if (!collect(directory, "", 0, found, error))
		return NULL;
	g_ptr_array_sort(found, compare_names);
	return g_steal_pointer(&found);
}

static gboolean newest_time(const char *directory, const GPtrArray *packages, gint64 *ret,
			    GError **error)
{
	gint64 newest = 0;

	for (guint i = 0; i < packages->len; i++) {
		g_autofree char *path =
			g_build_filename(directory, g_ptr_array_index(packages, i), NULL);
		struct stat st;

		if (stat(path, &st) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", path);
		newest = MAX(newest, st.st_mtime);
	}
	*ret = newest;
	return TRUE;
}

static gboolean put_in_place(const char *directory, const char *staging, GError **error)
{
	g_autofree char *made = g_build_filename(staging, "repodata", NULL);
	g_autofree char *final = g_build_filename(directory, "repodata", NULL);
	varve_autofd fd = -1;

	if (renameat2(AT_FDCWD, made, AT_FDCWD, final, RENAME_EXCHANGE) < 0 &&
	    (errno != ENOENT || rename(made, final) < 0))
		return varve_fail_errno(error, errno, "%s: cannot put the index in place", final);
	fd = varve_dir_open(AT_FDCWD, directory, error);
	if (fd < 0)
		return FALSE;
	if (fsync(fd) < 0)
		return varve_fail_errno(error, errno, "%s: cannot sync", directory);
	return TRUE;
}

gboolean varve_repository_sign(const char *directory, VarveOpenpgp *key, const GPtrArray *packages,
			       guint *ret_signed, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autofree struct stat *before = g_new0(struct stat, packages->len + 1);

	for (guint i = 0; i < packages->len; i++) {
		char *path = g_build_filename(directory, g_ptr_array_index(packages, i), NULL);

		g_ptr_array_add(paths, path);
		if (stat(path, &before[i]) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", path);
	}
	if (!varve_openpgp_sign_packages(key, paths, 0, ret_signed, error))
		return FALSE;
	/* The index records it, and signing is no change of a package. */
	for (guint i = 0; i < packages->len; i++) {
		const struct timespec times[2] = { before[i].st_mtim, before[i].st_mtim };
		const char *path = g_ptr_array_index(paths, i);

		if (utimensat(AT_FDCWD, path, times, 0) < 0)
			return varve_fail_errno(error, errno, "%s: cannot set its time", path);
	}
	return TRUE;
}

gboolean varve_repository_publish(const char *directory, VarveOpenpgp *key,
				  const GPtrArray *packages, GError **error)
{
	g_autofree char *staging = g_build_filename(directory, STAGING, NULL);
	g_autofree char *index = g_build_filename(staging, "repodata", "repomd.xml", NULL);
	g_autoptr(GPtrArray) all = NULL;
	gint64 revision = 0;
	gboolean done;

	if (!packages)
		packages = all = varve_repository_packages(directory, error);
	if (!packages)
		return FALSE;
	if (!packages->len)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: has no *.rpm to publish",
				  directory);
	done = newest_time(directory, packages, &revision, error) &&
	       varve_dir_remove(AT_FDCWD, staging, error) && varve_dir_make(staging, 0755, error) &&
	       varve_createrepo_run(directory, staging, revision, packages, error) &&
	       varve_openpgp_sign_file(key, index, revision, error) &&
	       put_in_place(directory, staging, error);
	varve_dir_remove(AT_FDCWD, staging, NULL);
	return done;
}
