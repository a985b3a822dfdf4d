/* Which files of an earlier stack are old: the running one has them otherwise, or not at all. */
#pragma once

#include "live/who.h"

typedef struct VarveOldFiles VarveOldFiles;

/** varve_old_files_new: of @stack (borrowed), as of now: @find is not asked later. */
VarveOldFiles *varve_old_files_new(const VarvePastStack *stack, VarveWhoFind find, gpointer data);
void varve_old_files_free(VarveOldFiles *old);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveOldFiles, varve_old_files_free)

/** varve_old_files_of: whether a file of the layer with the root hash @layer is among them. */
gboolean varve_old_files_of(const VarveOldFiles *old, const VarveDigest *layer);

/**
 * varve_old_files_find:
 * Whether the file with the inode number @number on the stack's overlay is old.
 *
 * @name: (nullable) what the kernel calls it: a path from the root of a mount that was taken away,
 * or from the root of a mount namespace. Asked only where the number does not tell.
 *
 * Returns: (borrowed) its path, "/usr/…", or NULL.
 */
const char *varve_old_files_find(const VarveOldFiles *old, guint64 number, const char *name);
