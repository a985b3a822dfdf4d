/* Running the programs of a build. */
#include "build/chamber.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/progress.h"

#include <string.h>
#include <unistd.h>

#define LINE_LIMIT (64 << 10)
#define RESOLVER "/etc/resolv.conf"

void varve_chamber_clear(VarveChamber *chamber)
{
	for (gsize i = 0; i < chamber->n_binds; i++) {
		g_free((char *)chamber->binds[i].source);
		g_free((char *)chamber->binds[i].target);
	}
	g_free(chamber->directory);
	*chamber = (VarveChamber){ 0 };
}

void varve_chamber_change_root(VarveChamber *chamber, const VarveBuildRoot *root)
{
	chamber->root = root;
}

char *varve_chamber_path(const VarveChamber *chamber, const char *inside)
{
	return g_build_filename(chamber->directory, "upper", inside, NULL);
}

static gboolean make_home(const VarveChamber *chamber, GError **error)
{
	static const char *const below[] = { "",      "/BUILD", "/BUILDROOT",
					     "/RPMS", "/SRPMS", "/SOURCES" };

	for (gsize i = 0; i < G_N_ELEMENTS(below); i++) {
		g_autofree char *inside = g_strconcat(VARVE_BUILD_HOME, below[i], NULL);
		g_autofree char *path = varve_chamber_path(chamber, inside);

		if (!varve_dir_make(path, 0755, error))
			return FALSE;
		if (chown(path, VARVE_BUILD_USER, VARVE_BUILD_USER) < 0)
			return varve_fail_errno(error, errno,
						"%s: cannot be given to the user who builds; "
						"building needs root: use sudo",
						path);
	}
	return TRUE;
}

gboolean varve_chamber_open(VarveChamber *chamber, const VarveBuildRoot *root,
			    const char *directory, GError **error)
{
	static const char *const parts[] = { "upper", "work", "mount" };

	chamber->root = root;
	chamber->directory = g_strdup(directory);
	if (!varve_dir_remove(AT_FDCWD, directory, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree char *path = g_build_filename(directory, parts[i], NULL);

		if (!varve_dir_make(path, 0755, error))
			return FALSE;
	}
	return make_home(chamber, error);
}

void varve_chamber_bind(VarveChamber *chamber, const char *source, const char *target,
			gboolean writable)
{
	g_assert(chamber->n_binds < VARVE_CHAMBER_BINDS);
	chamber->binds[chamber->n_binds++] =
		(VarveBind){ g_strdup(source), g_strdup(target), writable };
}

/* How every program is run; the strings live as long as this. */
typedef struct {
	const char *lowers[3];
	char *upper, *work, *mount;
	GPtrArray *env;
	VarveBind binds[VARVE_CHAMBER_BINDS + 1];
	VarveProcess process;
} Setup;

static void setup_clear(Setup *setup)
{
	g_free(setup->upper);
	g_free(setup->work);
	g_free(setup->mount);
	g_ptr_array_unref(setup->env);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Setup, setup_clear)

static void set_environment(Setup *setup, const VarveChamber *chamber)
{
	setup->env = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(setup->env, g_strdup("HOME=" VARVE_BUILD_HOME));
	g_ptr_array_add(setup->env, g_strdup("USER=build"));
	if (chamber->epoch > 0)
		g_ptr_array_add(setup->env, g_strdup_printf("SOURCE_DATE_EPOCH=%" G_GINT64_FORMAT,
							    chamber->epoch));
	if (chamber->network)
		varve_environment_keep(setup->env, varve_proxy_variables);
	g_ptr_array_add(setup->env, NULL);
}

static void set_up(Setup *setup, const VarveChamber *chamber, const char *const *argv)
{
	gsize n = 0;

	if (chamber->root->requires)
	setup->lowers[n++] = chamber->root->requires;
	setup->lowers[n++] = chamber->root->base;
	set_environment(setup, chamber);
	setup->upper = g_build_filename(chamber->directory, "upper", NULL);
	setup->work = g_build_filename(chamber->directory, "work", NULL);
	setup->mount = g_build_filename(chamber->directory, "mount", NULL);
	memcpy(setup->binds, chamber->binds, chamber->n_binds * sizeof(*chamber->binds));
	n = chamber->n_binds;
	if (chamber->network && g_file_test(RESOLVER, G_FILE_TEST_IS_REGULAR))
		setup->binds[n++] = (VarveBind){ .source = RESOLVER, .target = RESOLVER };
	setup->process = (VarveProcess){
		.argv = argv,
		.env = (const char *const *)setup->env->pdata,
		.directory = VARVE_BUILD_HOME,
		.root = setup->mount,
		.lowers = setup->lowers,
		.upper = setup->upper,
		.upper_work = setup->work,
		.binds = setup->binds,
		.n_binds = n,
		.network = chamber->network,
		.user = VARVE_BUILD_USER,
	};
}

char *varve_chamber_ask(const VarveChamber *chamber, const char *const *argv, GError **error)
{
	g_auto(Setup) setup = { 0 };
	char *output = NULL;

	set_up(&setup, chamber, argv);
	return varve_process_run(&setup.process, &output, error) ? output : NULL;
}

typedef struct {
	const VarveChamber *chamber;
	VarveProgress *progress;
	char phase[32];
} Listener;

/* "Executing(%build): /bin/sh -e /var/tmp/…" */
static gboolean hear(const char *line, gsize size, gpointer data, GError **error)
{
	Listener *listener = data;
	FILE *log = listener->chamber->log;
	static const char begin[] = "Executing(%";
	const char *end;

	if (log && (fwrite(line, 1, size, log) != size || fputc('\n', log) == EOF))
		return varve_fail_errno(error, errno, "the log of '%s'", listener->chamber->name);
	if (g_str_has_prefix(line, begin) && (end = strchr(line, ')')))
		g_strlcpy(listener->phase, line + strlen(begin),
			  MIN(sizeof(listener->phase), (gsize)(end - line) - strlen(begin) + 1));
	varve_progress_add(listener->progress, 1, listener->phase);
	return TRUE;
}

gboolean varve_chamber_run(const VarveChamber *chamber, const char *const *argv, GError **error)
{
	/* The shell is process 1 and takes the orphans; a tail of its own keeps it from stepping
	 * aside for the program. */
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autofree char *title = g_strdup_printf("building %s", chamber->name);
	g_autoptr(VarveProgress) progress = varve_progress_new(title, VARVE_PROGRESS_ITEMS, 0);
	Listener listener = { .chamber = chamber, .progress = progress };
	g_auto(Setup) setup = { 0 };
	gboolean done;

	for (const char *const *word =
		     (const char *const[]){ "/bin/sh", "-c", "exec 2>&1\n\"$@\"\nexit $?", "sh",
					    NULL };
	     *word; word++)
		g_ptr_array_add(all, (gpointer)*word);
	for (; *argv; argv++)
		g_ptr_array_add(all, (gpointer)*argv);
	g_ptr_array_add(all, NULL);
	set_up(&setup, chamber, (const char *const *)all->pdata);
	done = varve_process_lines(&setup.process, LINE_LIMIT, hear, &listener, NULL, error);
	if (chamber->log)
		fflush(chamber->log);
	if (done)
		varve_progress_end(progress, "built %s", chamber->name);
	return done;
}

gboolean varve_chamber_shell(const VarveChamber *chamber, GError **error)
{
	static const char *const argv[] = { "/bin/bash", "--norc", "-i", NULL };
	g_auto(Setup) setup = { 0 };
	int status = 0;

	set_up(&setup, chamber, argv);
	setup.process.inherit_stdio = TRUE;
	return varve_process_status(&setup.process, NULL, NULL, &status, error);
}
