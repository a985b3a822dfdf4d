/* The running node: which layers its /usr is really merged of, asked of the kernel, and where its
 * writable places are. */
#pragma once

#include "stack/past.h"
#include "stack/report.h"
#include "trace/mounts.h"
#include "trace/stack.h"

typedef struct {
	VarveTraceStack *stack;
	GPtrArray *mounts;   /* VarveMount * */
	VarveReport *boot;   /* (nullable) what the boot reported: a claim, for whoever can write
			      * to /run; only used where nothing better is there */
	GPtrArray *trusted;  /* (nullable) VarveTrusted *: the base's own certificates */
	GPtrArray *by_lower; /* VarveTraceLayer *, borrowed: topmost first, as the kernel numbers
			      * them; NULL for one that is no layer */
	VarvePast *past;     /* (nullable) the stacks that were: a claim too */
	dev_t usr;           /* of the overlay on /usr */
	dev_t etc;           /* of the overlay on /etc; 0: there is none */
	dev_t state;         /* of the state partition; 0: there is none */
	char *upper;         /* where the upper of /etc is, "" where it is not known */
} VarveTraceNode;

/**
 * varve_trace_node_open:
 * Reads which directories /usr is merged of (/proc/self/mountinfo), opens the layers' own mounts
 * and asks the device-mapper what it checks each against. What does not fit together is told in
 * the stack's problems; only where there is nothing to ask it fails.
 *
 * Errors: NOT_FOUND (this is no Varve node, or a layer's mount is gone), CORRUPT, SYSTEM.
 */
VarveTraceNode *varve_trace_node_open(GError **error);
void varve_trace_node_free(VarveTraceNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceNode, varve_trace_node_free)

/**
 * varve_trace_node_signer:
 * Finds out who signed @layer, once: by the signature beside its data (partition or file), checked
 * now against the certificates in the base's own mount; else by what the boot reported, and then
 * says so.
 */
void varve_trace_node_signer(VarveTraceNode *node, VarveTraceLayer *layer);
