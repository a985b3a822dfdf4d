/* EROFS images read without mounting (Linux, filesystems/erofs; on-disk format as of 6.12), for
 * plain images: inline, flat and chunk-based files; compressed ones are UNSUPPORTED here and are
 * mounted instead. Input is hostile: every offset is checked. */
#pragma once

#include "format/path-table.h"

#include <glib.h>

typedef struct VarveErofs VarveErofs;

/** varve_erofs_open: @fd is borrowed and must outlive the result; @name for messages. */
VarveErofs *varve_erofs_open(int fd, guint64 offset, guint64 size, const char *name,
			     GError **error);
void varve_erofs_free(VarveErofs *erofs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveErofs, varve_erofs_free)

/**
 * varve_erofs_read_file:
 * Reads the regular file @path (relative, no links followed) of at most @limit bytes.
 * @ret_data: (caller frees) NUL-terminated. Errors: NOT_FOUND, CORRUPT, UNSUPPORTED.
 */
gboolean varve_erofs_read_file(VarveErofs *erofs, const char *path, size_t limit, char **ret_data,
			       size_t *ret_size, GError **error);

/**
 * VarveErofsVisit: called for every path, parents first, siblings by bytes. The digest is filled
 * (regular files and links) only where varve_erofs_walk() was asked to; label comes from
 * security.selinux; package is "". Return FALSE with @error to stop.
 */
typedef gboolean (*VarveErofsVisit)(const VarvePath *path, gpointer data, GError **error);
gboolean varve_erofs_walk(VarveErofs *erofs, gboolean digests, VarveErofsVisit visit, gpointer data,
			  GError **error);
