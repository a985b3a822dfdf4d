/* Rendering many components, each in a directory of its own that is exchanged when it is whole. */
#include "cli/varve/component-set.h"

#include "base/file.h"
#include "base/parallel.h"
#include "base/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define THREADS_A_CORE 4 /* most of the time is waiting for git and servers */

typedef struct {
	VarveComponentSet *set;
	const char *output;
	VarveProgress *progress;
	VarveComponentRecord **records; /* by index; NULL: failed */
	char **failures;
} Batch;

/* "curl" → "OUTPUT/c/curl" */
static char *place_of(const char *output, const char *name)
{
	g_autofree char *lower = g_utf8_strdown(name, -1);
	g_autofree char *letter = g_strndup(lower, (gsize)(g_utf8_next_char(lower) - lower));

	return g_build_filename(output, letter, name, NULL);
}

/* Puts the directory @made in the place of @place. */
static gboolean exchange(const char *made, const char *place, GError **error)
{
	if (renameat2(AT_FDCWD, made, AT_FDCWD, place, RENAME_NOREPLACE) == 0)
		return TRUE;
	if (errno != EEXIST && errno != ENOTEMPTY)
		return varve_fail_errno(error, errno, "%s", place);
	if (renameat2(AT_FDCWD, made, AT_FDCWD, place, RENAME_EXCHANGE) < 0)
		return varve_fail_errno(error, errno, "%s: cannot be exchanged", place);
	return varve_dir_remove(AT_FDCWD, made, error);
}

/* A spec that somebody wrote is not exchanged for what is made of it. */
static gboolean check_place(const Batch *batch, const char *name, const char *place, GError **error)
{
	g_autoptr(VarveEffective) effective =
		varve_effective_new(batch->set->definition, name, error);
	g_autofree char *real = realpath(place, NULL), *directory = NULL, *spec = NULL;

	if (!effective)
		return FALSE;
	if (!real || effective->component.spec.type != VARVE_SPEC_LOCAL)
		return TRUE;
	directory = g_strconcat(real, "/", NULL);
	spec = realpath(effective->component.spec.path, NULL);
	if (!spec || !g_str_has_prefix(spec, directory))
		return TRUE;
	return varve_fail(error, VARVE_ERROR_DEFINITION,
			  "component '%s': its own spec is where it would be rendered, in %s; set "
			  "another 'rendered-specs-dir' in [project], or --output",
			  name, place);
}

static gboolean render_into(Batch *batch, const char *name, VarveComponentRecord **ret,
			    GError **error)
{
	g_autofree char *place = place_of(batch->output, name);
	g_autofree char *parent = g_path_get_dirname(place);
	g_autofree char *made = g_strdup_printf("%s/.%s.new", parent, name);
	gboolean ok;

	/* One may be there of a run that was killed. */
	if (!check_place(batch, name, place, error) || !varve_dir_remove(AT_FDCWD, made, error) ||
	    !varve_dir_make(made, 0755, error))
		return FALSE;
	ok = varve_prepare(&batch->set->prepare, name, made, ret, error) &&
	     exchange(made, place, error);
	if (!ok)
		varve_dir_remove(AT_FDCWD, made, NULL);
	return ok;
}

static gboolean render_one(gsize index, gpointer data, GError **error)
{
	Batch *batch = data;
	const char *name = batch->set->names->pdata[index];
	g_autoptr(GError) cause = NULL;

	(void)error;
	if (!render_into(batch, name, &batch->records[index], &cause))
		batch->failures[index] =
			strstr(cause->message, name)
				? g_strdup(cause->message)
				: g_strdup_printf("component '%s': %s", name, cause->message);
	varve_progress_add(batch->progress, 1, name);
	return TRUE;
}

/* A directory of a component that is gone: it has the spec that rendering gave it. */
static gboolean is_stale(const VarveComponentSet *set, const char *letter, const char *name)
{
	g_autofree char *file = g_strconcat(name, ".spec", NULL);
	g_autofree char *spec = g_build_filename(letter, name, file, NULL);

	for (guint i = 0; i < set->names->len; i++) {
		if (strcmp(set->names->pdata[i], name) == 0)
			return FALSE;
	}
	return g_file_test(spec, G_FILE_TEST_IS_REGULAR);
}

static gboolean prune_letter(const VarveComponentSet *set, const char *letter, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!g_file_test(letter, G_FILE_TEST_IS_DIR) || g_file_test(letter, G_FILE_TEST_IS_SYMLINK))
		return TRUE;
	if (!varve_dir_list(AT_FDCWD, letter, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(letter, *name, NULL);

		if (is_stale(set, letter, *name) && !varve_dir_remove(AT_FDCWD, path, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean prune_output(const VarveComponentSet *set, const char *output, GError **error)
{
	g_auto(GStrv) letters = NULL;

	if (!varve_dir_list(AT_FDCWD, output, &letters, error))
		return FALSE;
	for (char **letter = letters; *letter; letter++) {
		g_autofree char *path = g_build_filename(output, *letter, NULL);

		if (g_utf8_strlen(*letter, -1) == 1 && !prune_letter(set, path, error))
			return FALSE;
	}
	return TRUE;
}

/* Into the lock as it is now: another run may have written it since we read it. */
static gboolean save_lock(VarveComponentSet *set, Batch *batch, GError **error)
{
	g_autoptr(VarveComponentsLock) lock = NULL;
	g_autofree char *parent = g_path_get_dirname(set->lock_path);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (!varve_dir_make(parent, 0755, error))
		return FALSE;
	lock = varve_components_lock_open(set->lock_path, error);
	if (!lock)
		return FALSE;
	for (guint i = 0; i < set->names->len; i++) {
		if (batch->records[i])
			varve_components_lock_set(lock, g_steal_pointer(&batch->records[i]));
	}
	for (gsize i = 0; i < set->definition->components->n_components; i++)
		g_ptr_array_add(names, (gpointer)set->definition->components->components[i].name);
	g_ptr_array_add(names, NULL);
	varve_components_lock_keep(lock, (const char *const *)names->pdata);
	return varve_components_lock_save(lock, set->lock_path, error);
}

static void clear_records(Batch *batch)
{
	for (guint i = 0; i < batch->set->names->len; i++)
		varve_component_record_free(batch->records[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Batch, clear_records)

gboolean varve_component_set_render(VarveComponentSet *set, const char *output, gboolean prune,
				    GPtrArray **ret_failures, GError **error)
{
	g_autoptr(VarveProgress) progress =
		varve_progress_new("rendering components", VARVE_PROGRESS_ITEMS, set->names->len);
	g_autofree VarveComponentRecord **records = g_new0(VarveComponentRecord *, set->names->len);
	g_autofree char **failures = g_new0(char *, set->names->len);
	g_autofree char *path = g_build_filename(set->work, "render.lock", NULL);
	varve_autofd alone = -1;
	g_auto(Batch) batch = { .set = set,
				.output = output,
				.progress = progress,
				.records = records,
				.failures = failures };

	if (!varve_dir_make(output, 0755, error) || !varve_dir_make(set->work, 0755, error))
		return FALSE;
	alone = varve_lock(path, TRUE, error);
	if (alone < 0 || !varve_parallel(set->names->len, THREADS_A_CORE * g_get_num_processors(),
					 render_one, &batch, error))
		return FALSE;
	*ret_failures = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < set->names->len; i++) {
		if (failures[i])
			g_ptr_array_add(*ret_failures, failures[i]);
	}
	varve_progress_end(progress, "%u components", set->names->len - (*ret_failures)->len);
	if ((!prune || prune_output(set, output, error)) && save_lock(set, &batch, error))
		return TRUE;
	g_clear_pointer(ret_failures, g_ptr_array_unref);
	return FALSE;
}
