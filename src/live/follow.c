/* One namespace after the other, each by a child of its own: the system calls change whose mounts a
 * process sees (setns(2), mount_setattr(2), "The sequence" in Linux, filesystems/sharedsubtree). */
#include "live/follow.h"

#include "base/file.h"
#include "format/mountinfo.h"
#include "ground/mount.h"
#include "live/sight.h"

#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define USR "/usr"
#define CHILD_SECONDS 10 /* for all its system calls: some of its mounts may hang */

/* One namespace, seen from one of its processes. */
typedef struct {
	int namespace;   /* ns/mnt */
	int root;        /* the process's root directory */
	dev_t device;    /* of the earlier stack */
	char **covers;   /* what is mounted on it, the outermost */
	const char *usr; /* of the caller */
} Target;

static void target_clear(Target *target)
{
	varve_autofd_close(&target->namespace);
	varve_autofd_close(&target->root);
	g_strfreev(target->covers);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

/* (caller frees with g_strfreev) */
static char **list_covers(const GPtrArray *mounts, const VarveMount *usr)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];

		if (mount->parent == usr->id)
			g_strv_builder_add(builder, mount->point);
	}
	return g_strv_builder_end(builder);
}

/* In the child from here on, with the mounts of the process. */
static gboolean enter(const Target *target)
{
	return setns(target->namespace, CLONE_NEWNS) == 0 && fchdir(target->root) == 0 &&
	       chroot(".") == 0;
}

static int clone_tree(const char *path, unsigned flags)
{
	return open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

/* The service's own restrictions of /usr go on. */
static gboolean take_attributes(int tree)
{
	static const struct {
		unsigned long flag;
		guint64 attribute;
	} all[] = { { ST_RDONLY, MOUNT_ATTR_RDONLY },
		    { ST_NOSUID, MOUNT_ATTR_NOSUID },
		    { ST_NODEV, MOUNT_ATTR_NODEV },
		    { ST_NOEXEC, MOUNT_ATTR_NOEXEC } };
	struct mount_attr attributes = { .propagation = MS_PRIVATE };
	struct statvfs fs;

	if (statvfs(USR, &fs) < 0)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
		if (fs.f_flag & all[i].flag)
			attributes.attr_set |= all[i].attribute;
	}
	return mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) == 0;
}

/* In a copy of the namespace that nobody else sees: the running stack, with what lay on the earlier
 * one. Returns: the whole tree, detached, or -1. */
static int assemble(const Target *target, int tree)
{
	guint n = g_strv_length(target->covers);
	g_autofree int *covers = g_new(int, n + 1);

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !take_attributes(tree))
		return -1;
	for (guint i = 0; i < n; i++) {
		covers[i] = clone_tree(target->covers[i], AT_RECURSIVE);
		if (covers[i] < 0)
			return -1;
	}
	if (varve_mount_attach(tree, USR) < 0)
		return -1;
	for (guint i = 0; i < n; i++) {
		if (varve_mount_attach(covers[i], target->covers[i]) < 0)
			return -1;
	}
	return clone_tree(USR, AT_RECURSIVE);
}

static gboolean exchange(const Target *target, int tree)
{
	int old = open(USR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	/* Who is in the namespace may have changed it meanwhile. */
	if (old < 0 || fstat(old, &st) < 0 || st.st_dev != target->device)
		return FALSE;
	/* By the directory, since there may be no /proc. */
	return varve_mount_beneath(tree, USR) == 0 && fchdir(old) == 0 &&
	       umount2(".", MNT_DETACH) == 0;
}

static gboolean run_child(const Target *target)
{
	int tree = clone_tree(target->usr, 0);

	alarm(CHILD_SECONDS);
	if (tree < 0 || !enter(target))
		return FALSE;
	tree = assemble(target, tree);
	return tree >= 0 && enter(target) && exchange(target, tree);
}

static gboolean follow(const Target *target)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(run_child(target) ? 0 : 1);
	if (pid < 0)
		return FALSE;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return FALSE;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static gboolean look_at(int proc, const char *name, const char *usr, const VarvePast *past,
			const GPtrArray *host, GHashTable *seen)
{
	varve_autofd dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_auto(Target) target = { .namespace = -1, .root = -1, .usr = usr };
	g_autoptr(GPtrArray) mounts = NULL;
	g_autofree char *key = NULL;
	VarveSight sight;
	gboolean stuck;
	dev_t root;

	key = dir < 0 ? NULL : varve_sight_key(dir, &root);
	if (!key || !g_hash_table_add(seen, g_strdup(key)))
		return FALSE;
	mounts = varve_sight_mounts(dir, NULL);
	if (!mounts)
		return FALSE;
	varve_sight_judge(past, mounts, host, root, &sight);
	stuck = sight.earlier && sight.earlier == sight.stack;
	varve_sight_clear(&sight);
	if (!stuck)
		return FALSE;
	target.device = sight.earlier->device;
	target.covers = list_covers(mounts, varve_mount_topmost(mounts, USR));
	target.namespace = openat(dir, "ns/mnt", O_RDONLY | O_CLOEXEC);
	target.root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return target.namespace >= 0 && target.root >= 0 && follow(&target);
}

guint varve_follow_all_below(const char *proc, const char *usr, const VarvePast *past)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	varve_autofd dir = varve_dir_open(AT_FDCWD, proc, NULL);
	varve_autofd first = dir < 0 ? -1 : varve_dir_open(dir, "1", NULL);
	g_autoptr(GPtrArray) host = first < 0 ? NULL : varve_sight_mounts(first, NULL);
	varve_autofd self = dir < 0 ? -1 : varve_dir_open(dir, "self", NULL);
	g_auto(GStrv) names = NULL;
	char *own = NULL;
	guint followed = 0;
	dev_t root;

	/* The caller's own is the commit's to change. */
	own = self < 0 ? NULL : varve_sight_key(self, &root);
	if (own)
		g_hash_table_add(seen, own);
	if (!own || !host || past->stacks->len < 2 || !varve_dir_list(dir, ".", &names, NULL))
		return 0;
	for (char **name = names; *name; name++) {
		if (g_ascii_isdigit(**name))
			followed += look_at(dir, *name, usr, past, host, seen);
	}
	return followed;
}

guint varve_follow_all(const VarvePast *past)
{
	return varve_follow_all_below("/proc", USR, past);
}
