/* Taking paths out of a staged root before it is finished: units that are not there cannot be
 * enabled, modules that are not there are not in modules.dep. */
#pragma once

#include <glib.h>

/** Lists of globs over target paths; each NULL-terminated or NULL. */
typedef struct {
	const char *const *exclude[2]; /* the layer's own, and those of its base */
	const char *const *keep[2];
} VarveExclude;

/**
 * varve_exclude_apply:
 * Removes from the directory @root what matches an exclude and no keep; a directory takes with it
 * all below that no keep names. A directory that this leaves empty goes too.
 */
gboolean varve_exclude_apply(const char *root, const VarveExclude *exclude, GError **error);

/** varve_exclude_matches: whether the file @path ("/usr/share/doc/x") would be taken out. */
gboolean varve_exclude_matches(const VarveExclude *exclude, const char *path);
