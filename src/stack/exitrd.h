/* What ends the system after the last process (systemd, "initrd interface"): a directory of the
 * signed base at /run/initramfs, where code integrity executes nothing else. */
#pragma once

#include <glib.h>

#define VARVE_EXITRD_MOUNT "/run/initramfs"

/**
 * varve_exitrd_bind:
 * Binds usr/lib/varve/exitrd of the base, which is mounted at @sysroot, at VARVE_EXITRD_MOUNT:
 * varve-init as `shutdown`, and the directories that the old root and its filesystems are moved to.
 * Before anything lies over /usr.
 *
 * Errors: NOT_FOUND (a base without it), SYSTEM.
 */
gboolean varve_exitrd_bind(const char *sysroot, GError **error);
