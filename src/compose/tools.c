/* The tools tree: running its programs. */
#include "compose/tools.h"

struct VarveTools {
	char *root;
};

VarveTools *varve_tools_open(const char *root)
{
	VarveTools *tools = g_new0(VarveTools, 1);

	tools->root = g_strdup(root);
	return tools;
}

void varve_tools_free(VarveTools *tools)
{
	if (!tools)
		return;
	g_free(tools->root);
	g_free(tools);
}

const char *varve_tools_root(const VarveTools *tools)
{
	return tools->root;
}

gboolean varve_tools_run(const VarveTools *tools, const char *const *argv, const VarveBind *binds,
			 size_t n_binds, gint64 epoch, char **ret_output, GError **error)
{
	g_autofree char *source_date =
		g_strdup_printf("SOURCE_DATE_EPOCH=%" G_GINT64_FORMAT, epoch);
	const char *env[] = { source_date, NULL };
	VarveProcess process = {
		.argv = argv,
		.env = env,
		.root = tools->root,
		.binds = binds,
		.n_binds = n_binds,
		.read_only_root = TRUE,
	};

	return varve_process_run(&process, ret_output, error);
}
