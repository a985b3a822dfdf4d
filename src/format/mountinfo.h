/* The mounts of a mount namespace, as /proc/PID/mountinfo tells them (proc(5)). */
#pragma once

#include <glib.h>

typedef struct {
	guint id, parent;
	char *root;    /* of the mount within its filesystem */
	char *point;   /* where it is mounted, below the process's root */
	char *type;    /* of the filesystem */
	char *source;  /* "" where there is none */
	char *options; /* of the mount */
	char *super;   /* of the filesystem: lowerdir+=… */
} VarveMount;

/**
 * varve_mountinfo_parse:
 * Octal escapes are decoded, so that any text may be a name with anything in it but NUL.
 *
 * Returns: (caller unrefs) VarveMount *, in the order of @text: what is mounted over another comes
 * after it. Errors: CORRUPT, naming the line.
 */
GPtrArray *varve_mountinfo_parse(const char *text, GError **error);
