/* What disk images are called, and finding them by that. */
#include "image/disk.h"

#include "base/error.h"
#include "base/file.h"
#include "format/version.h"

#include <string.h>

char *varve_disk_file_name(const char *name, const char *version, const VarveArch *arch)
{
	return g_strdup_printf("%s_%s_%s.disk.raw", name, version, arch->name);
}

char *varve_disk_find(const char *directory, const char *name, const VarveArch *arch,
		      GError **error)
{
	g_autofree char *prefix = g_strdup_printf("%s_", name);
	g_autofree char *suffix = g_strdup_printf("_%s.disk.raw", arch->name);
	g_autofree char *newest = NULL;
	g_auto(GStrv) names = NULL;

	if (!g_file_test(directory, G_FILE_TEST_IS_DIR))
		names = g_new0(char *, 1);
	else if (!varve_dir_list(AT_FDCWD, directory, &names, error))
		return NULL;
	for (char **file = names; *file; file++) {
		gsize length = strlen(*file), ends = strlen(prefix) + strlen(suffix);
		g_autofree char *version = NULL;

		if (length <= ends || !g_str_has_prefix(*file, prefix) ||
		    !g_str_has_suffix(*file, suffix))
			continue;
		version = g_strndup(*file + strlen(prefix), length - ends);
		if (!newest || varve_version_compare(version, newest) > 0) {
			g_free(newest);
			newest = g_steal_pointer(&version);
		}
	}
	if (newest) {
		g_autofree char *file = varve_disk_file_name(name, newest, arch);

		return g_build_filename(directory, file, NULL);
	}
	varve_fail(error, VARVE_ERROR_NOT_FOUND,
		   "no disk image of the edition '%s' for %s in '%s': make it with 'varve build "
		   "%s', or name an image file",
		   name, arch->name, directory, name);
	return NULL;
}
