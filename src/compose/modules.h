/* Kernel modules of a staged root. */
#pragma once

#include <glib.h>

/**
 * varve_modules_unpack:
 * Replaces every .ko.xz, .ko.zst and .ko.gz below usr/lib/modules of @root by its .ko, on all
 * cores: plain modules map without decompression and differ well between versions.
 */
gboolean varve_modules_unpack(const char *root, GError **error);
