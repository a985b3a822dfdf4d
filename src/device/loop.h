/* Loop devices over a file that is already open: LOOP_CONFIGURE, read-only, gone with their last
 * user (Linux 5.8). */
#pragma once

#include <glib.h>

/**
 * varve_loop_attach:
 * Makes @size bytes at @offset of the file behind @fd a block device. It clears itself when its
 * last user closes it: keep the returned fd until something else (a dm device) holds it open.
 *
 * @offset, @size: multiples of 4096.
 * @name: what losetup shows.
 * @ret_path: (caller frees with g_free) "/dev/loop3"
 *
 * Returns: the open device, or -1. Errors: SYSTEM, UNSUPPORTED (no loop devices here).
 */
int varve_loop_attach(int fd, guint64 offset, guint64 size, const char *name, char **ret_path,
		      GError **error);
