/* What the verbs that change the running stack have in common: swap, merge, unmerge, rollback. */
#pragma once

#include "cli/cli.h"
#include "live/target.h"

typedef struct {
	gboolean force;
	gboolean no_services;
	gint window;
	char *why;
} VarveChangeOptions;

/** varve_change_entries: the options of these verbs, as VarveVerb.entries gives them. */
GOptionEntry *varve_change_entries(gpointer data);

/**
 * varve_change_run:
 * Does it, tells what happens as it happens, and then what came of it.
 *
 * @verb: "swap", for the history.
 * Returns: the exit status: 3 where a layer was refused, 1 where the stack was not well.
 */
int varve_change_run(const VarveInvocation *invocation, const char *verb,
		     const VarveTargetRequest *target, GError **error);
