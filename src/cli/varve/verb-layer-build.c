/* varve layer build: one layer of an edition, and its image signed unless asked not to. */
#include "base/file.h"
#include "base/json.h"
#include "cli/varve/verbs.h"
#include "cli/varve/workspace.h"

#include <stdio.h>

typedef struct {
	VarveWorkspaceOptions workspace;
	char *edition;
	gboolean unsigned_image;
} LayerBuildOptions;

static GOptionEntry *entries(gpointer data)
{
	LayerBuildOptions *options = data;
	const GOptionEntry more[] = {
		{ "edition", 'e', 0, G_OPTION_ARG_STRING, &options->edition,
		  "Edition whose layer it is (default: the only one)", "NAME" },
		{ "unsigned", 0, 0, G_OPTION_ARG_NONE, &options->unsigned_image,
		  "Leave it unsigned: NAME_VERSION_ARCH.erofs, for 'varve layer seal'", NULL },
		{ NULL },
	};

	return varve_workspace_entries(&options->workspace, more);
}

/* The unsigned image under a name of its own, for another machine that has the key. */
static char *copy_unsigned(const VarveWorkspace *workspace, const VarveComposed *composed,
			   GError **error)
{
	g_autofree char *path =
		g_strdup_printf("%s/%s_%s_%s.erofs", workspace->output, composed->manifest->name,
				composed->manifest->version, workspace->arch->name);

	if (!varve_dir_make(workspace->output, 0755, error) ||
	    !varve_file_copy(composed->image, path, 0644, error))
		return NULL;
	return g_steal_pointer(&path);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const LayerBuildOptions *options = invocation->options;
	g_autoptr(VarveWorkspace) workspace =
		varve_workspace_open(&options->workspace, options->edition, error);
	const VarveLayerDefinition *layer;
	const VarveComposed *composed;
	g_autofree char *path = NULL;

	layer = workspace
			? varve_definition_layer(workspace->definition, invocation->argv[0], error)
			: NULL;
	if (!layer || !varve_workspace_compose(workspace, error) ||
	    !varve_composer_layer(workspace->composer, layer, &composed, error) ||
	    !varve_composer_save_lock(workspace->composer, error))
		return VARVE_EXIT_FAILED;
	if (options->unsigned_image)
		path = copy_unsigned(workspace, composed, error);
	else if (!varve_composer_seal(workspace->composer, composed, workspace->output, &path,
				      error))
		return VARVE_EXIT_FAILED;
	if (!path)
		return VARVE_EXIT_FAILED;
	if (invocation->json) {
		g_autoptr(json_t) report = json_pack("{s:s,s:s,s:s,s:b}", "name", layer->name,
						     "version", composed->manifest->version, "file",
						     path, "made", composed->made);
		g_autofree char *text = varve_json_dump(report, FALSE);

		fputs(text, stdout);
	} else {
		printf("%s%s\n", path, composed->made ? "" : "  (unchanged)");
	}
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_layer_build = {
	.words = "layer build",
	.arguments = "LAYER",
	.summary = "Build and sign one layer of an edition.",
	.options_size = sizeof(LayerBuildOptions),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
