/* bench-why VARVECTL [PATHS]: how long one question takes on a node whose base has that many paths
 * (100,000), made of loop devices: the program as a whole, what of it is the lookup in the path
 * table, and what others take to find a path among as many: grep over a list, an RPM database where
 * one is given (RPM_DBPATH, RPM_FILE). Needs root. */
#include "base/file.h"
#include "host/node-fixture.h"
#include "trace/why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define RUNS 25
#define LOOKUPS 2000
#define IN_DIRECTORY 500

static double now(void)
{
	return (double)g_get_monotonic_time() / 1000;
}

static gint by_value(gconstpointer a, gconstpointer b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, gsize n)
{
	qsort(values, n, sizeof(*values), by_value);
	return values[n / 2];
}

static char *name_of(guint i)
{
	return g_strdup_printf("usr/share/dir-%04u/file-%06u", i / IN_DIRECTORY, i);
}

/* The program and the libraries that it is linked with, to where they are here. */
static void copy_program(const char *tree, const char *program)
{
	const char *const argv[] = { "ldd", program, NULL };
	g_autofree char *output = NULL, *to = g_build_filename(tree, "usr/bin", NULL);
	g_auto(GStrv) words = NULL;

	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
				   &output, NULL, NULL, NULL));
	g_assert_true(varve_dir_make(to, 0755, NULL));
	g_free(to);
	to = g_build_filename(tree, "usr/bin/varvectl", NULL);
	g_assert_true(varve_file_copy(program, to, 0755, NULL));
	words = g_strsplit_set(output, " \t\n", -1);
	for (char **word = words; *word; word++) {
		g_autofree char *library = NULL, *dir = NULL;

		if (**word != '/')
			continue;
		library = g_build_filename(tree, *word, NULL);
		dir = g_path_get_dirname(library);
		g_assert_true(varve_dir_make(dir, 0755, NULL));
		g_assert_true(varve_file_copy(*word, library, 0755, NULL));
	}
}

static void make_tree(const NodeFixture *node, const char *tree, const char *list, guint n,
		      const char *program)
{
	static const char *const dirs[] = { "proc", "run", "var", "etc" };
	g_autofree char *pem = varve_certificate_to_pem(node->certificate);
	g_autoptr(GString) all = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
		g_autofree char *path = g_build_filename(tree, dirs[i], NULL);

		g_assert_true(varve_dir_make(path, 0755, NULL));
	}
	layer_put(tree, "usr/lib/verity.d/team.crt", pem, 0644);
	for (guint i = 0; i < n; i++) {
		g_autofree char *name = name_of(i);

		layer_put(tree, name, name, 0644);
		g_string_append_printf(all, "/%s\n", name);
	}
	g_assert_true(g_file_set_contents(list, all->str, (gssize)all->len, NULL));
	copy_program(tree, program);
}

static double spawn(const char *const *argv, int outside)
{
	double from = now();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (outside >= 0 && (fchdir(outside) < 0 || chroot(".") < 0))
			_exit(126);
		if (null < 0)
			null = open("/run/null", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= 126 || WEXITSTATUS(status) == 1)
		g_error("%s: status %d", argv[0], status);
	return now() - from;
}

static double many(const char *const *argv, int outside)
{
	double times[RUNS];

	for (gsize i = 0; i < RUNS; i++)
		times[i] = spawn(argv, outside);
	return median(times, RUNS);
}

/* As a command does it each time: everything opened anew. */
static double in_process(guint n)
{
	double times[RUNS];

	for (gsize i = 0; i < RUNS; i++) {
		g_autofree char *name = name_of((guint)(i * 7919) % n);
		g_autofree char *path = g_strconcat("/", name, NULL);
		double from = now();
		g_autoptr(GError) error = NULL;
		g_autoptr(VarveTraceNode) node = varve_trace_node_open(&error);
		g_autoptr(VarveTraceWhy) why = node ? varve_trace_why(node, path, &error) : NULL;

		g_assert_no_error(error);
		g_assert_cmpint((int)varve_trace_why_last(why)->state, ==, (int)VARVE_TRACE_SIGNED);
		times[i] = now() - from;
	}
	return median(times, RUNS);
}

/* Microseconds a lookup, in a table that is mapped once. */
static double lookups(guint n)
{
	g_autoptr(VarveTraceNode) node = varve_trace_node_open(NULL);
	const VarveTraceLayer *base = node->stack->layers->pdata[0];
	double from = now();

	for (guint i = 0; i < LOOKUPS; i++) {
		g_autofree char *name = name_of((guint)((guint64)i * 7919 % n));
		gboolean found, self;
		VarvePath record;

		g_assert_true(varve_trace_layer_find(base, name, &found, &record, &self, NULL));
		g_assert_true(found);
	}
	return (now() - from) * 1000 / LOOKUPS;
}

/* What a lookup would cost if the table were read whole. */
static double whole(guint64 *ret_size)
{
	static const char path[] = "/run/varve/base/" VARVE_LAYERS_DIR "/base.paths";
	double times[RUNS];

	for (gsize i = 0; i < RUNS; i++) {
		double from = now();
		g_autoptr(VarvePathTable) table = NULL;
		g_autoptr(GBytes) bytes = NULL;
		char *data;
		size_t size;
		gsize index;

		g_assert_true(varve_file_read(AT_FDCWD, path, 1 << 30, &data, &size, NULL));
		bytes = g_bytes_new_take(data, size);
		table = varve_path_table_open(bytes, "table", NULL);
		g_assert_true(varve_path_table_find(table, "usr/lib", &index, NULL));
		times[i] = now() - from;
		*ret_size = size;
	}
	return median(times, RUNS);
}

static void row(const char *what, double milliseconds, double ours)
{
	printf("%-52s %10.3f ms", what, milliseconds);
	if (ours > 0)
		printf("   %.2f times ours", milliseconds / ours);
	putchar('\n');
}

int main(int argc, char **argv)
{
	guint n = argc > 2 ? (guint)atoi(argv[2]) : 100000;
	const char *why_not = node_fixture_obstacle();
	const char *database = g_getenv("RPM_DBPATH"), *file = g_getenv("RPM_FILE");
	NodeFixture node = { NULL };
	g_autofree char *tree = NULL, *list = NULL, *last = NULL, *path = NULL;
	guint64 size = 0;
	double ours;

	if (argc < 2 || why_not) {
		fprintf(stderr, "bench-why: %s\n", why_not ? why_not : "say where varvectl is");
		return 1;
	}
	node_fixture_init(&node);
	tree = g_build_filename(node.dir, "tree", NULL);
	list = g_build_filename(node.dir, "list", NULL);
	last = name_of(n - 1);
	path = g_strconcat("/", last, NULL);
	make_tree(&node, tree, list, n, argv[1]);
	node_fixture_base(&node, tree, NULL);
	node_fixture_enter(&node);
	printf("a base of %u paths and more\n", n);
	ours = many((const char *const[]){ "/usr/bin/varvectl", "why", path, NULL }, -1);
	row("varvectl why PATH, the whole program", ours, 0);
	row("... that says its version and no more",
	    many((const char *const[]){ "/usr/bin/varvectl", "--version", NULL }, -1), 0);
	row("the question in a program that runs", in_process(n), 0);
	row("a lookup in the mapped table", lookups(n) / 1000, 0);
	row("a lookup in a table that is read whole", whole(&size), 0);
	printf("%-52s %10.1f MiB\n", "that table", (double)size / (1 << 20));
	row("grep -nxF PATH over the list of paths",
	    many((const char *const[]){ "grep", "-nxF", path, list, NULL }, node.outside), ours);
	if (database && file)
		row("rpm -qf FILE, a database of the base's packages",
		    many((const char *const[]){ "rpm", "--dbpath", database, "-qf", file, NULL },
			 node.outside),
		    ours);
	node_fixture_clear(&node);
	return 0;
}
