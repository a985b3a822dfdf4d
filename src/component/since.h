/* What became of a definition's components since a commit of its repository, and why. */
#pragma once

#include "component/components-lock.h"
#include "definition/components.h"

typedef enum {
	VARVE_COMPONENT_CHANGED,
	VARVE_COMPONENT_ADDED,
	VARVE_COMPONENT_REMOVED,
} VarveComponentState;

typedef struct {
	char *name;
	VarveComponentState state;
	GPtrArray *reasons; /* of char *; of CHANGED */
} VarveComponentDifference;

/**
 * varve_components_since:
 * Compares all inputs of every component (component/inputs.h) at @revision with those now, where
 * the upstream's commits are those that the lock of each has: nothing is fetched. Of a source that
 * is a tree (`tree:DIR`), which no fingerprint has, what git tracks there is compared with what it
 * tracked at @revision; where that cannot be told it is a reason too.
 *
 * @lock_path: of the lock now.
 * @ret_commit: (caller frees) what @revision is.
 *
 * Returns: (caller frees with g_ptr_array_unref) VarveComponentDifference *, by name: those that
 * have to be built again; or NULL: NOT_FOUND (no repository, no such revision), DEFINITION (that of
 * then), CORRUPT (a lock), SYSTEM.
 */
GPtrArray *varve_components_since(const VarveDefinition *definition, const char *lock_path,
				  const char *revision, char **ret_commit, GError **error);
