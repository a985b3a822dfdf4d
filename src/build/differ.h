/* Two builds of one component, compared. */
#pragma once

#include <glib.h>

/**
 * varve_build_differ:
 * Compares the *.rpm files of two directories.
 *
 * @ret_report: (caller frees) "" where all are the same bytes; else a text that names each package
 * that differs, and in it each header tag and file.
 */
gboolean varve_build_differ(const char *first, const char *second, char **ret_report,
			    GError **error);
