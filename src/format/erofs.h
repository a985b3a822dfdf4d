/* EROFS images read without mounting (Linux, filesystems/erofs; on-disk format as of 6.12), for
 * plain images: inline, flat and chunk-based files; compressed ones are UNSUPPORTED here and are
 * mounted instead. Input is hostile: every offset is checked. */
#pragma once

#include "format/path-table.h"

#include <glib.h>

typedef struct VarveErofs VarveErofs;

/**
 * varve_erofs_open: @fd is borrowed and must outlive the result; @name for messages ("layer
 * 'ssh'"). Reads superblock and its checksum. One thread at a time uses the result. Errors:
 * CORRUPT, UNSUPPORTED (features beyond the above), SYSTEM.
 */
VarveErofs *varve_erofs_open(int fd, guint64 offset, guint64 size, const char *name,
			     GError **error);
void varve_erofs_free(VarveErofs *erofs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveErofs, varve_erofs_free)

/**
 * varve_erofs_read_file:
 * Reads the regular file @path (relative, no links followed) of at most @limit bytes.
 * @ret_data: (caller frees) NUL-terminated; @ret_size is nullable. Errors: NOT_FOUND, CORRUPT,
 * UNSUPPORTED.
 */
gboolean varve_erofs_read_file(VarveErofs *erofs, const char *path, size_t limit, char **ret_data,
			       size_t *ret_size, GError **error);

/**
 * varve_erofs_list: the names in the directory @path ("" is the root), sorted by bytes.
 * @ret_names: (caller frees with g_strfreev) Errors: NOT_FOUND, CORRUPT.
 */
gboolean varve_erofs_list(VarveErofs *erofs, const char *path, char ***ret_names, GError **error);

/**
 * varve_erofs_find_block: (caller frees with g_free, nullable) a path, with its leading slash,
 * whose content has block @block of the image, as far as a damaged image still tells; for messages.
 */
char *varve_erofs_find_block(VarveErofs *erofs, guint64 block);

/**
 * VarveErofsVisit: called for every path, parents first, siblings by bytes. The digest is filled
 * (regular files and links) only where varve_erofs_walk() was asked to; label comes from
 * security.selinux; package is "". Everything is borrowed for the call. Return FALSE with @error to
 * stop. Nothing is visited before the whole tree was found to be well-formed and was hashed.
 *
 * Errors: CORRUPT, UNSUPPORTED (a compressed file), SYSTEM.
 */
typedef gboolean (*VarveErofsVisit)(const VarvePath *path, gpointer data, GError **error);
gboolean varve_erofs_walk(VarveErofs *erofs, gboolean digests, VarveErofsVisit visit, gpointer data,
			  GError **error);
