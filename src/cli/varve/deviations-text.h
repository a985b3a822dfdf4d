/* How `varve deviations` writes the log where it is not a page. */
#pragma once

#include "cli/varve/component-text.h"
#include "component/deviation.h"

/** (caller owns) @problems: of varve_deviations_judge(). @unjudged: of varve_deviations_unjudged().
 */
json_t *varve_deviations_json(const VarveDeviations *deviations, const GPtrArray *problems,
			      const GPtrArray *unjudged);
/** (caller frees) the short form for a terminal. */
char *varve_deviations_text(const VarveDeviations *deviations, const GPtrArray *problems);
/** (caller frees, nullable) "3 deviations could not be judged by …"; NULL where all could. */
char *varve_unjudged_text(const GPtrArray *unjudged);
