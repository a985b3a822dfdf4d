/* What is mounted where, as the kernel says it: /proc/PID/mountinfo (Linux, filesystems/proc, 3.5).
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

/** One line. Paths are unescaped; all are owned, never NULL. */
typedef struct {
	guint id, parent;
	dev_t device;
	char *root;   /* of the filesystem: what of it is mounted */
	char *point;  /* where, below the root of the process that reads */
	char *type;   /* "overlay" */
	char *source; /* "/dev/vda8", "varve" */
	char *super;  /* the filesystem's own options */
} VarveMountInfo;

/**
 * varve_mounts_parse: @text is a whole mountinfo file.
 * Returns: (caller unrefs) VarveMountInfo *, in the file's order. Errors: CORRUPT.
 */
GPtrArray *varve_mounts_parse(const char *text, GError **error);
/** varve_mounts_read: of this process. Errors: SYSTEM, CORRUPT. */
GPtrArray *varve_mounts_read(GError **error);

/** varve_mounts_by_id: (borrowed, nullable) the one with the id that statx(2) gives. */
const VarveMountInfo *varve_mounts_by_id(const GPtrArray *mounts, guint64 id);
/** varve_mounts_at: (borrowed, nullable) the topmost that is mounted at @point. */
const VarveMountInfo *varve_mounts_at(const GPtrArray *mounts, const char *point);

/** varve_mounts_option: (caller frees with g_strfreev) the values of option @key of an overlay, in
 *  their order, unescaped. */
char **varve_mounts_option(const VarveMountInfo *mount, const char *key);

/**
 * varve_mounts_inside:
 * Where @path, which lies on @mount, is within its filesystem: relative to its root, "" for the
 * root itself.
 * Returns: (caller frees), or NULL where it does not lie on it.
 */
char *varve_mounts_inside(const VarveMountInfo *mount, const char *path);
