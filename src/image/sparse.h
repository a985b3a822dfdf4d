/* Copying parts of files that are mostly holes. */
#pragma once

#include <glib.h>

/**
 * varve_sparse_copy:
 * Copies @size bytes at @from_offset of @from to @to_offset of @to, in the kernel, leaving holes
 * alone: what is under them in @to has to be a hole already (a new file).
 *
 * @name: of @from, for messages.
 * Errors: CORRUPT (@from is shorter), SYSTEM.
 */
gboolean varve_sparse_copy(int from, guint64 from_offset, guint64 size, int to, guint64 to_offset,
			   const char *name, GError **error);

/** varve_sparse_copy_file: a whole file to @to, which has to be empty: by reflink where the
 *  filesystem can, else as above. */
gboolean varve_sparse_copy_file(int from, int to, const char *name, GError **error);
