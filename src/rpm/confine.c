/* Namespaces and a file system of its own for a transaction (namespaces(7), capabilities(7)). */
#include "rpm/confine.h"

#include "base/error.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (parent && getppid() != parent)
		_exit(255);
}

pid_t varve_confine_fork(void)
{
	pid_t self = getpid(), child, pid;
	int status;

	child = fork();
	if (child != 0)
		return child;
	die_with(self);
	/* A pid namespace begins with the next fork, so there are two. fork() rather than clone(),
	 * because it leaves malloc's locks usable. */
	if (unshare(NAMESPACES) < 0)
		_exit(255);
	pid = fork();
	if (pid == 0) {
		die_with(0);
		return 0;
	}
	if (pid < 0)
		_exit(255);
	/* Only this one's fds keep nothing open that the caller waits on. */
	syscall(SYS_close_range, 3u, ~0u, 0u);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			_exit(255);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static gboolean mount_at(const char *type, const char *target, unsigned long flags,
			 const char *options, GError **error)
{
	if (mount(type, target, type, flags, options) < 0)
		return varve_fail_errno(error, errno, "mounting %s at %s", type, target);
	return TRUE;
}

static gboolean mount_overlay(const VarveConfine *confine, const char *target, GError **error)
{
	g_autofree char *work = g_build_filename(confine->work, "overlay", NULL);
	g_autofree char *options = NULL;
	varve_autofd lower = open(confine->lower, O_PATH | O_DIRECTORY | O_CLOEXEC);
	varve_autofd upper = open(confine->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	varve_autofd scratch = -1;

	if (lower < 0)
		return varve_fail_errno(error, errno, "base root %s", confine->lower);
	if (upper < 0)
		return varve_fail_errno(error, errno, "root %s", confine->root);
	if (mkdir(work, 0700) < 0 && errno != EEXIST)
		return varve_fail_errno(error, errno, "%s", work);
	scratch = open(work, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (scratch < 0)
		return varve_fail_errno(error, errno, "%s", work);
	/* By fd: no comma or colon of a path can be taken for an option. Without redirects and
	 * metacopy the upper directory is an ordinary tree. */
	options =
		g_strdup_printf("lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,"
				"workdir=/proc/self/fd/%d,redirect_dir=off,metacopy=off,index=off",
				lower, upper, scratch);
	return mount_at("overlay", target, MS_NODEV | MS_NOSUID, options, error);
}

static gboolean mount_root(const VarveConfine *confine, const char *target, GError **error)
{
	if (confine->lower)
		return mount_overlay(confine, target, error);
	if (mount(confine->root, target, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_NODEV | MS_NOSUID, NULL) < 0)
		return varve_fail_errno(error, errno, "binding root %s", confine->root);
	return TRUE;
}

/* Bound from the host's nodes, which works without mknod; the root itself is nodev. */
static gboolean mount_dev(const char *root, GError **error)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };
	static const char *const links[][2] = { { "/proc/self/fd", "fd" },
						{ "/proc/self/fd/0", "stdin" },
						{ "/proc/self/fd/1", "stdout" },
						{ "/proc/self/fd/2", "stderr" } };
	g_autofree char *dev = g_build_filename(root, "dev", NULL);

	if (!mount_at("tmpfs", dev, MS_NOSUID, "mode=0755,size=1m", error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++) {
		g_autofree char *source = g_build_filename("/dev", nodes[i], NULL);
		g_autofree char *target = g_build_filename(dev, nodes[i], NULL);
		varve_autofd fd = -1;

		if (access(source, F_OK) < 0)
			continue;
		fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0 || mount(source, target, NULL, MS_BIND, NULL) < 0)
			return varve_fail_errno(error, errno, "binding %s", target);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
		g_autofree char *target = g_build_filename(dev, links[i][1], NULL);

		if (symlink(links[i][0], target) < 0)
			return varve_fail_errno(error, errno, "%s", target);
	}
	return TRUE;
}

/* The kernel's knobs ask for uid 0, not for a capability: read-only, every one of them. Not the
 * whole of /proc: librpm sets the mode of its root where a package owns it. */
static gboolean mount_proc(const char *proc, GError **error)
{
	static const char *const knobs[] = { "acpi", "bus", "fs",           "irq",
					     "scsi", "sys", "sysrq-trigger" };

	if (!mount_at("proc", proc, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(knobs); i++) {
		g_autofree char *path = g_build_filename(proc, knobs[i], NULL);

		if (access(path, F_OK) < 0)
			continue;
		if (mount(path, path, NULL, MS_BIND, NULL) < 0 ||
		    mount(NULL, path, NULL,
			  MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			  NULL) < 0)
			return varve_fail_errno(error, errno, "making %s read-only", path);
	}
	return TRUE;
}

gboolean varve_confine_enter(const VarveConfine *confine, GError **error)
{
	g_autofree char *cell = g_build_filename(confine->work, "cell", NULL);
	g_autofree char *root = g_build_filename(cell, "root", NULL);
	g_autofree char *private = g_build_filename(root, VARVE_CONFINE_PRIVATE, NULL);
	g_autofree char *proc = g_build_filename(root, "proc", NULL);

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return varve_fail_errno(error, errno,
					errno == EINVAL
						? "/ is not a mount point: in a chroot, bind it "
						  "onto itself before entering it"
						: "making mounts private");
	if (mkdir(cell, 0700) < 0)
		return varve_fail_errno(error, errno, "%s", cell);
	if (!mount_at("tmpfs", cell, MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=1m", error))
		return FALSE;
	if (mkdir(root, 0755) < 0)
		return varve_fail_errno(error, errno, "%s", root);
	if (!mount_root(confine, root, error) ||
	    !mount_at("tmpfs", private, MS_NOSUID | MS_NODEV, "mode=0755", error))
		return FALSE;
	if (confine->programs && (!mount_proc(proc, error) || !mount_dev(root, error)))
		return FALSE;
	if (chdir(cell) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return varve_fail_errno(error, errno, "leaving the host's file system");
	if (sethostname("build", 5) < 0)
		return varve_fail_errno(error, errno, "naming the transaction's namespace");
	return TRUE;
}

gboolean varve_confine_drop(GError **error)
{
	static const int keep[] = {
		CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
		CAP_FSETID,  CAP_KILL,         CAP_SETGID,          CAP_SETUID,
		CAP_SETPCAP, CAP_SYS_CHROOT,   CAP_MKNOD,           CAP_SETFCAP
	};
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	guint64 mask = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(keep); i++)
		mask |= G_GUINT64_CONSTANT(1) << keep[i];
	for (int i = 0; i < 64; i++)
		if (!(mask >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EINVAL)
			return varve_fail_errno(error, errno, "dropping capability %d", i);
	for (int i = 0; i < 2; i++) {
		data[i].permitted = data[i].effective = (guint32)(mask >> (32 * i));
		data[i].inheritable = 0;
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, data) < 0)
		return varve_fail_errno(error, errno, "dropping capabilities");
	return TRUE;
}
