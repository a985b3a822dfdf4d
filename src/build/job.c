/* Building one component. */
#include "build/job.h"

#include "base/error.h"
#include "base/file.h"
#include "build/chamber.h"
#include "build/collect.h"
#include "build/differ.h"
#include "build/log.h"
#include "build/macros.h"
#include "build/publish.h"
#include "build/requires.h"
#include "build/stage.h"
#include "compose/inputs.h"
#include "compose/store.h"
#include "package/repository.h"
#include "rpm/openpgp.h"

#include <string.h>
#include <unistd.h>

#define JOB_FORMAT "component 1" /* raise when the same inputs are to give other packages */
#define BUILDS_KEPT 3
#define ROUNDS_MAX 10 /* of dynamic build requirements */

/* One run; everything is owned but @options. */
typedef struct {
	const VarveBuildJob *options;
	const char *name;
	char *scratch; /* WORK/build/NAME: stage, macros, the root's sheet */
	int lock;
	VarveStage stage;
	char *macros_text, *macros_path;
	char **not_own; /* packages of an earlier build of it */
	VarveSpecFacts facts;
	gint64 time;      /* of everything in the packages */
	gboolean dynamic; /* the spec has %generate_buildrequires */
	char **requires;  /* static and dynamic */
	VarveBuildRoot root;
	char *log_path;
	FILE *log;
	char *kept_root;
} Run;

static void run_clear(Run *run)
{
	if (run->log)
		fclose(run->log);
	if (run->scratch && !run->kept_root)
		varve_dir_remove(AT_FDCWD, run->scratch, NULL);
	varve_autofd_close(&run->lock);
	varve_stage_clear(&run->stage);
	varve_spec_facts_clear(&run->facts);
	varve_build_root_clear(&run->root);
	g_strfreev(run->not_own);
	g_strfreev(run->requires);
	g_free(run->scratch);
	g_free(run->macros_text);
	g_free(run->macros_path);
	g_free(run->log_path);
	g_free(run->kept_root);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

void varve_build_result_clear(VarveBuildResult *result)
{
	g_free(result->directory);
	g_strfreev(result->packages);
	g_free(result->log);
	g_free(result->key);
	g_free(result->root);
	*result = (VarveBuildResult){ 0 };
}

/* Preparing */

static gboolean prepare(Run *run, GError **error)
{
	const VarveBuildPlace *place = &run->options->place;
	g_autofree char *parent = g_build_filename(place->work, "build", NULL);
	g_autofree char *lock = g_build_filename(parent, "lock", NULL);
	g_autofree char *stage = NULL, *tag = NULL;

	run->scratch = g_build_filename(parent, run->name, NULL);
	stage = g_build_filename(run->scratch, "stage", NULL);
	run->macros_path = g_build_filename(run->scratch, "macros", NULL);
	if (!varve_dir_make(parent, 0755, error))
		return FALSE;
	run->lock = varve_lock(lock, TRUE, error);
	if (run->lock < 0 || !varve_dir_remove(AT_FDCWD, run->scratch, error) ||
	    !varve_dir_make(run->scratch, 0755, error) ||
	    !varve_stage_make(place, run->options->effective, stage, &run->stage, error))
		return FALSE;
	tag = varve_component_facts_to_tag(run->stage.facts);
	run->macros_text = varve_build_macros(place, tag);
	run->not_own = varve_build_published(place, run->name, error);
	return run->not_own && varve_file_write(AT_FDCWD, run->macros_path, run->macros_text,
						strlen(run->macros_text), 0644, error);
}

static gboolean open_chamber(const Run *run, VarveChamber *chamber, GError **error)
{
	g_autofree char *directory = g_build_filename(run->scratch, "root", NULL);

	if (!varve_chamber_open(chamber, &run->root, directory, error))
		return FALSE;
	varve_chamber_bind(chamber, run->stage.directory, VARVE_BUILD_SOURCES, FALSE);
	varve_chamber_bind(chamber, run->macros_path, VARVE_BUILD_MACROS, FALSE);
	chamber->name = run->name;
	chamber->log = run->log;
	chamber->epoch = run->time;
	return TRUE;
}

static gboolean make_root(Run *run, GError **error)
{
	VarveBuildRoot root;

	if (!varve_build_root_make(&run->options->place, (const char *const *)run->requires,
				   (const char *const *)run->not_own, &root, error))
		return FALSE;
	varve_build_root_clear(&run->root);
	run->root = root;
	return TRUE;
}

static char *spec_path(const Run *run)
{
	return g_strconcat(VARVE_BUILD_SOURCES "/", run->stage.spec, NULL);
}

/* What the spec says before anything is built: asked of rpm in a root without the requirements. */
static gboolean ask_spec(Run *run, GError **error)
{
	g_autofree char *spec = spec_path(run);
	const char *arch = run->options->place.arch->rpm;
	const char *query[] = { "rpmspec",
				"--target",
				arch,
				"--query",
				"--srpm",
				"--queryformat",
				VARVE_SPEC_FACTS_FORMAT,
				spec,
				NULL };
	const char *parse[] = { "rpmspec", "--target", arch, "--parse", spec, NULL };
	g_auto(VarveChamber) chamber = { 0 };
	g_autofree char *answer = NULL, *text = NULL;

	if (!make_root(run, error) || !open_chamber(run, &chamber, error))
		return FALSE;
	answer = varve_chamber_ask(&chamber, query, error);
	text = answer ? varve_chamber_ask(&chamber, parse, error) : NULL;
	if (!text || !varve_spec_facts_parse(answer, run->stage.spec, &run->facts, error))
		return FALSE;
	run->dynamic = g_str_has_prefix(text, "%generate_buildrequires") ||
		       strstr(text, "\n%generate_buildrequires");
	run->requires = g_strdupv(run->facts.requires);
	run->time = run->facts.changelog > 0 ? run->facts.changelog
					     : run->options->place.definition->os.released_time;
	return TRUE;
}

/* Keys */

static char *make_key(const Run *run)
{
	g_autoptr(VarveInputs) inputs = varve_inputs_new(JOB_FORMAT);

	varve_inputs_add(inputs, "name", run->name);
	varve_inputs_add(inputs, "arch", run->options->place.arch->name);
	varve_inputs_add(inputs, "stage", run->stage.digest);
	varve_inputs_add(inputs, "macros", run->macros_text);
	varve_inputs_add(inputs, "root", run->root.key);
	varve_inputs_add_number(inputs, "time", (guint64)run->time);
	varve_inputs_add_number(inputs, "check",
				!run->options->no_check &&
					!run->options->effective->component.build.check_skip);
	return varve_inputs_key(inputs);
}

/* Building */

static gboolean open_log(Run *run, GError **error)
{
	g_autofree char *directory = g_build_filename(run->options->log_dir, "components", NULL);

	run->log_path = g_strdup_printf("%s/%s.log", directory, run->name);
	if (!varve_dir_make(directory, 0755, error))
		return FALSE;
	run->log = fopen(run->log_path, "we");
	if (!run->log)
		return varve_fail_errno(error, errno, "%s: cannot be written", run->log_path);
	fprintf(run->log, "component %s %s-%s\nroot %s\n", run->name, run->facts.version,
		run->facts.release, run->root.key);
	for (char **package = run->root.packages; *package; package++)
		fprintf(run->log, "  %s\n", *package);
	return TRUE;
}

static gboolean build_failed(const Run *run, const VarveChamber *chamber, GError *cause,
			     GError **error)
{
	g_autofree char *tail = varve_log_tail(run->log, run->log_path);
	const char *said = strchr(cause->message, '\n');

	if (run->options->shell && isatty(STDIN_FILENO))
		varve_chamber_shell(chamber, NULL);
	if (said && !strstr(tail, said + 1))
		fprintf(run->log, "%s\n", said + 1);
	varve_fail(error, VARVE_ERROR_SYSTEM,
		   "component '%s': rpmbuild failed; its last lines:\n%s\nthe whole log: %s%s",
		   run->name, tail, run->log_path,
		   run->options->keep_root || run->options->shell
			   ? ""
			   : " (--shell looks around in the root)");
	g_error_free(cause);
	return FALSE;
}

static gboolean rpmbuild(const Run *run, const VarveChamber *chamber, const char *what,
			 GError **error)
{
	g_autofree char *spec = spec_path(run);
	gboolean check =
		!run->options->no_check && !run->options->effective->component.build.check_skip;
	/* The processor of this machine must not choose what is built. */
	const char *argv[] = { "rpmbuild",
			       what,
			       "--nodeps",
			       "--target",
			       run->options->place.arch->rpm,
			       spec,
			       check ? NULL : "--nocheck",
			       NULL };

	fprintf(run->log, "-- rpmbuild %s\n", what);
	fflush(run->log);
	return varve_chamber_run(chamber, argv, error);
}

/* What the last `rpmbuild -br` asks for: a source package whose requirements they are. */
static gboolean read_dynamic(const VarveChamber *chamber, char ***ret, GError **error)
{
	const char *argv[] = { "/bin/sh", "-c",
			       "for f in " VARVE_BUILD_HOME "/SRPMS/*.buildreqs.nosrc.rpm; do "
			       "[ ! -e \"$f\" ] || rpm --query --package --requires \"$f\"; done",
			       NULL };
	g_autofree char *answer = varve_chamber_ask(chamber, argv, error);

	*ret = answer ? varve_requires_parse(answer, chamber->name, error) : NULL;
	return *ret != NULL;
}

/* Each round may ask for what lets the next one ask for more. */
static gboolean find_dynamic(Run *run, GError **error)
{
	for (guint round = 0; round < ROUNDS_MAX; round++) {
		g_auto(VarveChamber) chamber = { 0 };
		g_autoptr(GError) failure = NULL;
		g_auto(GStrv) asked = NULL;
		gboolean more, done;
		char **all;

		if (!open_chamber(run, &chamber, error))
			return FALSE;
		/* It ends with a status of its own where something is missing. */
		done = rpmbuild(run, &chamber, "-br", &failure);
		if (!read_dynamic(&chamber, &asked, error))
			return FALSE;
		if (!done && !*asked)
			return build_failed(run, &chamber, g_steal_pointer(&failure), error);
		all = varve_requires_merge((const char *const *)run->requires,
					   (const char *const *)asked, &more);
		g_strfreev(run->requires);
		run->requires = all;
		if (!more)
			return TRUE;
		if (!make_root(run, error))
			return FALSE;
	}
	return varve_fail(error, VARVE_ERROR_CONFLICT,
			  "component '%s': its %%generate_buildrequires still asks for more after "
			  "%d rounds",
			  run->name, ROUNDS_MAX);
}

static gboolean build_into(Run *run, const char *into, GError **error)
{
	g_auto(VarveChamber) chamber = { 0 };
	g_autoptr(GError) failure = NULL;
	g_autofree char *home = NULL;

	if (!varve_dir_make(into, 0755, error) || !open_chamber(run, &chamber, error))
		return FALSE;
	if (run->options->keep_root) {
		g_free(run->kept_root);
		run->kept_root = g_strdup(chamber.directory);
	}
	if (!rpmbuild(run, &chamber, "-ba", &failure))
		return build_failed(run, &chamber, g_steal_pointer(&failure), error);
	home = varve_chamber_path(&chamber, VARVE_BUILD_HOME);
	return varve_build_collect(home, into, run->stage.facts, run->options->place.arch,
				   run->time, error);
}

static gboolean verify(Run *run, const char *first, GError **error)
{
	g_autofree char *second = g_build_filename(run->scratch, "second", NULL);
	g_autofree char *report = NULL;

	if (!build_into(run, second, error) || !varve_build_differ(first, second, &report, error))
		return FALSE;
	return !*report || varve_fail(error, VARVE_ERROR_CONFLICT,
				      "component '%s': built twice from the same, it differs:\n%s",
				      run->name, report);
}

static gboolean sign(const Run *run, const char *directory, GError **error)
{
	g_autofree char *home = g_build_filename(run->options->place.keys, "package-gnupg", NULL);
	g_autoptr(VarveOpenpgp) key = varve_openpgp_open(home, error);
	g_autoptr(GPtrArray) names = key ? varve_repository_packages(directory, error) : NULL;
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	guint n = 0;

	if (!names)
		return FALSE;
	for (guint i = 0; i < names->len; i++)
		g_ptr_array_add(paths, g_build_filename(directory, names->pdata[i], NULL));
	return varve_openpgp_sign_packages(key, paths, run->time, &n, error) &&
	       varve_build_date(paths, run->time, error);
}

static gboolean build(Run *run, const char *path, GError **error)
{
	g_autofree char *partial = varve_store_begin(path, error);
	g_autofree char *list = NULL, *packages = NULL;

	if (!partial || !build_into(run, partial, error) ||
	    (run->options->verify && !verify(run, partial, error)) || !sign(run, partial, error))
		return FALSE;
	list = g_build_filename(partial, "root-packages", NULL);
	packages = g_strjoinv("\n", run->root.packages);
	return varve_file_write(AT_FDCWD, list, packages, strlen(packages), 0644, error) &&
	       varve_store_commit(partial, path, error) &&
	       varve_store_trim(path, BUILDS_KEPT, error);
}

static gboolean report(Run *run, const char *path, VarveBuildResult *result, GError **error)
{
	g_autoptr(GPtrArray) names = varve_repository_packages(path, error);

	if (!names)
		return FALSE;
	g_ptr_array_add(names, NULL);
	result->directory = g_strdup(path);
	result->packages = g_strdupv((char **)names->pdata);
	result->log = g_strdup(run->log_path);
	result->root = g_strdup(run->kept_root);
	return TRUE;
}

/* Dynamic requirements are found by building, and kept by what they were found from. */
static gboolean settle_requires(Run *run, GError **error)
{
	g_autofree char *key = NULL, *path = NULL, *text = NULL, *file = NULL;

	if (!make_root(run, error))
		return FALSE;
	if (!run->dynamic)
		return TRUE;
	key = make_key(run);
	path = varve_store_path(run->options->place.work, "build-requires", run->name, key, error);
	if (!path)
		return FALSE;
	file = g_build_filename(path, "requires", NULL);
	if (varve_file_read(AT_FDCWD, file, 1 << 20, &text, NULL, NULL)) {
		g_strfreev(run->requires);
		run->requires = varve_requires_parse(text, file, error);
		return run->requires && make_root(run, error);
	}
	if (!open_log(run, error) || !find_dynamic(run, error) ||
	    !varve_dir_make(path, 0755, error))
		return FALSE;
	g_clear_pointer(&run->log, fclose);
	g_clear_pointer(&run->log_path, g_free);
	text = g_strjoinv("\n", run->requires);
	return varve_file_write(AT_FDCWD, file, text, strlen(text), 0644, error) &&
	       varve_store_trim(path, BUILDS_KEPT, error);
}

static gboolean check_user(const VarveBuildJob *job, GError **error)
{
	return geteuid() == 0 ||
	       varve_fail(error, VARVE_ERROR_SYSTEM,
			  "component '%s': build roots need root: use sudo", job->effective->name);
}

static char **ask_provides(Run *run, GError **error)
{
	g_autofree char *spec = spec_path(run), *answer = NULL;
	const char *argv[] = { "rpmspec", "--target",   run->options->place.arch->rpm,
			       "--query", "--provides", spec,
			       NULL };
	g_auto(VarveChamber) chamber = { 0 };

	if (!open_chamber(run, &chamber, error))
		return NULL;
	answer = varve_chamber_ask(&chamber, argv, error);
	return answer ? varve_requires_parse(answer, run->stage.spec, error) : NULL;
}

VarveBuildNeeds *varve_build_ask(const VarveBuildJob *job, GError **error)
{
	g_auto(Run) run = { .options = job, .name = job->effective->name, .lock = -1 };
	g_auto(GStrv) provides = NULL;
	VarveBuildNeeds *needs;

	if (!check_user(job, error) || !prepare(&run, error) || !ask_spec(&run, error))
		return NULL;
	provides = ask_provides(&run, error);
	if (!provides)
		return NULL;
	needs = g_new0(VarveBuildNeeds, 1);
	needs->name = g_strdup(run.name);
	needs->requires = g_steal_pointer(&run.requires);
	needs->provides = g_steal_pointer(&provides);
	return needs;
}

gboolean varve_build_run(const VarveBuildJob *job, VarveBuildResult *ret_result, GError **error)
{
	g_auto(Run) run = { .options = job, .name = job->effective->name, .lock = -1 };
	g_auto(VarveBuildResult) result = { 0 };
	g_autofree char *path = NULL;

	if (!check_user(job, error) || !prepare(&run, error) || !ask_spec(&run, error) ||
	    !settle_requires(&run, error))
		return FALSE;
	result.key = make_key(&run);
	path = varve_store_path(job->place.work, "builds", run.name, result.key, error);
	if (!path)
		return FALSE;
	result.made = job->anew || job->verify || !g_file_test(path, G_FILE_TEST_IS_DIR);
	if (result.made && (!open_log(&run, error) || !build(&run, path, error)))
		return FALSE;
	varve_store_touch(path);
	if (!varve_build_publish(&job->place, run.name, path, error) ||
	    !report(&run, path, &result, error))
		return FALSE;
	*ret_result = result;
	result = (VarveBuildResult){ 0 };
	return TRUE;
}
