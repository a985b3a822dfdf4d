/* Which layer of an overlay an inode is of (Linux, filesystems/overlayfs, "Inode properties"; with
 * xino=on the high bits of st_ino number the filesystems below, from the topmost on). */
#pragma once

#include <glib.h>

/**
 * varve_xino_layer:
 * @inode: st_ino on an overlay that was mounted with xino=on.
 * @n: the number of its lowers, each a filesystem of its own; at least 2.
 * @ret_inode: (nullable) the inode's number in its own filesystem.
 *
 * Returns: 1 for the topmost lower up to @n for the lowest, or 0 where the number does not tell.
 */
guint varve_xino_layer(guint64 inode, guint n, guint64 *ret_inode);

/** varve_xino_number: the opposite: the number on the overlay of @inode in the lower @layer of
 *  @n. */
guint64 varve_xino_number(guint64 inode, guint layer, guint n);
