/* Which layer of the running stack has a path, and which of its packages brought it: by the path
 * tables of the layers' own mounts, never of the merged /usr. */
#pragma once

#include "stack/report.h"

typedef struct VarveOwners VarveOwners;

/** varve_owners_new: for the layers that @boot merged; it must outlive the result. Nothing is read
 *  yet. */
VarveOwners *varve_owners_new(const VarveReport *boot);
void varve_owners_free(VarveOwners *owners);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveOwners, varve_owners_free)

/**
 * varve_owners_find:
 * The topmost layer that has the absolute path @path itself; links are not followed.
 *
 * @ret_package: (nullable, caller frees) its NEVRA, "" where it was generated.
 *
 * Returns: (borrowed) the layer, or NULL where no layer has it, or none of their tables can be
 * read.
 */
const VarveReportLayer *varve_owners_find(VarveOwners *owners, const char *path,
					  char **ret_package);
