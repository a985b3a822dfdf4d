/* How two packages differ that should be the same bytes: by header tag and by file, for people. */
#pragma once

#include <glib.h>

/**
 * varve_rpm_difference:
 * Appends to @report a line for every tag of the header and every file of the payload that differs
 * between the RPM files @a and @b; nothing where they are the same in both.
 *
 * Errors: those of varve_rpm_read().
 */
gboolean varve_rpm_difference(const char *a, const char *b, GString *report, GError **error);
