/* varve component build: components from their specs to signed packages in the local repository. */
#include "base/json.h"
#include "build/job.h"
#include "cli/varve/component-set.h"
#include "cli/varve/verbs.h"
#include "cli/varve/workspace.h"
#include "component/effective.h"

#include <stdio.h>

typedef struct {
	VarveWorkspaceOptions workspace;
	char *edition;
	gboolean no_check, anew, verify, keep_root, shell;
} ComponentBuildOptions;

static GOptionEntry *entries(gpointer data)
{
	ComponentBuildOptions *options = data;
	const GOptionEntry more[] = {
		{ "edition", 0, 0, G_OPTION_ARG_STRING, &options->edition,
		  "Whose upstream and architecture (default: the only one)", "NAME" },
		{ "no-check", 0, 0, G_OPTION_ARG_NONE, &options->no_check, "Do not run %check",
		  NULL },
		{ "anew", 0, 0, G_OPTION_ARG_NONE, &options->anew,
		  "Build also where nothing changed", NULL },
		{ "verify", 0, 0, G_OPTION_ARG_NONE, &options->verify,
		  "Build twice; packages that are not the same bytes are an error", NULL },
		{ "keep-root", 0, 0, G_OPTION_ARG_NONE, &options->keep_root,
		  "Leave the build root as the build left it", NULL },
		{ "shell", 0, 0, G_OPTION_ARG_NONE, &options->shell,
		  "Where a build fails, open a shell in its root", NULL },
		{ NULL },
	};

	return varve_workspace_entries(&options->workspace, more);
}

static void print_result(const char *name, const VarveBuildResult *result)
{
	printf("%-16s %s%s\n", name, result->directory, result->made ? "" : "  (unchanged)");
	for (char **package = result->packages; *package; package++)
		printf("%-16s   %s\n", "", *package);
	if (result->root)
		printf("%-16s root: %s\n", "", result->root);
}

static json_t *result_json(const char *name, const VarveBuildResult *result)
{
	return json_pack("{s:s,s:b,s:s,s:o,s:s*,s:s,s:s*}", "name", name, "made", result->made,
			 "directory", result->directory, "packages",
			 varve_json_strings((const char *const *)result->packages), "log",
			 result->log, "key", result->key, "root", result->root);
}

static gboolean build_one(const VarveWorkspace *workspace, const ComponentBuildOptions *options,
			  const VarvePrepare *prepare, const char *name, gboolean json,
			  json_t *report, GError **error)
{
	g_auto(VarveBuildResult) result = { 0 };
	g_autoptr(VarveEffective) effective =
		varve_effective_new(workspace->definition, name, error);
	VarveBuildJob job = {
		.place = { .definition = workspace->definition,
			   .upstream = workspace->upstream,
			   .arch = workspace->arch,
			   .work = workspace->work,
			   .keys = workspace->keys,
			   .mirror = options->workspace.mirror,
			   .refresh = options->workspace.refresh,
			   .prepare = prepare },
		.effective = effective,
		.log_dir = workspace->definition->project.log_dir,
		.no_check = options->no_check,
		.anew = options->anew,
		.verify = options->verify,
		.keep_root = options->keep_root,
		.shell = options->shell,
	};

	if (!effective || !varve_build_run(&job, &result, error))
		return FALSE;
	if (json)
		json_array_append_new(report, result_json(name, &result));
	else
		print_result(name, &result);
	return TRUE;
}

static gboolean build_all(const VarveWorkspace *workspace, const VarveInvocation *invocation,
			  json_t *report, GError **error)
{
	const ComponentBuildOptions *options = invocation->options;
	g_autofree char *lock_path = varve_component_lock_path(workspace->definition);
	g_autofree char *work = g_build_filename(workspace->work, "components", NULL);
	g_autoptr(VarveComponentsLock) lock = varve_components_lock_open(lock_path, error);
	g_autoptr(VarveRevisions) changes = lock ? varve_revisions_read(lock_path, error) : NULL;
	const VarvePrepare prepare = { .definition = workspace->definition,
				       .sources = { .work = work,
						    .debian_mirror = options->workspace.mirror },
				       .lock = lock,
				       .changes = changes,
				       .archives = TRUE };

	if (!changes)
		return FALSE;
	for (int i = 0; i < invocation->argc; i++)
		if (!build_one(workspace, options, &prepare, invocation->argv[i], invocation->json,
			       report, error))
			return FALSE;
	return TRUE;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const ComponentBuildOptions *options = invocation->options;
	g_autoptr(VarveWorkspace) workspace =
		varve_workspace_open(&options->workspace, options->edition, error);
	g_autoptr(json_t) report = json_object();
	json_t *components = json_array();

	json_object_set_new(report, "components", components);
	if (!workspace)
		return VARVE_EXIT_FAILED;
	if (workspace->arch != varve_arch_native()) {
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "components are built on their own architecture: this machine is %s, "
			   "not %s",
			   varve_arch_native()->name, workspace->arch->name);
		return VARVE_EXIT_FAILED;
	}
	if (!build_all(workspace, invocation, components, error))
		return VARVE_EXIT_FAILED;
	if (invocation->json) {
		g_autofree char *text = varve_json_dump(report, FALSE);

		fputs(text, stdout);
	}
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_component_build = {
	.words = "component build",
	.arguments = "NAME…",
	.summary = "Build components: a spec with its overlays to signed packages.",
	.details =
		"Each is built in a clean root of the upstream's packages, without network and\n"
		"without privileges. What is made of the same is not made again. Packages go to\n"
		"the local repository, which later builds and layers ask first.",
	.options_size = sizeof(ComponentBuildOptions),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = run,
};
