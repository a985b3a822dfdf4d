/* What a mount namespace shows of the stacks: the running one, or one that a swap could not take
 * away there. */
#pragma once

#include "stack/past.h"

/** varve_sight_key: (caller frees, nullable) what decides which mounts the process of @dir, a
 *  /proc/PID, sees: its namespace and its root. NULL where it has ended. */
char *varve_sight_key(int dir, dev_t *ret_root);
/** varve_sight_mounts: (caller unrefs) VarveMount *, of that process. Errors: SYSTEM, CORRUPT. */
GPtrArray *varve_sight_mounts(int dir, GError **error);

typedef struct {
	gboolean follows; /* no earlier stack is to be seen. So it is too where none of ours is:
			   * containers with a /usr of their own */
	const VarvePastStack *stack;   /* (nullable) what is at /usr, of the running or an earlier
					* one */
	const VarvePastStack *earlier; /* (nullable) the one that is in the way */
	char *obstacle;                /* why it does not follow; "" */
} VarveSight;

/**
 * varve_sight_judge:
 * An earlier stack of the very layers that run counts as the running one.
 *
 * @mounts: of the namespace, as a process in it sees them.
 * @host: those of PID 1. What is bound there from an earlier stack, at the same place, is the
 * system's and no service's.
 * @root: the device that the process's root directory is on.
 */
void varve_sight_judge(const VarvePast *past, const GPtrArray *mounts, const GPtrArray *host,
		       dev_t root, VarveSight *ret);
void varve_sight_clear(VarveSight *sight);
