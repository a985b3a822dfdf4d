/* Namespaces and a root of its own for a program, between fork and exec. */
#include "base/contain.h"

#include "ground/fd.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
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
	if (mkdir(path, 01777) < 0)
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

gboolean varve_contain(const VarveProcess *process, VarveContainFailure *ret_failure)
{
	const char *root = process->root;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return failed(ret_failure, errno == EINVAL
						   ? "/ is not a mount point: in a chroot, bind "
						     "it onto itself before entering it"
						   : "/");
	if (mount(root, root, NULL, MS_BIND, NULL) < 0)
		return failed(ret_failure, root);
	if (!mount_below(root, "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL,
			 ret_failure) ||
	    !mount_below(root, "tmpfs", "dev", MS_NOSUID, "mode=0755", ret_failure) ||
	    !mount_below(root, "tmpfs", "tmp", MS_NOSUID | MS_NODEV, "mode=1777", ret_failure) ||
	    !mount_below(root, "tmpfs", "run", MS_NOSUID | MS_NODEV, "mode=0755", ret_failure) ||
	    !make_dev(root, ret_failure))
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
	return TRUE;
}
