/* A swap: another stack for a running node. Everything that can fail happens before the commit;
 * afterwards services are brought in line and asked for their health, and where that does not come
 * the stack before is put back. */
#pragma once

#include "live/manager.h"
#include "live/target.h"
#include "live/who.h"

/** VarveSwapTell: what happens, a sentence each, as it happens. */
typedef void (*VarveSwapTell)(const char *sentence, gpointer data);

typedef struct {
	VarveTargetRequest target;
	const char *by;    /* who asks: "user root via swap" */
	const char *why;   /* (nullable) for the history */
	gboolean force;    /* also what failed here before */
	gboolean services; /* restart and reload what needs it, and ask for health */
	guint window;      /* seconds that health may take */
	VarveSwapTell tell;
	/* (nullable) right before the commit: from here on it should be let come to its end. */
	void (*committing)(gpointer data);
	gpointer data;
} VarveSwapRequest;

typedef struct {
	VarveReport *report; /* of what runs now; where layers were refused and nothing changed, of
			      * the decision */
	gboolean changed;    /* another stack runs than before */
	gboolean refused;    /* nothing changed: a layer was refused, see @report */
	gboolean failed;     /* it was committed, was not well, and the stack before was put back */
	char *reason;        /* why it failed; "" */
	guint before;        /* generations; 0: none recorded */
	guint after;
	guint restarted;  /* things that services were told */
	gint64 verified;  /* microseconds: from the request to all layers verified and judged */
	gint64 committed; /* of the commit alone */
	gint64 total;     /* from the request to the commit's end */
	VarveWho *who;    /* (nullable) who runs old code all the same */
} VarveSwapResult;

/**
 * varve_swap:
 * One transaction: all that is asked for, or nothing. Waits for the node's lock. An earlier swap
 * that was interrupted is finished or taken back first, and told; its services too, by one that
 * brings services in line.
 *
 * Errors: those of varve_target_find() and varve_commit_possible(); NOT_FOUND (no Varve node),
 * BUSY, CORRUPT, SYSTEM: then the stack before runs. A refusal by the policy is no error: see
 * @ret->refused.
 */
gboolean varve_swap(const VarveSwapRequest *request, VarveSwapResult *ret, GError **error);
void varve_swap_result_clear(VarveSwapResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveSwapResult, varve_swap_result_clear)

/** varve_swap_unfinished: whether a swap was killed before its services were through, and no other
 *  is under way. */
gboolean varve_swap_unfinished(void);
