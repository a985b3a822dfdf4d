/* How `varve deviations` writes the log where it is not a page. */
#pragma once

#include "cli/varve/component-text.h"
#include "component/deviation.h"

/** (caller owns) @problems: of varve_deviations_judge(). */
json_t *varve_deviations_json(const VarveDeviations *deviations, const GPtrArray *problems);
/** (caller frees) the short form for a terminal. */
char *varve_deviations_text(const VarveDeviations *deviations, const GPtrArray *problems);
