/* varve component build: components from their specs to signed packages in the local repository. */
#include "base/error.h"
#include "base/json.h"
#include "build/job.h"
#include "cli/varve/component-set.h"
#include "cli/varve/verbs.h"
#include "cli/varve/workspace.h"
#include "component/select.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	VarveWorkspaceOptions workspace;
	char *edition;
	gboolean all, no_check, anew, verify, keep_root, shell;
} ComponentBuildOptions;

static GOptionEntry *entries(gpointer data)
{
	ComponentBuildOptions *options = data;
	const GOptionEntry more[] = {
		{ "edition", 0, 0, G_OPTION_ARG_STRING, &options->edition,
		  "Whose upstream and architecture (default: the only one)", "NAME" },
		{ "all", 0, 0, G_OPTION_ARG_NONE, &options->all, "All that the definition has",
		  NULL },
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

/* What all components of a run share. */
typedef struct {
	const VarveWorkspace *workspace;
	const ComponentBuildOptions *options;
	const VarvePrepare *prepare;
	json_t *report; /* (nullable) */
} Builder;

static VarveBuildJob make_job(const Builder *builder, const VarveEffective *effective)
{
	const VarveWorkspace *workspace = builder->workspace;
	const ComponentBuildOptions *options = builder->options;

	return (VarveBuildJob){
		.place = { .definition = workspace->definition,
			   .upstream = workspace->upstream,
			   .arch = workspace->arch,
			   .work = workspace->work,
			   .keys = workspace->keys,
			   .mirror = options->workspace.mirror,
			   .refresh = options->workspace.refresh,
			   .prepare = builder->prepare },
		.effective = effective,
		.log_dir = workspace->definition->project.log_dir,
		.no_check = options->no_check,
		.anew = options->anew,
		.verify = options->verify,
		.keep_root = options->keep_root,
		.shell = options->shell,
	};
}

static gboolean build_one(const Builder *builder, const VarveEffective *effective, GError **error)
{
	VarveBuildJob job = make_job(builder, effective);
	g_auto(VarveBuildResult) result = { 0 };

	if (!varve_build_run(&job, &result, error))
		return FALSE;
	if (builder->report)
		json_array_append_new(builder->report, result_json(effective->name, &result));
	else
		print_result(effective->name, &result);
	return TRUE;
}

static const VarveEffective *find(const GPtrArray *components, const char *name)
{
	for (guint i = 0; i < components->len; i++) {
		const VarveEffective *effective = components->pdata[i];

		if (strcmp(effective->name, name) == 0)
			return effective;
	}
	return NULL;
}

static void add_line(GString *failures, const char *line)
{
	g_string_append_printf(failures, "%s%s", failures->len ? "\n" : "", line);
}

/* One that fails stops those that need it, and nobody else. */
static void build_in_order(const Builder *builder, const GPtrArray *components,
			   const GPtrArray *order, GString *failures)
{
	g_autoptr(GPtrArray) failed = g_ptr_array_new();

	for (guint i = 0; i < order->len; i++) {
		VarveBuildNeeds *needs = order->pdata[i];
		const VarveBuildNeeds *missing = varve_build_needs_any(needs, failed);
		g_autoptr(GError) local = NULL;

		if (missing) {
			g_autofree char *line =
				g_strdup_printf("component '%s' needs '%s', which was not built",
						needs->name, missing->name);

			add_line(failures, line);
		} else if (!build_one(builder, find(components, needs->name), &local)) {
			add_line(failures, local->message);
		} else {
			continue;
		}
		g_ptr_array_add(failed, needs);
	}
}

/* Several: those that others need come first. */
static gboolean build_several(const Builder *builder, const GPtrArray *components, GError **error)
{
	g_autoptr(GPtrArray) all =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_build_needs_free);
	g_autoptr(GString) failures = g_string_new(NULL);
	g_autoptr(GPtrArray) order = NULL;

	for (guint i = 0; i < components->len; i++) {
		VarveBuildJob job = make_job(builder, components->pdata[i]);
		g_autoptr(GError) local = NULL;
		VarveBuildNeeds *needs = varve_build_ask(&job, &local);

		if (needs)
			g_ptr_array_add(all, needs);
		else
			add_line(failures, local->message);
	}
	order = varve_build_order(all, error);
	if (!order)
		return FALSE;
	build_in_order(builder, components, order, failures);
	return failures->len == 0 || varve_fail(error, VARVE_ERROR_SYSTEM, "%s", failures->str);
}

static gboolean build_all(const VarveWorkspace *workspace, const VarveInvocation *invocation,
			  json_t *report, GError **error)
{
	const ComponentBuildOptions *options = invocation->options;
	g_autofree char *lock_path = varve_component_lock_path(workspace->definition);
	g_autofree char *work = g_build_filename(workspace->work, "components", NULL);
	g_autoptr(VarveComponentsLock) lock = varve_components_lock_open(lock_path, error);
	g_autoptr(VarveRevisions) changes =
		lock ? varve_revisions_read(lock_path,
					    workspace->definition->components->azldev_locks, error)
		     : NULL;
	g_autoptr(GPtrArray) components =
		changes ? varve_effective_select(workspace->definition,
						 (const char *const *)invocation->argv, error)
			: NULL;
	const VarvePrepare prepare = { .definition = workspace->definition,
				       .sources = { .work = work,
						    .debian_mirror = options->workspace.mirror },
				       .lock = lock,
				       .changes = changes,
				       .archives = TRUE };
	const Builder builder = { workspace, options, &prepare, report };

	if (!components)
		return FALSE;
	return components->len == 1 ? build_one(&builder, components->pdata[0], error)
				    : build_several(&builder, components, error);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const ComponentBuildOptions *options = invocation->options;
	g_autoptr(VarveWorkspace) workspace =
		varve_workspace_open(&options->workspace, options->edition, error);
	g_autoptr(json_t) report = json_object();
	json_t *components = json_array();
	gboolean done;

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
	if (options->all ? invocation->argc > 0 : invocation->argc == 0) {
		varve_fail(error, VARVE_ERROR_USAGE, "name components, or say --all");
		return VARVE_EXIT_FAILED;
	}
	done = build_all(workspace, invocation, invocation->json ? components : NULL, error);
	/* What was built is told, also where something failed. */
	if (invocation->json) {
		g_autofree char *text = varve_json_dump(report, FALSE);

		fputs(text, stdout);
	}
	return done ? VARVE_EXIT_OK : VARVE_EXIT_FAILED;
}

const VarveVerb varve_verb_component_build = {
	.words = "component build",
	.arguments = "[NAME…]",
	.summary = "Build components: a spec with its overlays to signed packages.",
	.details =
		"Each is built in a clean root of the upstream's packages, without network and\n"
		"without privileges; names may be patterns, and of several those that others need\n"
		"come first. What is made of the same is not made again. Packages go to the local\n"
		"repository, which later builds and layers ask first.",
	.options_size = sizeof(ComponentBuildOptions),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 0,
	.max_arguments = -1,
	.run = run,
};
