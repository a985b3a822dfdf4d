/* A tree of files that git tracks, as the tar archive that a spec wants as its source. */
#pragma once

#include <glib.h>

/**
 * varve_source_tree_pack:
 * Writes @file, an uncompressed ustar archive of what git tracks below @tree, as it lies there now,
 * changes included: sorted, owned by root, dated @time, below the directory that @file is called
 * without ".tar". The same files are the same bytes.
 *
 * @only: (nullable) paths below @tree, NULL-terminated; the rest is left out.
 *
 * Errors: NOT_FOUND (no git, no work tree), UNSUPPORTED (a path too long for ustar), SYSTEM.
 */
gboolean varve_source_tree_pack(const char *tree, const char *const *only, const char *file,
				gint64 time, GError **error);
