/* The mounts of a mount namespace, as /proc/PID/mountinfo tells them (proc(5)). */
#pragma once

#include <glib.h>
#include <sys/types.h>

/** One line. Strings are owned, never NULL. */
typedef struct {
	guint id, parent;
	dev_t device;  /* of the filesystem */
	char *root;    /* of the mount within its filesystem */
	char *point;   /* where it is mounted, below the process's root */
	char *type;    /* of the filesystem */
	char *source;  /* "" where there is none */
	char *options; /* of the mount */
	char *super;   /* of the filesystem, as the kernel wrote it: lowerdir+=… */
} VarveMount;

/**
 * varve_mountinfo_parse:
 * Octal escapes are decoded in all but @super, so that any text may be a name with anything in it
 * but NUL.
 *
 * Returns: (caller unrefs) VarveMount *, in the order of @text, which since Linux 6.8 is that of
 * the ids and says nothing of what lies over what. Errors: CORRUPT, naming the line.
 */
GPtrArray *varve_mountinfo_parse(const char *text, GError **error);

/** varve_mount_option: (caller frees with g_strfreev) the values of option @key of the filesystem,
 *  in their order, unescaped: several of lowerdir+. */
char **varve_mount_option(const VarveMount *mount, const char *key);

/** varve_mount_topmost: (borrowed, nullable) of those at @point the one that no other lies on. */
const VarveMount *varve_mount_topmost(const GPtrArray *mounts, const char *point);
