/* Who runs old code, on real mounts: overlays of layers in memory, exchanged beneath, and processes
 * that hold their files in the namespaces that there are: one that is shared, a slave, a private
 * one, one with a mount of its own below /usr. In a mount namespace of its own. */
#include "live/follow.h"
#include "live/who.h"

#include "base/file.h"
#include "ground/mount.h"
#include "stack/stack.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define HOLDERS 10

typedef enum {
	SHARED,
	SLAVE,
	PRIVATE,
	COVERED, /* a slave with a mount below /usr */
} Namespace;

typedef enum {
	MAP,     /* maps the library executable */
	FD,      /* has it open */
	CWD,     /* stands in a directory */
	PROGRAM, /* was started from the stack */
	NOTHING,
	INSIDE, /* its root directory is /usr */
	THREAD, /* maps it, and its first thread has ended */
} Hold;

typedef struct {
	char *dir, *root, *usr;
	gint pids[HOLDERS];
	guint n;
	VarvePast *past;
	VarveWho *who;
} Fixture;

static const char *obstacle(void)
{
	g_autofree char *filesystems = NULL;
	struct utsname system;
	int major = 0, minor = 0;

	if (getuid() != 0)
		return "mounts need root";
	if (!g_file_get_contents("/proc/filesystems", &filesystems, NULL, NULL) ||
	    !strstr(filesystems, "\toverlay\n"))
		return "the kernel has no overlayfs";
	if (uname(&system) < 0 || sscanf(system.release, "%d.%d", &major, &minor) != 2 ||
	    major * 1000 + minor < 6005)
		return "mounts are put beneath others since Linux 6.5";
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "no mount namespace can be made";
	return NULL;
}

static void mount_memory(const char *where)
{
	static const VarveMountOption options[] = { { "source", "tmpfs" }, { NULL, NULL } };

	g_assert_cmpint(varve_make_dirs(where), ==, 0);
	g_assert_cmpint(varve_mount_at("tmpfs", options, 0, where), ==, 0);
}

static char *layer_path(const Fixture *fixture, const char *layer, const char *name)
{
	return g_strdup_printf("%s/%s/usr/%s", fixture->dir, layer, name);
}

static void put(const Fixture *fixture, const char *layer, const char *name, const char *text)
{
	g_autofree char *path = layer_path(fixture, layer, name);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_cmpint(varve_make_dirs(parent), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* This program, which can hold what is asked of it. */
static void put_program(const Fixture *fixture, const char *layer)
{
	g_autofree char *path = layer_path(fixture, layer, "bin/hold");

	put(fixture, layer, "bin/empty", "");
	g_assert_true(varve_file_copy("/proc/self/exe", path, 0755, NULL));
}

static void make_layers(const Fixture *fixture)
{
	static const char *const layers[] = { "base", "one", "two" };

	for (gsize i = 0; i < G_N_ELEMENTS(layers); i++) {
		g_autofree char *where = g_build_filename(fixture->dir, layers[i], NULL);

		/* Each a filesystem of its own, as layers are. */
		mount_memory(where);
	}
	put(fixture, "base", "lib/lib.so", "base");
	put(fixture, "base", "share/same", "same");
	put_program(fixture, "base");
	put(fixture, "one", "lib/lib.so", "one");
	put(fixture, "two", "lib/lib.so", "two");
	put_program(fixture, "two");
}

static VarveDigest digest(guint8 byte)
{
	VarveDigest value;

	memset(&value, byte, sizeof(value));
	return value;
}

/* The overlay of @layer on the base, and its description. */
static int merge(const Fixture *fixture, const char *layer, guint generation,
		 VarvePastStack **ret_stack)
{
	g_autofree char *top = layer_path(fixture, layer, "");
	g_autofree char *base = layer_path(fixture, "base", "");
	g_autofree char *empty = g_build_filename(fixture->dir, "empty", NULL);
	const char *const lowers[] = { top, base, NULL };
	const VarveDigest roots[] = { digest((guint8)*layer), digest('b') };
	g_autoptr(GError) error = NULL;
	int fd = varve_stack_merge_usr(lowers, empty, &error);
	VarvePastStack *stack = varve_past_stack_new();
	struct stat st;

	g_assert_no_error(error);
	g_assert_cmpint(fstat(fd, &st), ==, 0);
	stack->generation = generation;
	stack->device = st.st_dev;
	varve_past_stack_add(stack, "tool", layer, "", &roots[0]);
	varve_past_stack_add(stack, "base", "1", "", &roots[1]);
	*ret_stack = stack;
	return fd;
}

static void replace(const Fixture *fixture, GHashTable *replaced, const char *layer,
		    const char *name)
{
	g_autofree char *path = layer_path(fixture, layer, name);
	VarvePastFile file = { .digest = digest((guint8)*layer), .layer = digest((guint8)*layer) };
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	file.inode = st.st_ino;
	g_hash_table_insert(replaced, g_strconcat("/usr/", name, NULL),
			    g_memdup2(&file, sizeof(file)));
}

static void setup(Fixture *fixture)
{
	g_autoptr(GHashTable) nothing = varve_past_files_new();
	VarvePastStack *stack;
	varve_autofd fd = -1;

	memset(fixture, 0, sizeof(*fixture));
	fixture->dir = g_dir_make_tmp("varve-who-XXXXXX", NULL);
	fixture->root = g_build_filename(fixture->dir, "root", NULL);
	fixture->usr = g_build_filename(fixture->root, "usr", NULL);
	mount_memory(fixture->root);
	g_assert_cmpint(mount(NULL, fixture->root, NULL, MS_SHARED, NULL), ==, 0);
	g_assert_cmpint(varve_make_dirs(fixture->usr), ==, 0);
	make_layers(fixture);
	fixture->past = varve_past_new();
	fd = merge(fixture, "one", 1, &stack);
	varve_past_add(fixture->past, stack, nothing);
	g_assert_cmpint(varve_mount_attach(fd, fixture->usr), ==, 0);
}

static void teardown(Fixture *fixture)
{
	for (guint i = 0; i < fixture->n; i++) {
		kill(fixture->pids[i], SIGKILL);
		waitpid(fixture->pids[i], NULL, 0);
	}
	varve_who_free(fixture->who);
	varve_past_free(fixture->past);
	umount2(fixture->usr, MNT_DETACH);
	umount2(fixture->root, MNT_DETACH);
	for (const char *const *name = (const char *const[]){ "base", "one", "two", NULL }; *name;
	     name++) {
		g_autofree char *where = g_build_filename(fixture->dir, *name, NULL);

		umount2(where, MNT_DETACH);
	}
	varve_dir_remove(AT_FDCWD, fixture->dir, NULL);
	g_free(fixture->usr);
	g_free(fixture->root);
	g_free(fixture->dir);
}

G_GNUC_NORETURN static void die(const char *what)
{
	g_printerr("%s: %s\n", what, g_strerror(errno));
	_exit(1);
}

static void enter_namespace(const Fixture *fixture, Namespace namespace)
{
	g_autofree char *share = g_build_filename(fixture->usr, "share", NULL);
	unsigned long flags = namespace == PRIVATE ? MS_PRIVATE : MS_SLAVE;

	if (namespace == SHARED)
		return;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | flags, NULL) < 0)
		die("namespace");
	if (namespace == COVERED && mount("tmpfs", share, "tmpfs", 0, NULL) < 0)
		die("share");
}

G_GNUC_NORETURN static void wait_for_ever(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void *thread(gpointer data)
{
	g_usleep(100000); /* the first thread is gone */
	wait_for_ever(GPOINTER_TO_INT(data));
}

static void map(int fd)
{
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		die("mmap");
	close(fd);
}

static void take(Hold hold, int ready)
{
	int fd = open(hold == INSIDE ? "/lib/lib.so" : "/usr/lib/lib.so", O_RDONLY | O_CLOEXEC);
	pthread_t other;

	if (fd < 0)
		die("lib.so");
	if (hold == MAP || hold == THREAD)
		map(fd);
	else if (hold != FD)
		close(fd);
	if (hold == CWD && chdir("/usr/share") < 0)
		die("cwd");
	if (hold == THREAD && pthread_create(&other, NULL, thread, GINT_TO_POINTER(ready)) == 0)
		syscall(SYS_exit, 0); /* of this thread alone */
}

/* In a process of its own: never returns. */
static void run_holder(const Fixture *fixture, Namespace namespace, Hold hold, int ready)
{
	const char *root = hold == INSIDE ? fixture->usr : fixture->root;
	g_autofree char *program = g_build_filename(fixture->usr, "bin/hold", NULL);
	g_autofree char *number = g_strdup_printf("%d", ready);

	/* Not even when the test is killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter_namespace(fixture, namespace);
	if (hold == PROGRAM) {
		execl(program, "hold", "--hold", root, number, NULL);
		die(program);
	}
	if (chroot(root) < 0 || chdir("/") < 0)
		die(root);
	take(hold, ready);
	wait_for_ever(ready);
}

static gint start(Fixture *fixture, Namespace namespace, Hold hold)
{
	int ready[2];
	char byte;
	pid_t pid;

	g_assert_cmpint(pipe(ready), ==, 0); /* inherited by what is executed */
	pid = fork();
	if (pid == 0)
		run_holder(fixture, namespace, hold, ready[1]);
	close(ready[1]);
	g_assert_cmpint(pid, >, 0);
	fixture->pids[fixture->n++] = pid;
	g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
	close(ready[0]);
	return pid;
}

/* Exchanges the stack as a swap does. @generation: 3 is back to the layers of 1. */
static void swap(Fixture *fixture, guint generation)
{
	GHashTable *replaced = varve_past_files_new();
	const char *to = generation == 2 ? "two" : "one", *from = generation == 2 ? "one" : "two";
	VarvePastStack *stack;
	varve_autofd fd = merge(fixture, to, generation, &stack);
	varve_autofd old = open(fixture->usr, O_PATH | O_DIRECTORY | O_CLOEXEC);

	replace(fixture, replaced, from, "lib/lib.so");
	replace(fixture, replaced, generation == 2 ? "base" : "two", "bin/hold");
	varve_past_add(fixture->past, stack, replaced);
	g_hash_table_unref(replaced);
	g_assert_cmpint(varve_mount_beneath(fd, fixture->usr), ==, 0);
	g_assert_cmpint(varve_mount_uncover(old), ==, 0);
}

/* What the running stack has: its layer's first letter is the content. */
static gboolean find(const char *path, VarveDigest *ret, gpointer data)
{
	const Fixture *fixture = data;
	gboolean two = varve_past_running(fixture->past)->generation == 2;

	if (strcmp(path, "/usr/lib/lib.so") == 0)
		*ret = digest(two ? 't' : 'o');
	else
		*ret = digest(two ? 't' : 'b');
	return TRUE;
}

static void look(Fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	gint64 since = g_get_monotonic_time();

	varve_who_free(fixture->who);
	fixture->who = varve_who(fixture->past, find, fixture, &error);
	g_assert_no_error(error);
	g_test_message("%u holders in %.1f ms", fixture->who->holders->len,
		       (double)(g_get_monotonic_time() - since) / 1000);
}

static const VarveHolder *holder_of(const Fixture *fixture, gint pid)
{
	for (guint i = 0; i < fixture->who->holders->len; i++) {
		const VarveHolder *holder = fixture->who->holders->pdata[i];

		if (holder->pid == pid)
			return holder;
	}
	return NULL;
}

/* @path NULL: nothing. */
static void holds(const Fixture *fixture, gint pid, const char *path, const char *layer,
		  gboolean code)
{
	const VarveHolder *holder = holder_of(fixture, pid);
	const VarveHeldFile *file;

	g_assert_nonnull(holder);
	g_test_message("%d %s: %s", pid, holder->command, holder->obstacle);
	g_assert_cmpuint(holder->files->len, ==, path ? 1 : 0);
	if (!path)
		return;
	file = holder->files->pdata[0];
	g_assert_cmpstr(file->path, ==, path);
	g_assert_cmpstr(file->layer, ==, layer);
	g_assert_cmpint(file->code, ==, code);
}

/* @start: of the obstacle, "" where it follows. */
static void sees(const Fixture *fixture, gint pid, guint generation, const char *start,
		 gboolean pending)
{
	const VarveHolder *holder = holder_of(fixture, pid);

	g_assert_true(g_str_has_prefix(holder->obstacle, start));
	g_assert_cmpint(holder->follows, ==, *start == '\0');
	g_assert_cmpuint(holder->generation, ==, generation);
	g_assert_cmpint(varve_who_is_pending(holder), ==, pending);
}

static void test_holders(void)
{
	Fixture fixture;
	gint map, thread, fd, cwd, program, private, nothing, covered, inside;

	setup(&fixture);
	map = start(&fixture, SHARED, MAP);
	thread = start(&fixture, SHARED, THREAD);
	fd = start(&fixture, SLAVE, FD);
	cwd = start(&fixture, SHARED, CWD);
	program = start(&fixture, SLAVE, PROGRAM);
	private = start(&fixture, PRIVATE, MAP);
	nothing = start(&fixture, PRIVATE, NOTHING);
	covered = start(&fixture, COVERED, MAP);
	inside = start(&fixture, SHARED, INSIDE);
	look(&fixture);
	g_assert_cmpuint(fixture.who->holders->len, ==, 0);
	swap(&fixture, 2);
	look(&fixture);
	holds(&fixture, map, "/usr/lib/lib.so", "tool", TRUE);
	sees(&fixture, map, 2, "", TRUE);
	holds(&fixture, thread, "/usr/lib/lib.so", "tool", TRUE);
	holds(&fixture, fd, "/usr/lib/lib.so", "tool", FALSE);
	sees(&fixture, fd, 2, "", FALSE);
	holds(&fixture, program, "/usr/bin/hold", "base", TRUE);
	sees(&fixture, program, 2, "", TRUE);
	holds(&fixture, private, "/usr/lib/lib.so", "tool", TRUE);
	sees(&fixture, private, 1, "its mounts are private", TRUE);
	holds(&fixture, nothing, NULL, NULL, FALSE);
	sees(&fixture, nothing, 1, "its mounts are private", TRUE);
	holds(&fixture, covered, "/usr/lib/lib.so", "tool", TRUE);
	sees(&fixture, covered, 1, "it has mounts of its own below /usr (/usr/share)", TRUE);
	sees(&fixture, inside, 0, "its root directory", TRUE);
	/* It keeps the old stack, and runs nothing of it. */
	g_assert_null(holder_of(&fixture, cwd));
	g_assert_cmpuint(fixture.who->pinning, ==, 1);
	g_assert_cmpuint(fixture.who->stacks, ==, 1);
	teardown(&fixture);
}

/* Back to the layers before: who never changed runs what is right, and who was started between has
 * old code now. */
static void test_back(void)
{
	Fixture fixture;
	gint first, second, private;

	setup(&fixture);
	first = start(&fixture, SHARED, MAP);
	private = start(&fixture, PRIVATE, MAP);
	swap(&fixture, 2);
	second = start(&fixture, SHARED, MAP);
	swap(&fixture, 3);
	look(&fixture);
	g_assert_null(holder_of(&fixture, first));
	g_assert_null(holder_of(&fixture, private));
	holds(&fixture, second, "/usr/lib/lib.so", "tool", TRUE);
	g_assert_cmpuint(fixture.who->pinning, ==, 2);
	g_assert_cmpuint(fixture.who->stacks, ==, 2);
	teardown(&fixture);
}

static gboolean shows(gint pid, const char *path, const char *content)
{
	g_autofree char *name = g_strdup_printf("/proc/%d/root%s", pid, path);
	g_autofree char *text = NULL;

	return g_file_get_contents(name, &text, NULL, NULL) && strcmp(text, content) == 0;
}

/* How often something of ours is mounted at /usr there. */
static guint depth(gint pid)
{
	g_autofree char *name = g_strdup_printf("/proc/%d/mountinfo", pid), *text = NULL;
	guint n = 0;

	g_assert_true(g_file_get_contents(name, &text, NULL, NULL));
	for (char *at = text; (at = strstr(at, " /usr ")); at++)
		n++;
	return n;
}

static guint follow(const Fixture *fixture)
{
	gint64 since = g_get_monotonic_time();
	guint n = varve_follow_all_below("/proc", fixture->usr, fixture->past);

	g_test_message("%u namespaces in %.1f ms", n,
		       (double)(g_get_monotonic_time() - since) / 1000);
	return n;
}

/* What does not follow is taken along, and keeps what it had mounted below /usr. */
static void test_follow(void)
{
	Fixture fixture;
	gint private, nothing, covered;

	setup(&fixture);
	private = start(&fixture, PRIVATE, MAP);
	nothing = start(&fixture, PRIVATE, NOTHING);
	covered = start(&fixture, COVERED, NOTHING);
	g_assert_true(shows(covered, "/usr/lib/lib.so", "one"));
	g_assert_false(shows(covered, "/usr/share/same", "same"));
	for (guint generation = 2; generation < 6; generation++) {
		swap(&fixture, generation % 2 ? 3 : 2);
		g_assert_cmpuint(follow(&fixture), ==, 3);
		g_assert_true(shows(nothing, "/usr/lib/lib.so", generation % 2 ? "one" : "two"));
		g_assert_true(shows(covered, "/usr/lib/lib.so", generation % 2 ? "one" : "two"));
		g_assert_true(shows(nothing, "/usr/share/same", "same"));
		/* Still covered. */
		g_assert_false(shows(covered, "/usr/share/same", "same"));
		g_assert_cmpuint(depth(nothing), ==, 1);
		g_assert_cmpuint(depth(covered), <=, 2);
		g_assert_cmpuint(follow(&fixture), ==, 0);
	}
	swap(&fixture, 2);
	g_assert_cmpuint(follow(&fixture), ==, 3);
	look(&fixture);
	holds(&fixture, private, "/usr/lib/lib.so", "tool", TRUE);
	sees(&fixture, private, 2, "", TRUE);
	g_assert_null(holder_of(&fixture, nothing));
	g_assert_null(holder_of(&fixture, covered));
	teardown(&fixture);
}

/* Nobody is left, and so no stack is. */
static void test_released(void)
{
	Fixture fixture;

	setup(&fixture);
	start(&fixture, SHARED, MAP);
	swap(&fixture, 2);
	look(&fixture);
	g_assert_cmpuint(fixture.who->stacks, ==, 1);
	kill(fixture.pids[0], SIGKILL);
	waitpid(fixture.pids[0], NULL, 0);
	fixture.n = 0;
	look(&fixture);
	g_assert_cmpuint(fixture.who->holders->len, ==, 0);
	g_assert_cmpuint(fixture.who->stacks, ==, 0);
	teardown(&fixture);
}

int main(int argc, char **argv)
{
	const char *why;

	/* As the program of a stack: its root, then who waits for it. */
	if (argc == 4 && strcmp(argv[1], "--hold") == 0) {
		if (chroot(argv[2]) < 0 || chdir("/") < 0)
			die(argv[2]);
		wait_for_ever(atoi(argv[3]));
	}
	g_test_init(&argc, &argv, NULL);
	why = obstacle();
	if (why) {
		g_print("1..0 # SKIP %s\n", why);
		return 0;
	}
	g_test_add_func("/who/holders", test_holders);
	g_test_add_func("/who/back", test_back);
	g_test_add_func("/who/follow", test_follow);
	g_test_add_func("/who/released", test_released);
	return g_test_run();
}
