/* Running a script that makes a source file. */
#include "build/generate.h"

#include "base/error.h"
#include "base/file.h"
#include "build/chamber.h"
#include "build/log.h"
#include "component/archive.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Inside; the second is what scripts are written for. */
#define SCRIPT_DIRECTORY "/azldev-gen/script"
#define OUTPUT_DIRECTORY "/azldev-gen/output"

typedef struct {
	const VarveGenerate *generate;
	const VarveSource *source;
	const VarveSourceFile *file;
	char *scratch;                 /* of this file alone: an input may be made like it */
	char *loose, *script, *output; /* host directories below it */
	char *log_path;
	FILE *log;
	VarveBuildRoot root;
} Run;

static void run_clear(Run *run)
{
	if (run->log)
		fclose(run->log);
	varve_build_root_clear(&run->root);
	g_free(run->log_path);
	g_free(run->scratch);
	g_free(run->loose);
	g_free(run->script);
	g_free(run->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* (caller frees) where the script is on the host. */
static char *find_script(const Run *run)
{
	const VarveSource *source = run->source;
	g_autofree char *said = NULL, *directory = NULL;

	if (source->directory)
		return g_build_filename(source->directory, run->file->script, NULL);
	said = g_canonicalize_filename(run->file->origin.file, source->definition->directory);
	directory = g_path_get_dirname(said);
	return g_build_filename(directory, run->file->script, NULL);
}

static gboolean make_directories(Run *run, GError **error)
{
	char **const directories[] = { &run->loose, &run->script, &run->output };
	static const char *const names[] = { "loose", "script", "output" };

	run->scratch = g_build_filename(run->generate->scratch, run->file->filename, NULL);
	if (!varve_dir_remove(AT_FDCWD, run->scratch, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		*directories[i] = g_build_filename(run->scratch, names[i], NULL);
		if (!varve_dir_make(*directories[i], 0755, error))
			return FALSE;
	}
	if (chown(run->output, VARVE_BUILD_USER, VARVE_BUILD_USER) < 0)
		return varve_fail_errno(error, errno, "%s", run->output);
	run->log_path = g_build_filename(run->scratch, "log", NULL);
	run->log = fopen(run->log_path, "we");
	return run->log || varve_fail_errno(error, errno, "%s: cannot be written", run->log_path);
}

/* One that a script makes has to stand above those that it goes into. */
static gboolean is_made_later(const Run *run, const char *name)
{
	const VarveComponent *component = &run->source->effective->component;
	gboolean below = FALSE;

	for (gsize i = 0; i < component->n_source_files; i++) {
		const VarveSourceFile *file = &component->source_files[i];

		below |= file == run->file || strcmp(file->filename, run->file->filename) == 0;
		if (below && file->from == VARVE_SOURCE_CUSTOM && strcmp(file->filename, name) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean take_input(const Run *run, const char *name, GError **error)
{
	const VarveSource *source = run->source;
	g_autofree char *path = g_build_filename(run->loose, name, NULL);
	g_autofree char *target = g_build_filename(run->script, name, NULL);

	if (strcmp(name, run->file->script) == 0 || is_made_later(run, name))
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "'%s' cannot be one of its inputs: it is the script itself, or "
				  "made by one further down",
				  name);
	if (varve_sources_file_find(source->sources, name))
		return varve_source_fetch_into(source, name, run->script, error);
	if (g_file_test(path, G_FILE_TEST_IS_SYMLINK) || !g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no '%s', which is one of its inputs, among the sources "
				  "and beside the spec",
				  name);
	return varve_file_copy(path, target, 0644, error);
}

static gboolean take_inputs(const Run *run, GError **error)
{
	g_autofree char *from = find_script(run);
	g_autofree char *to = g_build_filename(run->script, run->file->script, NULL);
	varve_autofd loose = varve_dir_open(AT_FDCWD, run->loose, error);

	if (loose < 0 || !varve_source_export((VarveSource *)run->source, loose, error))
		return FALSE;
	for (const char *const *name = run->file->inputs; name && *name; name++)
		if (!take_input(run, *name, error))
			return FALSE;
	return varve_file_copy(from, to, 0755, error);
}

static gboolean run_script(Run *run, GError **error)
{
	g_autofree char *directory = g_build_filename(run->scratch, "root", NULL);
	const char *argv[] = {
		"sh", "-c", "cd " SCRIPT_DIRECTORY " && exec ./\"$1\"", "sh", run->file->script,
		NULL
	};
	g_auto(VarveChamber) chamber = { 0 };
	g_autoptr(GError) failure = NULL;
	g_autofree char *tail = NULL;

	if (!varve_build_root_make(run->generate->place, run->file->mock_packages, NULL, &run->root,
				   error) ||
	    !varve_chamber_open(&chamber, &run->root, directory, error))
		return FALSE;
	varve_chamber_bind(&chamber, run->script, SCRIPT_DIRECTORY, FALSE);
	varve_chamber_bind(&chamber, run->output, OUTPUT_DIRECTORY, TRUE);
	chamber.name = run->file->filename;
	chamber.log = run->log;
	chamber.network = !run->source->options->offline;
	chamber.epoch = run->generate->place->definition->os.released_time;
	if (varve_chamber_run(&chamber, argv, &failure))
		return TRUE;
	tail = varve_log_tail(run->log, run->log_path);
	return varve_fail(error, VARVE_ERROR_SYSTEM,
			  "the script '%s' failed (%s); its last lines:\n%s", run->file->script,
			  failure->message, tail);
}

static gboolean pack(const Run *run, GError **error)
{
	g_auto(GStrv) names = NULL;
	varve_autofd from = varve_dir_open(AT_FDCWD, run->output, error), into = -1;

	if (from < 0 || !varve_dir_list(from, ".", &names, error))
		return FALSE;
	if (!*names)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "the script '%s' left nothing in " OUTPUT_DIRECTORY,
				  run->file->script);
	into = varve_dir_open(AT_FDCWD, run->scratch, error);
	return into >= 0 && varve_archive_create(into, run->file->filename, from, error);
}

char *varve_build_generate(const VarveSource *source, const VarveSourceFile *file, gpointer data,
			   GError **error)
{
	const VarveGenerate *generate = data;
	g_auto(Run) run = { .generate = generate, .source = source, .file = file };

	if (!varve_archive_named(file->filename, NULL, error) || !make_directories(&run, error) ||
	    !take_inputs(&run, error) || !run_script(&run, error) || !pack(&run, error)) {
		g_autofree char *origin = varve_origin_text(&file->origin);

		g_prefix_error(error, "component '%s': %s: '%s': ", source->name, origin,
			       file->filename);
		return NULL;
	}
	return g_build_filename(run.scratch, file->filename, NULL);
}
