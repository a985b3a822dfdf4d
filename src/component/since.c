/* Two states of a definition, side by side. */
#include "component/since.h"

#include "base/error.h"
#include "base/file.h"
#include "component/git.h"
#include "component/inputs.h"
#include "component/source.h"

#include <stdlib.h>
#include <string.h>

/** A definition with its lock. */
typedef struct {
	const VarveDefinition *definition;
	VarveComponentsLock *lock;
} State;

/** What was asked for, and both. */
typedef struct {
	const char *revision, *commit;
	State before, after;
} Comparison;

/** The one of then, in a directory of its own. */
typedef struct {
	char *directory;
	VarveDefinition *definition;
	VarveComponentsLock *lock;
} Past;

static void clear_past(Past *past)
{
	varve_components_lock_free(past->lock);
	varve_definition_free(past->definition);
	if (past->directory)
		varve_dir_remove(AT_FDCWD, past->directory, NULL);
	g_free(past->directory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Past, clear_past)

static void free_difference(gpointer data)
{
	VarveComponentDifference *difference = data;

	g_free(difference->name);
	g_ptr_array_unref(difference->reasons);
	g_free(difference);
}

/* @path relative to the repository's top; NULL where it lies elsewhere. */
static char *within(const VarveGit *git, const char *path)
{
	const char *top = varve_git_directory(git);
	g_autofree char *real = realpath(path, NULL);

	if (!real || !g_str_has_prefix(real, top))
		return NULL;
	if (!real[strlen(top)])
		return g_strdup("");
	return real[strlen(top)] == '/' ? g_strdup(real + strlen(top) + 1) : NULL;
}

/* What is made from the definition is not read for it, and may be large. */
static char **left_out(const VarveGit *git, const VarveDefinition *definition)
{
	const char *const paths[] = { definition->components->rendered_specs_dir,
				      definition->project.output_dir, definition->project.work_dir,
				      definition->project.log_dir };
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		char *name = paths[i] ? within(git, paths[i]) : NULL;

		if (name && *name)
			g_ptr_array_add(names, name);
		else
			g_free(name);
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static gboolean open_past(const VarveDefinition *definition, const char *lock_path,
			  const char *revision, Past *past, char **ret_commit, GError **error)
{
	g_autoptr(VarveGit) git = varve_git_open_local(definition->directory, error);
	g_autofree char *commit = git ? varve_git_resolve(git, revision, error) : NULL;
	g_autofree char *root = git ? within(git, definition->files[0]) : NULL;
	g_autofree char *lock_directory = g_path_get_dirname(lock_path);
	g_autofree char *lock_base = g_path_get_basename(lock_path), *lock = NULL, *file = NULL;
	g_autofree char *lock_within = git ? within(git, lock_directory) : NULL;
	g_auto(GStrv) but = git ? left_out(git, definition) : NULL;

	if (!commit)
		return FALSE;
	if (!root)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "'%s' does not lie in its own repository '%s'",
				  definition->files[0], varve_git_directory(git));
	past->directory = g_dir_make_tmp("varve-since-XXXXXX", error);
	if (!past->directory ||
	    !varve_git_check_out(git, commit, (const char *const *)but, past->directory, error))
		return FALSE;
	file = g_build_filename(past->directory, root, NULL);
	past->definition = varve_definition_load(file, error);
	if (!past->definition) {
		g_prefix_error(error, "the definition at %s: ", revision);
		return FALSE;
	}
	lock = g_build_filename(past->directory, lock_within ? lock_within : "", lock_base, NULL);
	past->lock = varve_components_lock_open(lock, error);
	*ret_commit = g_steal_pointer(&commit);
	return past->lock != NULL;
}

static GHashTable *names_of(const VarveDefinition *definition)
{
	GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);

	for (gsize i = 0; i < definition->components->n_components; i++)
		g_hash_table_add(names, (gpointer)definition->components->components[i].name);
	return names;
}

/* @ret_pending: (nullable, caller frees) what the lock does not answer yet. */
static GPtrArray *inputs_of(const State *state, const VarveEffective *effective, char **ret_pending,
			    GError **error)
{
	const VarveComponentRecord *record =
		varve_components_lock_find(state->lock, effective->name);
	g_autofree char *pin = varve_source_pin(effective);

	if (!record)
		*ret_pending = g_strdup("it is not in components.lock yet: render it");
	else if (strcmp(pin, record->pin) != 0)
		*ret_pending = g_strdup_printf("spec '%s' → '%s': render it to know the commit",
					       record->pin, pin);
	return varve_component_inputs_new(state->definition, effective, record, error);
}

static void add(GPtrArray *differences, const char *name, VarveComponentState state,
		GPtrArray *reasons)
{
	VarveComponentDifference *difference = g_new0(VarveComponentDifference, 1);

	difference->name = g_strdup(name);
	difference->state = state;
	difference->reasons = reasons ? reasons : g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(differences, difference);
}

static const VarveSourceFile *find_tree(const VarveEffective *effective, const char *filename)
{
	for (gsize i = 0; i < effective->component.n_source_files; i++) {
		const VarveSourceFile *file = &effective->component.source_files[i];

		if (varve_source_is_tree(file) && strcmp(file->filename, filename) == 0)
			return file;
	}
	return NULL;
}

/* "tree:DIR", without the paths: those may be many. */
static char *show_tree(const VarveSourceFile *file)
{
	return g_strdup_printf("source %s (%.*s)", file->filename, (int)strcspn(file->uri, "?"),
			       file->uri);
}

/* What lies in the tree of @file now, against what lay there at the revision. */
static void compare_tree(const Comparison *comparison, const VarveSourceFile *file,
			 GPtrArray *reasons)
{
	g_autofree char *shown = show_tree(file), *commit = NULL, *where = NULL;
	g_auto(GStrv) only = NULL;
	g_autofree char *tree =
		varve_source_tree(file, comparison->after.definition->directory, &only);
	g_autoptr(GError) cause = NULL;
	gsize n = 0;

	if (!varve_git_count_changes(tree, (const char *const *)only, comparison->revision, &commit,
				     &n, &cause)) {
		g_ptr_array_add(
			reasons,
			g_strdup_printf("%s: whether it changed since %s cannot be told: %s", shown,
					comparison->revision, cause->message));
		return;
	}
	if (n == 0)
		return;
	/* A branch of the same name, or HEAD, of another repository. */
	where = strcmp(commit, comparison->commit) == 0
			? g_strdup("")
			: g_strdup_printf(", commit %.12s there", commit);
	g_ptr_array_add(reasons, g_strdup_printf("%s: %zu file%s changed since %s%s", shown, n,
						 n == 1 ? "" : "s", comparison->revision, where));
}

static void compare_trees(const Comparison *comparison, const VarveEffective *before,
			  const VarveEffective *after, GPtrArray *reasons)
{
	for (gsize i = 0; i < after->component.n_source_files; i++) {
		const VarveSourceFile *file = &after->component.source_files[i];
		const VarveSourceFile *old =
			varve_source_is_tree(file) ? find_tree(before, file->filename) : NULL;
		g_autofree char *shown = varve_source_is_tree(file) ? show_tree(file) : NULL;

		if (old && strcmp(old->uri, file->uri) == 0)
			compare_tree(comparison, file, reasons);
		else if (old)
			g_ptr_array_add(reasons,
					g_strdup_printf("source %s '%s' → '%s'", file->filename,
							old->uri, file->uri));
		else if (shown)
			g_ptr_array_add(reasons, g_strconcat(shown, " is new", NULL));
	}
	for (gsize i = 0; i < before->component.n_source_files; i++) {
		const VarveSourceFile *file = &before->component.source_files[i];
		g_autofree char *shown = varve_source_is_tree(file) ? show_tree(file) : NULL;

		if (shown && !find_tree(after, file->filename))
			g_ptr_array_add(reasons, g_strconcat(shown, " is gone", NULL));
	}
}

static gboolean compare(const Comparison *comparison, const char *name, GPtrArray *differences,
			GError **error)
{
	const State *before = &comparison->before, *after = &comparison->after;
	g_autoptr(VarveEffective) was = varve_effective_new(before->definition, name, error);
	g_autoptr(VarveEffective) is =
		was ? varve_effective_new(after->definition, name, error) : NULL;
	g_autofree char *unused = NULL, *pending = NULL;
	g_autoptr(GPtrArray) old = is ? inputs_of(before, was, &unused, error) : NULL;
	g_autoptr(GPtrArray) new = old ? inputs_of(after, is, &pending, error) : NULL;
	g_autoptr(GPtrArray) reasons = NULL;

	if (!new)
		return FALSE;
	/* Where neither knows an upstream, there is nothing to say of it. */
	if (!varve_components_lock_find(before->lock, name) &&
	    !varve_components_lock_find(after->lock, name))
		g_clear_pointer(&pending, g_free);
	reasons = varve_component_inputs_compare(old, new);
	compare_trees(comparison, was, is, reasons);
	if (pending)
		g_ptr_array_add(reasons, g_steal_pointer(&pending));
	if (reasons->len > 0)
		add(differences, name, VARVE_COMPONENT_CHANGED, g_steal_pointer(&reasons));
	return TRUE;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *all_names(GHashTable *before, GHashTable *after)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iterator;
	gpointer name;

	g_hash_table_iter_init(&iterator, before);
	while (g_hash_table_iter_next(&iterator, &name, NULL))
		g_ptr_array_add(names, name);
	g_hash_table_iter_init(&iterator, after);
	while (g_hash_table_iter_next(&iterator, &name, NULL)) {
		if (!g_hash_table_contains(before, name))
			g_ptr_array_add(names, name);
	}
	g_ptr_array_sort(names, compare_names);
	return names;
}

GPtrArray *varve_components_since(const VarveDefinition *definition, const char *lock_path,
				  const char *revision, char **ret_commit, GError **error)
{
	g_autoptr(GPtrArray) differences = g_ptr_array_new_with_free_func(free_difference);
	g_autoptr(VarveComponentsLock) lock = varve_components_lock_open(lock_path, error);
	g_autoptr(GHashTable) old_names = NULL, new_names = NULL;
	g_autoptr(GPtrArray) names = NULL;
	g_autofree char *commit = NULL;
	g_auto(Past) past = { 0 };
	Comparison comparison = { .revision = revision, .after = { definition, lock } };

	if (!lock || !open_past(definition, lock_path, revision, &past, &commit, error))
		return NULL;
	comparison.commit = commit;
	comparison.before = (State){ past.definition, past.lock };
	old_names = names_of(past.definition);
	new_names = names_of(definition);
	names = all_names(old_names, new_names);
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		gboolean was = g_hash_table_contains(old_names, name);
		gboolean is = g_hash_table_contains(new_names, name);

		if (was && is && !compare(&comparison, name, differences, error))
			return NULL;
		if (was != is)
			add(differences, name, is ? VARVE_COMPONENT_ADDED : VARVE_COMPONENT_REMOVED,
			    NULL);
	}
	*ret_commit = g_steal_pointer(&commit);
	return g_steal_pointer(&differences);
}
