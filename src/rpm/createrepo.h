/* The index of a repository (rpm-md), by the program createrepo_c. */
#pragma once

#include <glib.h>

/**
 * varve_createrepo_run:
 * Writes the index of all packages below @directory to @output/repodata: the same packages are
 * always the same bytes.
 *
 * @revision: of repomd.xml, and the timestamp of every part of it.
 * @packages: (nullable) names relative to @directory that are indexed; NULL: all.
 *
 * Errors: NOT_FOUND (no createrepo_c), SYSTEM.
 */
gboolean varve_createrepo_run(const char *directory, const char *output, gint64 revision,
			      const GPtrArray *packages, GError **error);
