/* Patterns of file names in spec overlays: `*` and `?` within a directory, a segment of two stars
 * for directories at any depth, classes [a-z] and [!a-z], alternatives {a,b}, a backslash before
 * what stands for itself. */
#pragma once

#include <glib.h>

typedef struct VarvePattern VarvePattern;

/** varve_pattern_new: Errors: USAGE (not closed, or with too many alternatives). */
VarvePattern *varve_pattern_new(const char *text, GError **error);
void varve_pattern_free(VarvePattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePattern, varve_pattern_free)

/** varve_pattern_depth: in how many directories in each other what it matches can be at most;
 *  G_MAXUINT: at any depth. */
guint varve_pattern_depth(const VarvePattern *pattern);
/** varve_pattern_literal: (borrowed, nullable) the one name that a pattern without wildcards means;
 *  a backslash before what is no wildcard is a part of it. */
const char *varve_pattern_literal(const VarvePattern *pattern);
/** varve_pattern_match: the whole of @path, in time linear in it. */
gboolean varve_pattern_match(const VarvePattern *pattern, const char *path);
/** varve_pattern_match_value: the same for the value of a PatchN tag or a line of %patchlist, where
 *  a class may have a slash, and a directory matches what goes into it by two stars. */
gboolean varve_pattern_match_value(const VarvePattern *pattern, const char *value);
