/* The repository of what is built here. packages/.NAME.component lists the files of a component. */
#include "build/publish.h"

#include "base/error.h"
#include "base/file.h"
#include "build/requires.h"
#include "package/repository.h"
#include "rpm/openpgp.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".component"
#define LIST_LIMIT (1 << 20)

static char *list_path(const char *packages, const char *component)
{
	return g_strdup_printf("%s/.%s" SUFFIX, packages, component);
}

/* Files of one component; none where it was never published. */
static gboolean read_list(const char *path, char ***ret, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autofree char *text = NULL;

	if (!varve_file_read(AT_FDCWD, path, LIST_LIMIT, &text, NULL, &failure)) {
		*ret = g_new0(char *, 1);
		if (g_error_matches(failure, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	*ret = g_strsplit(g_strstrip(text), "\n", -1);
	return TRUE;
}

char **varve_build_published(const VarveBuildPlace *place, const char *component, GError **error)
{
	g_autofree char *own = varve_build_own_directory(place);
	g_autofree char *packages = g_build_filename(own, "packages", NULL);
	g_autofree char *list = list_path(packages, component);
	char **files = NULL;

	if (!read_list(list, &files, error)) {
		g_strfreev(files);
		return NULL;
	}
	for (char **file = files; *file; file++) {
		char *name = varve_requires_file_package(*file);

		g_free(*file);
		*file = name;
	}
	return files;
}

static gboolean check_others(const char *packages, const char *component, const GPtrArray *names,
			     GError **error)
{
	g_autofree char *own_list = g_strdup_printf(".%s" SUFFIX, component);
	g_auto(GStrv) files = NULL;

	if (!varve_dir_list(AT_FDCWD, packages, &files, error))
		return FALSE;
	for (char **file = files; *file; file++) {
		g_autofree char *path = g_build_filename(packages, *file, NULL);
		g_auto(GStrv) theirs = NULL;

		if (!g_str_has_suffix(*file, SUFFIX) || strcmp(*file, own_list) == 0)
			continue;
		if (!read_list(path, &theirs, error))
			return FALSE;
		for (char **their = theirs; *their; their++) {
			g_autofree char *name = varve_requires_file_package(*their);

			for (guint i = 0; i < names->len; i++) {
				g_autofree char *ours =
					varve_requires_file_package(names->pdata[i]);

				if (strcmp(ours, name) == 0)
					return varve_fail(
						error, VARVE_ERROR_CONFLICT,
						"package '%s': component '%.*s' brings one of that "
						"name too; rename one of them, or remove %s",
						name, (int)(strlen(*file) - 1 - strlen(SUFFIX)),
						*file + 1, path);
			}
		}
	}
	return TRUE;
}

/* Whether they were the same already. */
static gboolean link_packages(const char *directory, const char *packages, const GPtrArray *names,
			      gboolean *ret_changed, GError **error)
{
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *from = g_build_filename(directory, names->pdata[i], NULL);
		g_autofree char *to = g_build_filename(packages, names->pdata[i], NULL);
		g_autofree char *partial = g_strconcat(to, ".partial", NULL);
		struct stat ours, theirs;

		if (stat(from, &ours) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", from);
		if (stat(to, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
		    ours.st_dev == theirs.st_dev)
			continue;
		unlink(partial);
		if (link(from, partial) < 0 || rename(partial, to) < 0)
			return varve_fail_errno(error, errno, "%s: cannot put in place", to);
		*ret_changed = TRUE;
	}
	return TRUE;
}

static gboolean remove_former(const char *packages, char **former, const GPtrArray *names,
			      gboolean *ret_changed, GError **error)
{
	for (char **file = former; *file; file++) {
		g_autofree char *path = g_build_filename(packages, *file, NULL);

		if (!**file || strchr(*file, '/') ||
		    g_ptr_array_find_with_equal_func((GPtrArray *)names, *file, g_str_equal, NULL))
			continue;
		if (unlink(path) < 0 && errno != ENOENT)
			return varve_fail_errno(error, errno, "%s: cannot remove", path);
		*ret_changed = TRUE;
	}
	return TRUE;
}

/* What was there and what is to be there, until only the latter is: a run that was killed in
 * between leaves nothing that nobody takes away. */
static gboolean write_list(const char *list, char **former, const GPtrArray *names, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(text, "%s\n", (char *)names->pdata[i]);
	for (char **file = former; file && *file; file++)
		if (**file)
			g_string_append_printf(text, "%s\n", *file);
	return varve_file_write(AT_FDCWD, list, text->str, text->len, 0644, error);
}

static gboolean index_anew(const VarveBuildPlace *place, const char *own, GError **error)
{
	g_autofree char *home = g_build_filename(place->keys, "package-gnupg", NULL);
	g_autoptr(VarveOpenpgp) key = varve_openpgp_open(home, error);

	return key && varve_repository_publish(own, key, NULL, error);
}

gboolean varve_build_publish(const VarveBuildPlace *place, const char *component,
			     const char *directory, GError **error)
{
	g_autofree char *own = varve_build_own_directory(place);
	g_autofree char *packages = g_build_filename(own, "packages", NULL);
	g_autofree char *list = list_path(packages, component);
	g_autofree char *signature = g_build_filename(own, "repodata", "repomd.xml.asc", NULL);
	g_autoptr(GPtrArray) names = varve_repository_packages(directory, error);
	g_auto(GStrv) former = NULL;
	gboolean changed = FALSE;

	if (!names || !varve_dir_make(packages, 0755, error))
		return FALSE;
	for (guint i = names->len; i-- > 0;)
		if (g_str_has_suffix(names->pdata[i], ".src.rpm"))
			g_ptr_array_remove_index(names, i);
	if (!read_list(list, &former, error) || !check_others(packages, component, names, error) ||
	    !write_list(list, former, names, error) ||
	    !link_packages(directory, packages, names, &changed, error) ||
	    !remove_former(packages, former, names, &changed, error))
		return FALSE;
	if ((changed || access(signature, F_OK) < 0) && !index_anew(place, own, error))
		return FALSE;
	return write_list(list, NULL, names, error);
}
