/* Results kept by the digest of their inputs: WORK/KIND/NAME/KEY/, whole or not there. */
#pragma once

#include <glib.h>

/**
 * varve_store_path:
 * Returns: (caller frees) the directory of @key, whether it is there or not; its parents are made.
 */
char *varve_store_path(const char *work, const char *kind, const char *name, const char *key,
		       GError **error);

/**
 * varve_store_begin:
 * Makes an empty directory beside @path in which the result is made; what an interrupted run left
 * there is removed. Returns: (caller frees) its path.
 */
char *varve_store_begin(const char *path, GError **error);

/** varve_store_commit: gives the directory that @partial is its name @path. */
gboolean varve_store_commit(const char *partial, const char *path, GError **error);

/** varve_store_touch: marks @path as used now, for the next trim. */
void varve_store_touch(const char *path);

/** varve_store_trim: removes all but the @keep last used results beside @path; @path stays. */
gboolean varve_store_trim(const char *path, guint keep, GError **error);
