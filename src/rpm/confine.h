/* Where a transaction runs: namespaces of its own, and a file system in which nothing but the root
 * that is being installed exists. Scriptlets are programs of strangers that run as root; the Lua
 * ones even run inside librpm's own process. Only src/rpm includes this. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/** Zero-initialise; nothing is owned. */
typedef struct {
	const char *root;  /* becomes /root, nosuid and nodev */
	const char *lower; /* (nullable) /root is then an overlay of @root over it */
	const char *work;  /* empty directory on @root's filesystem */
	gboolean programs; /* scriptlets will run: /root/proc and a minimal /root/dev are mounted */
} VarveConfine;

/** Where transactions keep what is not part of the root, as seen from the root. A tmpfs is
 *  mounted there; the caller makes and removes the directory. */
#define VARVE_CONFINE_PRIVATE ".varve-transaction"

/**
 * varve_confine_fork:
 * Forks a child into new mount, pid, network, ipc and uts namespaces; it dies with the caller.
 *
 * Returns: 0 in the child (pid 1 of its namespace); the pid to wait for in the caller; -1 with
 * errno. What the caller waits for exits with the child's status, 128 + its signal, or 255 where
 * there were no namespaces to be had.
 */
pid_t varve_confine_fork(void);

/**
 * varve_confine_enter:
 * In that child: makes the file system described above the whole file system (the host's is not
 * reachable any more, open fds apart). Where @confine->programs is off, only /root is there.
 */
gboolean varve_confine_enter(const VarveConfine *confine, GError **error);

/** varve_confine_drop: in that child, after everything was mounted: gives up, for good, every
 *  capability that installing files does not need. */
gboolean varve_confine_drop(GError **error);
