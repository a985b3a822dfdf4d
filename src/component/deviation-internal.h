/* What the files of deviation* share. */
#pragma once

#include "component/deviation.h"

/** deviation-reason.c: why, by what is said at the deviation itself, else by the comments at its
 *  lines, else by what is said around it. */
typedef struct {
	const VarveDefinition *definition;
	const VarveComponent *table;      /* that declares it */
	const VarveComponentGroup *group; /* (nullable) */
} VarveDeviationScope;

/** Sets @deviation->reason. @lines: (element-type VarveOrigin) where comments may be. */
void varve_deviation_set_reason(VarveDeviation *deviation, const VarveDeviationScope *scope,
				const char *said, const GArray *lines);
