/* Writing into a staged root without ever leaving it: paths are the target's, links resolve inside.
 */
#pragma once

#include "base/file.h"

/**
 * varve_root_parent:
 * Opens the directory that holds @path ("/etc/x" or "etc/x") below @root, making what is missing
 * (0755, root), links followed inside @root only.
 *
 * @ret_name: (caller frees) the last component.
 * Returns: an fd (not O_PATH), or -1.
 */
int varve_root_parent(const char *root, const char *path, char **ret_name, GError **error);

/** Replaces the file; numeric owner. */
gboolean varve_root_write(const char *root, const char *path, const void *data, size_t size,
			  mode_t mode, uid_t uid, gid_t gid, GError **error);
/** The same, root-owned, 0644, from a string. */
gboolean varve_root_write_text(const char *root, const char *path, const char *text,
			       GError **error);
/** Replaces what is there, unless it is a directory with something in it, by a link. */
gboolean varve_root_link(const char *root, const char *path, const char *target, GError **error);
gboolean varve_root_mkdir(const char *root, const char *path, mode_t mode, uid_t uid, gid_t gid,
			  GError **error);
/** (caller frees) a whole text file of at most 16 MiB; NULL and NOT_FOUND where it is missing. */
char *varve_root_read(const char *root, const char *path, GError **error);
gboolean varve_root_exists(const char *root, const char *path);
