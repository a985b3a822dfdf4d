/* From a tree to an EROFS image, by mkfs.erofs of the tools tree. */
#pragma once

#include "compose/tools.h"
#include "compose/tree.h"

typedef struct {
	gint64 epoch; /* seconds: the time of every file */
	const char
		*compression; /* (nullable) as mkfs.erofs -z takes it, "lz4hc,9"; NULL is plain */
} VarveErofsOptions;

/**
 * varve_erofs_image_make:
 * Writes @path: EROFS with 4096-byte blocks, one time for all files, a zero UUID; the same tree
 * gives the same bytes. The directory of @path must exist; a failure leaves no file.
 */
gboolean varve_erofs_image_make(VarveTree *tree, const VarveTools *tools,
				const VarveErofsOptions *options, const char *path, GError **error);
