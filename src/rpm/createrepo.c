/* createrepo_c, run. (Its library cannot be installed beside librepo's headers on Debian.) */
#include "rpm/createrepo.h"

#include "base/file.h"
#include "base/process.h"

gboolean varve_createrepo_run(const char *directory, const char *output, gint64 revision,
			      const GPtrArray *packages, GError **error)
{
	g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, revision);
	g_autofree char *list = g_build_filename(output, "packages.list", NULL);
	g_autoptr(GString) names = g_string_new(NULL);
	const char *argv[] = { "createrepo_c", "--quiet", "--no-database",
			       "--revision",   number,    "--set-timestamp-to-revision",
			       "--outputdir",  output,    directory,
			       NULL,           NULL,      NULL };
	VarveProcess process = { .argv = argv };

	for (guint i = 0; packages && i < packages->len; i++)
		g_string_append_printf(names, "%s\n", (const char *)g_ptr_array_index(packages, i));
	if (packages) {
		if (!varve_file_write(AT_FDCWD, list, names->str, names->len, 0644, error))
			return FALSE;
		argv[9] = "--pkglist";
		argv[10] = list;
	}
	return varve_process_run(&process, NULL, error);
}
