/* Opening a definition for work on its components. */
#include "cli/varve/component-set.h"

#include "component/select.h"

#include <string.h>

GOptionEntry *varve_component_entries(VarveComponentOptions *options, const GOptionEntry *more)
{
	const GOptionEntry entries[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &options->directory,
		  "Where the definition is (default: .)", "DIR" },
		{ "work", 0, 0, G_OPTION_ARG_FILENAME, &options->work,
		  "Where caches are (default: the definition's work-dir)", "DIR" },
		{ "lookaside", 0, 0, G_OPTION_ARG_FILENAME, &options->lookaside,
		  "A directory that has a lookaside's files: asked before the network", "DIR" },
		{ "mirror", 0, 0, G_OPTION_ARG_STRING, &options->mirror,
		  "Debian archive for debian: sources (default: the definition's, else the "
		  "machine's)",
		  "URI" },
		{ "offline", 0, 0, G_OPTION_ARG_NONE, &options->offline,
		  "Take only what is in the caches", NULL },
		{ "update", 0, 0, G_OPTION_ARG_NONE, &options->update,
		  "Look up branches and snapshots again, and move the lock", NULL },
		{ "all", 'a', 0, G_OPTION_ARG_NONE, &options->all, "All components", NULL },
	};

	return varve_entries_join(entries, G_N_ELEMENTS(entries), more);
}

char *varve_component_lock_path(const VarveDefinition *definition)
{
	const char *directory = definition->components->lock_dir;

	return g_build_filename(directory ? directory : definition->directory,
				VARVE_COMPONENTS_LOCK, NULL);
}

static gboolean select_names(VarveComponentSet *set, const VarveComponentOptions *options,
			     const char *const *names, GError **error)
{
	g_autoptr(GPtrArray) meant = NULL;

	if (options->all && *names)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "--all means every component; name some, or give --all");
	if (!options->all && !*names)
		return varve_fail(
			error, VARVE_ERROR_USAGE,
			"name a component (patterns such as 'python-*' too), or give --all");
	meant = varve_effective_select(set->definition, names, error);
	if (!meant)
		return FALSE;
	for (guint i = 0; i < meant->len; i++)
		g_ptr_array_add(set->names,
				g_strdup(((const VarveEffective *)meant->pdata[i])->name));
	return TRUE;
}

VarveComponentSet *varve_component_set_open(const VarveComponentOptions *options,
					    const char *const *names, GError **error)
{
	g_autoptr(VarveComponentSet) set = g_new0(VarveComponentSet, 1);

	set->names = g_ptr_array_new_with_free_func(g_free);
	set->definition =
		varve_definition_load(options->directory ? options->directory : ".", error);
	if (!set->definition || !select_names(set, options, names, error))
		return NULL;
	set->lock_path = varve_component_lock_path(set->definition);
	set->work =
		g_build_filename(options->work ? options->work : set->definition->project.work_dir,
				 "components", NULL);
	set->lock = varve_components_lock_open(set->lock_path, error);
	set->changes =
		set->lock ? varve_revisions_read(set->lock_path,
						 set->definition->components->azldev_locks, error)
			  : NULL;
	if (!set->changes)
		return NULL;
	set->prepare = (VarvePrepare){ .definition = set->definition,
				       .sources = { .work = set->work,
						    .lookaside = options->lookaside,
						    .debian_mirror = options->mirror,
						    .offline = options->offline },
				       .lock = set->lock,
				       .changes = set->changes,
				       .update = options->update };
	return g_steal_pointer(&set);
}

void varve_component_set_free(VarveComponentSet *set)
{
	if (!set)
		return;
	g_ptr_array_unref(set->names);
	varve_revisions_free(set->changes);
	varve_components_lock_free(set->lock);
	varve_definition_free(set->definition);
	g_free(set->lock_path);
	g_free(set->work);
	g_free(set);
}
