/* What device-mapper says of a verity device that is there: whether it ever met a block that is not
 * what was signed, and what it is made of (Linux, admin-guide/device-mapper/verity). */
#pragma once

#include "base/digest.h"

typedef struct {
	gboolean corrupted; /* since the device was made; it does not forget */
	guint data_major, data_minor;
	guint hash_major, hash_minor;
	guint64 data_blocks; /* of 4096 bytes */
	VarveDigest root;
} VarveVerityStatus;

/**
 * varve_verity_status_read:
 * Asks for the device @name. Errors: NOT_FOUND (no such device), UNSUPPORTED (no device-mapper, or
 * not ours to ask: only root may), CORRUPT (it is not one verity target as we make them), SYSTEM.
 */
gboolean varve_verity_status_read(const char *name, VarveVerityStatus *ret_status, GError **error);

/**
 * varve_verity_status_parse, varve_verity_table_parse:
 * What the target's status line ("V", "C") and table line ("1 7:0 7:0 4096 4096 …") say. The first
 * sets corrupted, the second all else. Errors: CORRUPT.
 */
gboolean varve_verity_status_parse(const char *line, VarveVerityStatus *status, GError **error);
gboolean varve_verity_table_parse(const char *line, VarveVerityStatus *status, GError **error);
