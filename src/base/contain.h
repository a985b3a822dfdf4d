/* The contained half of base/process.c: namespaces and a root of its own, between fork and exec.
 * Only process.c calls it. */
#pragma once

#include "base/process.h"

#include <sys/types.h>

/** Why a child never reached its program; small enough to go through a pipe in one piece. */
typedef struct {
	int errnum;
	gboolean exec;
	char what[200];
} VarveContainFailure;

/** varve_contain_fork: fork into new mount, pid, ipc, uts and, unless process->network, network
 *  namespaces. Returns as fork. */
pid_t varve_contain_fork(const VarveProcess *process);

/** varve_contain: in that child, makes process->root the root, with /proc, a minimal /dev, tmpfs on
 *  /tmp and /run, and the binds. Returns: FALSE with @ret_failure. */
gboolean varve_contain(const VarveProcess *process, VarveContainFailure *ret_failure);
