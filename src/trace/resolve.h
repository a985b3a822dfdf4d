/* Following a path through links, each step told; what there is is asked of the caller, so that a
 * node's files and an image's tables are followed in the same way. */
#pragma once

#include <glib.h>

#define VARVE_RESOLVE_LINKS_MAX 40 /* as Linux has it */

/**
 * VarveResolveLook: what is at @path, absolute and without links on the way.
 *
 * @ret_exists: untouched on failure, as the next.
 * @ret_target: (caller frees) of a link; NULL for anything else.
 */
typedef gboolean (*VarveResolveLook)(const char *path, gboolean *ret_exists, char **ret_target,
				     gpointer data, GError **error);

/**
 * varve_trace_resolve:
 * @path: absolute.
 * @ret_steps: (caller unrefs) char *: every link that is followed, by its own path without links,
 * and last what they lead to, which may not exist.
 *
 * Errors: USAGE (@path is not absolute), CORRUPT (more links than Linux follows), what @look says.
 */
gboolean varve_trace_resolve(const char *path, VarveResolveLook look, gpointer data,
			     GPtrArray **ret_steps, GError **error);
