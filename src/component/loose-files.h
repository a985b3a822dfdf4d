/* The loose files beside a spec: sources and patches below one directory, which is never left.
 * Paths are relative to it; symbolic links are not followed. */
#pragma once

#include "component/pattern.h"

#include <sys/types.h>

/* The largest file that an overlay rewrites. */
#define VARVE_LOOSE_MAX ((gsize)256 << 20)

/** What a pattern may name. */
typedef enum {
	VARVE_LOOSE_FILES,          /* regular files */
	VARVE_LOOSE_FILES_OR_LINKS, /* and symbolic links, for what takes the link itself */
} VarveLooseKind;

/** varve_loose_is_git: whether the path lies in a .git directory, which patterns leave alone. */
gboolean varve_loose_is_git(const char *path);
/** varve_loose_is_spec: whether it is a spec, which only spec overlays change. */
gboolean varve_loose_is_spec(const char *path);

/**
 * varve_loose_match:
 * What @pattern matches, directory by directory; specs, what git keeps and files that a killed
 * varve_loose_write() left are left out.
 *
 * @kind: with VARVE_LOOSE_FILES a pattern passes over symbolic links, and a plain name that means
 * one is an error, which says so.
 * @ret: (transfer full) (element-type utf8) may be empty.
 *
 * Errors: CONFLICT (a plain name that leaves the directory), CORRUPT (a symbolic link in the way),
 * UNSUPPORTED (too many directories in each other, and the pattern reaches there), SYSTEM.
 */
gboolean varve_loose_match(int directory, const VarvePattern *pattern, VarveLooseKind kind,
			   GPtrArray **ret, GError **error);

/**
 * varve_loose_read:
 * @ret_mode: permission bits.
 *
 * Errors: as varve_loose_match(); NOT_FOUND; UNSUPPORTED (larger than VARVE_LOOSE_MAX).
 */
gboolean varve_loose_read(int directory, const char *path, char **ret_data, gsize *ret_size,
			  mode_t *ret_mode, GError **error);
/** varve_loose_write: replaces a file, or makes it; a failure leaves the old one and no other. */
gboolean varve_loose_write(int directory, const char *path, const void *data, gsize size,
			   mode_t mode, GError **error);
/** varve_loose_can_add: whether there is no such file yet. Errors: CONFLICT (there is). */
gboolean varve_loose_can_add(int directory, const char *path, GError **error);
/** varve_loose_add: copies the host's file @from; a failure leaves nothing. Errors: CONFLICT (@path
 *  is there already). */
gboolean varve_loose_add(int directory, const char *path, const char *from, GError **error);
gboolean varve_loose_remove(int directory, const char *path, GError **error);
/** varve_loose_rename: gives the file another name in its directory, in the place of what has it.
 */
gboolean varve_loose_rename(int directory, const char *path, const char *name, GError **error);

/**
 * varve_loose_copy:
 * Copies every file of the directory @from into the empty directory @to, with permission bits,
 * links as links; what git keeps is left out.
 *
 * @but: (nullable) a name at the top that is left out.
 *
 * Errors: UNSUPPORTED (devices, sockets; too deep), SYSTEM.
 */
gboolean varve_loose_copy(int from, int to, const char *but, GError **error);
