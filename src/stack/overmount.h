/* What somebody mounted over the running stack. The stack itself cannot be written to; root can put
 * something else in front of it, and nothing but a look at the mounts tells. */
#pragma once

#include "stack/report.h"

typedef struct {
	char *path; /* where: /usr, or below it, or below the layers' own mounts */
	char *type; /* of the filesystem; "" where something is missing instead */
	char *source;
	char *sentence; /* no final stop */
} VarveOvermount;

/** (static) what to do about it. */
const char *varve_overmount_next(const VarveOvermount *overmount);
void varve_overmount_free(VarveOvermount *overmount);

/**
 * varve_overmounts_find:
 * Looks in @mountinfo for what does not belong to the stack of @boot: /usr that is not its overlay
 * alone, / that is not the base alone, anything below /usr, VARVE_BASE_MOUNT or VARVE_LAYER_MOUNTS.
 *
 * Returns: (caller unrefs) VarveOvermount *. Errors: CORRUPT (@mountinfo).
 */
GPtrArray *varve_overmounts_find(const VarveReport *boot, const char *mountinfo, GError **error);

/**
 * varve_node_overmounts:
 * The same for the mounts of PID 1, or where those cannot be asked for the caller's own.
 */
GPtrArray *varve_node_overmounts(const VarveReport *boot, GError **error);
