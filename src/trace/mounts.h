/* What is mounted where in this process, and on which of the mounts a path lies. */
#pragma once

#include "format/mountinfo.h"

/** varve_mounts_read: (caller unrefs) VarveMount *, as varve_mountinfo_parse() has them. Errors:
 *  SYSTEM, CORRUPT. */
GPtrArray *varve_mounts_read(GError **error);

/** varve_mounts_by_id: (borrowed, nullable) the one with the id that statx(2) gives. */
const VarveMount *varve_mounts_by_id(const GPtrArray *mounts, guint64 id);

/**
 * varve_mounts_inside:
 * Where @path, which lies on @mount, is within its filesystem: relative to its root, "" for the
 * root itself.
 * Returns: (caller frees), or NULL where it does not lie on it.
 */
char *varve_mounts_inside(const VarveMount *mount, const char *path);
