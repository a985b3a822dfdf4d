/* Paths inside a tree, as archives and tables store them. */
#pragma once

#include <glib.h>

/**
 * varve_path_is_canonical:
 * Whether @path is relative to the root, without empty, "." or ".." component and without a
 * final slash; "" is the root. Such paths are equal only if their bytes are.
 */
gboolean varve_path_is_canonical(const char *path);
