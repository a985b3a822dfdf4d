/* The policy and the record of floors of a running node: what holds, raised when a generation is
 * good, accepted by root. What `good` touches is VARVE_RUN_DIR, VARVE_STATE_DIR and the TPM. */
#pragma once

#include "stack/effective.h"

/** One at a time changes what a node records; a file in VARVE_RUN_DIR. */
#define VARVE_NODE_LOCK VARVE_RUN_DIR "/lock"

/**
 * varve_node_floors:
 * The record of floors of this node, and its anchor in this machine's TPM.
 *
 * @ret_dirfd: (caller closes, after the result was freed) the directory that it lies in, or -1.
 */
VarveFloors *varve_node_floors(const VarveReport *boot, int *ret_dirfd);

/** varve_node_policy: varve_effective_policy() of this node as it is now. @base_fd: the base's own
 *  root; @report gets the complaints. */
VarvePolicy *varve_node_policy(int base_fd, const VarveReport *boot, VarveReport *report,
			       GError **error);

typedef struct {
	guint generation; /* that is good; 0: none is recorded */
	gboolean marked;  /* it was not before */
	gboolean raised;  /* the record was written */
	char *note;       /* (nullable, caller frees) something to tell */
} VarveGood;

/**
 * varve_node_good:
 * Marks the running generation good and raises the record of floors by it. Done again it changes
 * nothing, and where the power fails in between it is done by the next boot.
 *
 * @asked: varve_node_report() of the stack that was found to be well. Where another one runs by the
 * time that this has the node's lock, nothing is marked, and @ret says so.
 *
 * Errors: REFUSED (a required layer is missing, the base is below its floor or could not be judged
 * by: nothing is marked; the record is not the one that was kept: it is not raised), CORRUPT,
 * SYSTEM.
 */
gboolean varve_node_good(const VarveReport *asked, VarveGood *ret, GError **error);

/**
 * varve_node_accept:
 * varve_floors_accept() with what the running generation adds where it is good.
 *
 * @ret_accepted: FALSE where there was nothing to accept.
 */
gboolean varve_node_accept(gboolean forget, const char *who, gboolean *ret_accepted,
			   GError **error);
