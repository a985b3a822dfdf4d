/* rpm's elfdeps, run twice over a list of files. */
#include "rpm/elfdeps.h"

#include "base/process.h"

#include <string.h>

#define ELFDEPS "/usr/lib/rpm/elfdeps"

static gboolean run(const char *what, const GString *list, char ***ret, GError **error)
{
	const char *argv[] = { ELFDEPS, what, NULL };
	VarveProcess process = { .argv = argv, .input = list->str, .input_size = list->len };
	g_autofree char *output = NULL;
	g_auto(GStrv) lines = NULL;
	gsize kept = 0;

	if (!varve_process_run(&process, &output, error))
		return FALSE;
	lines = g_strsplit(output, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (**line)
			lines[kept++] = *line;
		else
			g_free(*line);
	}
	lines[kept] = NULL;
	*ret = g_steal_pointer(&lines);
	return TRUE;
}

gboolean varve_elfdeps_run(const GPtrArray *paths, char ***ret_provides, char ***ret_requires,
			   GError **error)
{
	g_autoptr(GString) list = g_string_new(NULL);
	g_auto(GStrv) provides = NULL;
	g_auto(GStrv) requires = NULL;

	for (guint i = 0; i < paths->len; i++)
		g_string_append_printf(list, "%s\n", (const char *)g_ptr_array_index(paths, i));
	if (!run("--provides", list, &provides, error) ||
	    !run("--requires", list, &requires, error))
		return FALSE;
	*ret_provides = g_steal_pointer(&provides);
	*ret_requires = g_steal_pointer(&requires);
	return TRUE;
}
