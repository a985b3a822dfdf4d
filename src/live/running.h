/* The running stack as something to compare with: its layers by their mounts, its path tables, what
 * is written down when it is replaced. */
#pragma once

#include "live/changes.h"
#include "live/commit.h"
#include "stack/past.h"

/** varve_running_layers: (caller frees with g_ptr_array_unref) VarveMounted *, lowest first, of the
 *  accepted layers of @report. Errors: NOT_FOUND (not mounted, or not checked), CORRUPT, SYSTEM. */
GPtrArray *varve_running_layers(const VarveReport *report, GError **error);

/** varve_running_next: (caller frees) a report of the same node whose layers are not chosen yet. */
VarveReport *varve_running_next(const VarveReport *running);

/**
 * varve_running_remember:
 * Adds the stack of @usr to @past, and before it the running one where nothing was swapped since
 * the boot.
 *
 * @from, @to: VarveMounted *, lowest first: the stack of @running, that of @next.
 */
void varve_running_remember(VarvePast *past, const VarveReport *running, const GPtrArray *from,
			    const GPtrArray *to, const VarveMounted *base, const VarveNewUsr *usr,
			    const VarveReport *next, const VarveChanges *changes);

/**
 * varve_running_well:
 * Whether the checks that the layers of @running declare pass, within @window seconds.
 * Errors: REFUSED (which does not, with what it last said), those of varve_running_layers().
 */
gboolean varve_running_well(const VarveReport *running, guint window, GError **error);
