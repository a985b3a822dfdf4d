/* Whether units are well after a swap: a comparison of how they were and how they are, asked again
 * and again. */
#pragma once

#include "live/manager.h"
#include "live/unit-states.h"

struct VarveManagerBefore {
	VarveUnitStates *states;
};

/** varve_unit_should_run: whether @was is a unit that was active and has to be active after a swap:
 *  none that comes and goes with people and devices, or when it is needed. */
gboolean varve_unit_should_run(const VarveUnitState *was);

typedef enum {
	VARVE_WELL,         /* everything is as it should be */
	VARVE_WELL_NOT_YET, /* a unit is not active: it may still become so */
	VARVE_WELL_NEVER,   /* a unit failed, or restarts again and again */
} VarveWell;

/**
 * varve_units_well:
 * @stopped: units that may be gone; templates for all their instances.
 * @lowest: name → GUINT_TO_POINTER(restarts + 1), the fewest that were seen since the swap; kept by
 * the caller from one question to the next. A count that is one higher is a unit that came up at
 * the second try; two are too many.
 * @ret_unit: (nullable, borrowed from @now or @before) which one is not well.
 * @ret_reason: (nullable, caller frees) why, without its name.
 * @ret_restarts: how many restarts there were in all: they should not become more.
 */
VarveWell varve_units_well(const VarveUnitStates *before, const VarveUnitStates *now,
			   char *const *stopped, GHashTable *lowest, const char **ret_unit,
			   char **ret_reason, guint *ret_restarts);
