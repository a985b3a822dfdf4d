/* Looking into the base's tree: every name is resolved inside it, absolute links too, so that a
 * link in the tree can never lead to a file of the host. */
#pragma once

#include <glib.h>

/** varve_base_tree_open: an O_PATH fd of the directory @root, or -1. */
int varve_base_tree_open(const char *root, GError **error);

/**
 * varve_base_tree_resolve:
 * What @path (relative or absolute, links followed) stands for in the tree.
 *
 * @ret: (caller frees) the path without links, relative to the root.
 * Errors: NOT_FOUND, SYSTEM.
 */
gboolean varve_base_tree_resolve(int tree, const char *path, char **ret, GError **error);

/** varve_base_tree_has: whether @path exists, links followed. */
gboolean varve_base_tree_has(int tree, const char *path);

/** varve_base_tree_read: varve_file_read() inside the tree. */
gboolean varve_base_tree_read(int tree, const char *path, size_t limit, char **ret_data,
			      size_t *ret_size, GError **error);

/**
 * varve_base_tree_list: the names in the directory @path, sorted by bytes.
 * @ret: (caller frees with g_strfreev)
 */
gboolean varve_base_tree_list(int tree, const char *path, char ***ret, GError **error);
