/* Namespaces and a root of its own for a program, between fork and exec. */
#include "base/contain.h"

#include "ground/fd.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

pid_t varve_contain_fork(const VarveProcess *process)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			 (process->network ? 0 : CLONE_NEWNET),
		.exit_signal = SIGCHLD,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static gboolean failed(VarveContainFailure *failure, const char *what)
{
	failure->errnum = errno;
	g_strlcpy(failure->what, what, sizeof(failure->what));
	return FALSE;
}

/* Makes every directory of @path, and @path itself: a directory, or an empty file. */
static gboolean make_target(char *path, gboolean directory)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST) {
			*slash = '/';
			return FALSE;
		}
		*slash = '/';
	}
	if (directory)
		return mkdir(path, 0755) == 0 || errno == EEXIST;
	varve_autofd fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd >= 0;
}

static gboolean bind_one(const char *root, const VarveBind *bind, VarveContainFailure *failure)
{
	char target[4096];
	struct stat st;

	if (snprintf(target, sizeof(target), "%s%s", root, bind->target) >= (int)sizeof(target)) {
		errno = ENAMETOOLONG;
		return failed(failure, bind->target);
	}
	if (stat(bind->source, &st) < 0)
		return failed(failure, bind->source);
	if (!make_target(target, S_ISDIR(st.st_mode)))
		return failed(failure, target);
	if (mount(bind->source, target, NULL, MS_BIND | MS_REC, NULL) < 0)
		return failed(failure, target);
	if (!bind->writable &&
	    mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return failed(failure, target);
	return TRUE;
}

/* The few nodes that programs expect; bound from the host's, which needs no mknod. */
static gboolean make_dev(const char *root, VarveContainFailure *failure)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };
	static const char *const links[][2] = { { "/proc/self/fd", "fd" },
						{ "/proc/self/fd/0", "stdin" },
						{ "/proc/self/fd/1", "stdout" },
						{ "/proc/self/fd/2", "stderr" } };
	char path[4096], source[64];

	for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++) {
		VarveBind bind = { .source = source, .target = path, .writable = TRUE };

		snprintf(source, sizeof(source), "/dev/%s", nodes[i]);
		snprintf(path, sizeof(path), "/dev/%s", nodes[i]);
		if (access(source, F_OK) == 0 && !bind_one(root, &bind, failure))
			return FALSE;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
		snprintf(path, sizeof(path), "%s/dev/%s", root, links[i][1]);
		if (symlink(links[i][0], path) < 0)
			return failed(failure, path);
	}
	snprintf(path, sizeof(path), "%s/dev/shm", root);
	if (mkdir(path, 01777) < 0 || chmod(path, 01777) < 0)
		return failed(failure, path);
	return TRUE;
}

/* Terminals of its own. */
static gboolean make_pts(const char *root, VarveContainFailure *failure)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/dev/ptmx", root);
	if (symlink("pts/ptmx", path) < 0)
		return failed(failure, path);
	snprintf(path, sizeof(path), "%s/dev/pts", root);
	if (mkdir(path, 0755) < 0 ||
	    mount("devpts", path, "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620") < 0)
		return failed(failure, path);
	return TRUE;
}

static gboolean mount_below(const char *root, const char *type, const char *where,
			    unsigned long flags, const char *options, VarveContainFailure *failure)
{
	char target[4096];

	snprintf(target, sizeof(target), "%s/%s", root, where);
	if (!make_target(target, TRUE) || mount(type, target, type, flags, options) < 0)
		return failed(failure, target);
	return TRUE;
}

/* Directories are named by descriptor: no comma or colon of a path can be taken for an option, and
 * the options stay short. */
static gboolean mount_overlay(const VarveProcess *process, VarveContainFailure *failure)
{
	char options[1024];
	int upper = open(process->upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int work = open(process->upper_work, O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t used;

	if (upper < 0)
		return failed(failure, process->upper);
	if (work < 0)
		return failed(failure, process->upper_work);
	used = (size_t)snprintf(options, sizeof(options),
				"upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,index=off,"
				"redirect_dir=off,metacopy=off,lowerdir=",
				upper, work);
	for (size_t i = 0; process->lowers[i]; i++) {
		int lower = open(process->lowers[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (lower < 0)
			return failed(failure, process->lowers[i]);
		used += (size_t)snprintf(options + used, sizeof(options) - used,
					 "%s/proc/self/fd/%d", i ? ":" : "", lower);
		if (used >= sizeof(options)) {
			errno = E2BIG;
			return failed(failure, process->root);
		}
	}
	if (mount("overlay", process->root, "overlay", MS_NODEV | MS_NOSUID, options) < 0)
		return failed(failure, process->root);
	return TRUE;
}

static gboolean mount_root(const VarveProcess *process, VarveContainFailure *failure)
{
	if (process->lowers)
		return mount_overlay(process, failure);
	if (mount(process->root, process->root, NULL, MS_BIND, NULL) < 0)
		return failed(failure, process->root);
	return TRUE;
}

/* Programs talk to themselves; without it even 127.0.0.1 cannot be reached. A kernel without IPv4
 * has nothing to switch on. */
static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	varve_autofd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)ioctl(fd, SIOCSIFFLAGS, &request);
}

static gboolean become_user(guint user, VarveContainFailure *failure)
{
	/* A change of user takes the permitted capabilities; without new privileges and with an
	 * empty bounding set no program brings them back. */
	for (int i = 0; i < 64; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EINVAL)
			return failed(failure, "capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0)
		return failed(failure, "user");
	/* Which also takes the wish to end with the parent. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return TRUE;
}

gboolean varve_contain(const VarveProcess *process, VarveContainFailure *ret_failure)
{
	const char *root = process->root;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return failed(ret_failure, errno == EINVAL
						   ? "/ is not a mount point: in a chroot, bind "
						     "it onto itself before entering it"
						   : "/");
	if (!mount_root(process, ret_failure))
		return FALSE;
	if (!mount_below(root, "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL,
			 ret_failure) ||
	    !mount_below(root, "tmpfs", "dev", MS_NOSUID, "mode=0755", ret_failure) ||
	    !mount_below(root, "tmpfs", "tmp", MS_NOSUID | MS_NODEV, "mode=1777", ret_failure) ||
	    !mount_below(root, "tmpfs", "run", MS_NOSUID | MS_NODEV, "mode=0755", ret_failure) ||
	    !make_dev(root, ret_failure) || !make_pts(root, ret_failure))
		return FALSE;
	for (size_t i = 0; i < process->n_binds; i++)
		if (!bind_one(root, &process->binds[i], ret_failure))
			return FALSE;
	if (process->read_only_root &&
	    mount(NULL, root, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return failed(ret_failure, root);
	if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return failed(ret_failure, root);
	if (!process->network)
		raise_loopback();
	return process->user == 0 || become_user(process->user, ret_failure);
}
