/* The files of a directory at one time, kept to see what changes them. */
#pragma once

#include <glib.h>

typedef struct VarveSnapshot VarveSnapshot;

/** varve_snapshot_new: reads all files below @directory; links count as the text of their target.
 *  Errors: UNSUPPORTED (too large), SYSTEM. */
VarveSnapshot *varve_snapshot_new(int directory, GError **error);
void varve_snapshot_free(VarveSnapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveSnapshot, varve_snapshot_free)

/** varve_snapshot_set: a file that is not in the directory: @text is copied. NULL: it is gone. */
void varve_snapshot_set(VarveSnapshot *snapshot, const char *path, const char *text, gsize size);
/** varve_snapshot_paths: (caller frees the array) sorted. */
GPtrArray *varve_snapshot_paths(const VarveSnapshot *snapshot);

/**
 * varve_snapshot_diff:
 * All differences, unified, "a/PATH" and "b/PATH"; of files that are no text only that they differ.
 *
 * Returns: (caller frees) "" where there are none.
 */
char *varve_snapshot_diff(const VarveSnapshot *before, const VarveSnapshot *after);
