/* Decisions about who runs old code, on what Linux wrote; test/host/test-who.c has real mounts. */
#include "live/who.h"

#include "base/file.h"
#include "format/mountinfo.h"
#include "live/old-files.h"
#include "live/sight.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define OLD makedev(0, 0x2a)
#define NEW makedev(0, 0x2f)

static VarveDigest digest(guint8 byte)
{
	VarveDigest value;

	memset(&value, byte, sizeof(value));
	return value;
}

static VarvePastStack *stack_of(guint generation, dev_t device, guint8 top)
{
	VarvePastStack *stack = varve_past_stack_new();
	VarveDigest layer = digest(top), base = digest(1);

	stack->generation = generation;
	stack->device = device;
	varve_past_stack_add(stack, "ssl", top == 2 ? "3.0" : "3.1", "", &layer);
	varve_past_stack_add(stack, "base", "1", "", &base);
	return stack;
}

/* Layer ssl 3.0 was replaced by 3.1: another library. A file of the base that 3.1 covers, too, and
 * one that 3.0 had and nobody has now; one that changed after 3.0 was rebuilt. */
static VarvePast *make_past(void)
{
	static const struct {
		const char *path;
		guint8 content, layer;
		guint64 inode;
	} files[] = {
		{ "/usr/lib/libssl.so.3", 10, 2, 52 }, { "/usr/share/data", 11, 1, 87 },
		{ "/usr/bin/gone", 12, 2, 60 },        { "/usr/bin/again", 13, 2, 61 },
		{ "/usr/bin/nameless", 14, 9, 70 },
	};
	VarvePast *past = varve_past_new();
	g_autoptr(GHashTable) replaced = varve_past_files_new();
	g_autoptr(GHashTable) nothing = varve_past_files_new();

	varve_past_add(past, stack_of(1, OLD, 2), nothing);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		VarvePastFile file = { .digest = digest(files[i].content),
				       .layer = digest(files[i].layer),
				       .inode = files[i].inode };

		g_hash_table_insert(replaced, g_strdup(files[i].path),
				    g_memdup2(&file, sizeof(file)));
	}
	varve_past_add(past, stack_of(2, NEW, 3), replaced);
	return past;
}

static gboolean find(const char *path, VarveDigest *ret, gpointer data)
{
	(void)data;
	if (strcmp(path, "/usr/bin/gone") == 0)
		return FALSE;
	/* As it was in the first stack: it was changed and changed back. */
	*ret = digest(strcmp(path, "/usr/bin/again") == 0 ? 13 : 99);
	return TRUE;
}

#define NUMBER(layer, inode) ((guint64)(layer) << 62 | (inode))

static void test_old_files(void)
{
	g_autoptr(VarvePast) past = make_past();
	g_autoptr(VarveOldFiles) old = varve_old_files_new(past->stacks->pdata[0], find, NULL);
	g_autoptr(VarveOldFiles) running = varve_old_files_new(past->stacks->pdata[1], find, NULL);

	const VarveDigest base = digest(1), ssl = digest(2), other = digest(7);

	g_assert_false(varve_old_files_of(running, &base));
	g_assert_true(varve_old_files_of(old, &base));
	g_assert_true(varve_old_files_of(old, &ssl));
	g_assert_false(varve_old_files_of(old, &other));
	g_assert_cmpstr(varve_old_files_find(old, NUMBER(1, 52), NULL), ==, "/usr/lib/libssl.so.3");
	/* The name does not matter where the number tells. */
	g_assert_cmpstr(varve_old_files_find(old, NUMBER(2, 87), "/what/ever"), ==,
			"/usr/share/data");
	g_assert_null(varve_old_files_find(old, NUMBER(2, 52), "/lib/libssl.so.3"));
	g_assert_null(varve_old_files_find(old, NUMBER(1, 61), "/bin/again"));
	/* Taken away, in a root of its own, and where neither leads to it. */
	g_assert_cmpstr(varve_old_files_find(old, NUMBER(1, 7), "/bin/nameless"), ==,
			"/usr/bin/nameless");
	g_assert_cmpstr(varve_old_files_find(old, NUMBER(1, 7), "/srv/usr/x/usr/bin/nameless"), ==,
			"/usr/bin/nameless");
	g_assert_null(varve_old_files_find(old, NUMBER(1, 7), "/bin/other"));
	g_assert_null(varve_old_files_find(old, NUMBER(1, 7), NULL));
}

#define ROOT "156 155 7:0 / / ro shared:1 - erofs /dev/loop0 ro\n"
#define OLD_USR(id, parent) \
	id " " parent " 0:42 / /usr ro,relatime - overlay varve ro,lowerdir+=/a,xino=on\n"
#define NEW_USR(id, parent) \
	id " " parent " 0:47 / /usr ro,relatime master:5 - overlay varve " \
	   "ro,lowerdir+=/b,xino=on\n"
#define BOUND "170 156 0:42 /share /bar ro - overlay varve ro,lowerdir+=/a\n"

/* @start: of the obstacle; "" where the namespace follows. */
static void judges(const char *text, const char *host, dev_t root, guint generation,
		   const char *start)
{
	g_autoptr(VarvePast) past = make_past();
	g_autoptr(GPtrArray) mounts = varve_mountinfo_parse(text, NULL);
	g_autoptr(GPtrArray) first = varve_mountinfo_parse(host, NULL);
	VarveSight sight;

	varve_sight_judge(past, mounts, first, root, &sight);
	g_test_message("%s", sight.obstacle);
	g_assert_cmpint(sight.follows, ==, *start == '\0');
	g_assert_cmpuint(sight.stack ? sight.stack->generation : 0, ==, generation);
	g_assert_true(g_str_has_prefix(sight.obstacle, start));
	g_assert_cmpint(*sight.obstacle == '\0', ==, sight.follows);
	g_assert_cmpint(sight.earlier == NULL, ==, sight.follows);
	varve_sight_clear(&sight);
}

static void test_sight(void)
{
	static const char host[] = ROOT NEW_USR("164", "156");

	judges(host, host, 7, 2, "");
	judges(ROOT OLD_USR("130", "156"), host, 7, 1, "its mounts are private");
	judges(ROOT OLD_USR("159", "166") "160 159 0:46 / /usr/share rw - tmpfs t rw\n" NEW_USR(
		       "166", "156"),
	       host, 7, 1, "it has mounts of its own below /usr (/usr/share)");
	judges(ROOT OLD_USR("159", "166") NEW_USR("166", "156"), host, 7, 1,
	       "an earlier /usr lies over");
	judges(ROOT NEW_USR("164", "156") BOUND, host, 7, 2, "/bar is bound");
	judges(ROOT BOUND, host, 7, 0, "/bar is bound");
	/* The system's own, which every namespace has a copy of. */
	judges(ROOT NEW_USR("164", "156") BOUND, ROOT NEW_USR("164", "156") BOUND, 7, 2, "");
	judges(ROOT NEW_USR("164", "156"), host, OLD, 2, "its root directory");
	/* A container, and one whose filesystem got the number of the old overlay. */
	judges("900 1 0:99 / / rw - overlay overlay rw\n", host, 7, 0, "");
	judges("900 1 0:42 / / rw - overlay overlay rw\n901 900 0:42 / /usr rw - tmpfs t rw\n",
	       host, 7, 0, "");
}

/* Back to the same layers, in another overlay. */
static void test_sight_same(void)
{
	g_autoptr(VarvePast) past = make_past();
	g_autoptr(GHashTable) nothing = varve_past_files_new();
	g_autoptr(GPtrArray) mounts = varve_mountinfo_parse(ROOT OLD_USR("130", "156"), NULL);
	VarveSight sight;

	varve_past_add(past, stack_of(3, makedev(0, 0x30), 2), nothing);
	varve_sight_judge(past, mounts, mounts, 7, &sight);
	g_assert_true(sight.follows);
	varve_sight_clear(&sight);
}

typedef struct {
	char *dir;
} Proc;

static void put(const Proc *proc, gint pid, const char *name, const char *text)
{
	g_autofree char *path = g_strdup_printf("%s/%d/%s", proc->dir, pid, name);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void put_link(const Proc *proc, gint pid, const char *name, const char *target)
{
	g_autofree char *path = g_strdup_printf("%s/%d/%s", proc->dir, pid, name);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_cmpint(symlink(target, path), ==, 0);
}

static void put_process(const Proc *proc, gint pid, const char *command, const char *cgroup,
			const char *namespace, const char *mountinfo, const char *maps)
{
	g_autofree char *fds = g_strdup_printf("%s/%d/fd", proc->dir, pid);

	put(proc, pid, "comm", command);
	put(proc, pid, "cgroup", cgroup);
	put(proc, pid, "maps", maps);
	put(proc, pid, "mountinfo", mountinfo);
	put_link(proc, pid, "exe", "/bin/sh");
	put_link(proc, pid, "root", "/");
	put_link(proc, pid, "cwd", "/");
	put_link(proc, pid, "ns/mnt", namespace);
	g_assert_true(varve_dir_make(fds, 0755, NULL));
}

#define HOST_MOUNTS ROOT NEW_USR("164", "156")
#define LIBSSL "00:2a 4611686018427387956                  /lib/libssl.so.3\n"

static void make_proc(Proc *proc)
{
	proc->dir = g_dir_make_tmp("varve-proc-XXXXXX", NULL);
	put_process(proc, 1, "systemd\n", "0::/init.scope\n", "mnt:[1]", HOST_MOUNTS,
		    "1000-2000 r-xp 00000000 00:2f 4611686018427387904 /usr/lib/systemd/systemd\n"
		    "3000-4000 r--p 00000000 00:2a 9223372036854775895 /share/data\n");
	put_process(proc, 20, "sshd\n", "0::/system.slice/ssh.service\n", "mnt:[1]", HOST_MOUNTS,
		    "1000-2000 r--p 00000000 " LIBSSL "2000-3000 r-xp 00001000 " LIBSSL
		    "3000-4000 rw-p 00000000 00:00 0                          [heap]\n");
	/* Only what did not change. */
	put_process(proc, 30, "idle\n", "0::/system.slice/idle.service\n", "mnt:[1]", HOST_MOUNTS,
		    "1000-2000 r-xp 00000000 00:2a 9223372036854775867 /lib/libc.so.6\n");
	/* The number of the device, and not its numbering. */
	put_process(proc, 31, "other\n", "0::/system.slice/other.service\n", "mnt:[1]", HOST_MOUNTS,
		    "1000-2000 r-xp 00000000 00:2a 52 /tmp/x 00:2a /lib/libssl.so.3\n");
	put_process(proc, 40, "private\n", "0::/system.slice/private.service\n", "mnt:[2]",
		    ROOT OLD_USR("130", "156"), "");
	put_process(proc, 41, "session\n", "0::/user.slice/user-0.slice/session-1.scope\n",
		    "mnt:[1]", HOST_MOUNTS,
		    "1000-2000 r-xp 00000000 00:2a 4611686018427387964 /bin/gone (deleted)\n");
	/* A thread of the kernel, and a process that has ended but for its name. */
	put(proc, 50, "comm", "kworker\n");
	put(proc, 51, "maps", "");
}

static const VarveHolder *holder_of(const VarveWho *who, guint index, gint pid)
{
	const VarveHolder *holder;

	g_assert_cmpuint(who->holders->len, >, index);
	holder = who->holders->pdata[index];
	g_assert_cmpint(holder->pid, ==, pid);
	return holder;
}

static void holds(const VarveHolder *holder, const char *path, const char *layer,
		  const char *version, gboolean code)
{
	const VarveHeldFile *file;

	g_assert_cmpuint(holder->files->len, ==, 1);
	file = holder->files->pdata[0];
	g_assert_cmpstr(file->path, ==, path);
	g_assert_cmpstr(file->layer, ==, layer);
	g_assert_cmpstr(file->version, ==, version);
	g_assert_cmpint(file->code, ==, code);
}

static void test_scan(void)
{
	g_autoptr(VarvePast) past = make_past();
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveWho) who = NULL;
	g_auto(GStrv) units = NULL;
	g_autofree char *joined = NULL;
	const VarveHolder *holder;
	Proc proc;

	make_proc(&proc);
	who = varve_who_below(proc.dir, past, find, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(who->holders->len, ==, 4);
	holder = holder_of(who, 0, 1);
	holds(holder, "/usr/share/data", "base", "1", FALSE);
	/* It has data open that changed; what it runs is new. */
	g_assert_false(varve_who_is_pending(holder));
	g_assert_cmpstr(holder->unit, ==, "init.scope");
	holder = holder_of(who, 1, 20);
	holds(holder, "/usr/lib/libssl.so.3", "ssl", "3.0", TRUE);
	g_assert_cmpstr(holder->command, ==, "sshd");
	g_assert_true(holder->follows);
	g_assert_cmpuint(holder->generation, ==, 2);
	holder = holder_of(who, 2, 40);
	g_assert_false(holder->follows);
	g_assert_true(holder->outdated);
	g_assert_cmpuint(holder->files->len, ==, 0);
	g_assert_cmpuint(holder->generation, ==, 1);
	holds(holder_of(who, 3, 41), "/usr/bin/gone", "ssl", "3.0", TRUE);
	g_assert_cmpuint(who->pinning, ==, 1);
	g_assert_cmpuint(who->stacks, ==, 1);
	g_assert_cmpuint(who->unseen, ==, 0);
	g_assert_cmpuint(varve_who_pending(who), ==, 3);
	units = varve_who_units(who);
	joined = g_strjoinv(" ", units);
	g_assert_cmpstr(joined, ==, "private.service session-1.scope ssh.service");
	varve_dir_remove(AT_FDCWD, proc.dir, NULL);
	g_free(proc.dir);
}

/* Where nothing was swapped nobody is asked anything. */
static void test_one_stack(void)
{
	g_autoptr(VarvePast) past = varve_past_new();
	g_autoptr(GHashTable) nothing = varve_past_files_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveWho) none = varve_who_below("/nonexistent", past, find, NULL, &error);
	g_autoptr(VarveWho) one = NULL;

	g_assert_no_error(error);
	varve_past_add(past, stack_of(1, OLD, 2), nothing);
	one = varve_who_below("/nonexistent", past, find, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(none->holders->len + one->holders->len, ==, 0);
	varve_past_add(past, stack_of(2, NEW, 3), nothing);
	g_assert_null(varve_who_below("/nonexistent", past, find, NULL, &error));
	g_assert_nonnull(error);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/who/old-files", test_old_files);
	g_test_add_func("/who/sight", test_sight);
	g_test_add_func("/who/sight-same-layers", test_sight_same);
	g_test_add_func("/who/scan", test_scan);
	g_test_add_func("/who/one-stack", test_one_stack);
	return g_test_run();
}
