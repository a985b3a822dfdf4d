/* What differs between two texts, line by line. */
#pragma once

#include <glib.h>

/**
 * varve_line_diff:
 * Compares two texts of any bytes, and writes hunks as diff -u does, without the two lines of file
 * names. Where far too much differs for the least difference to be found, what lies between the
 * first and the last difference is replaced whole.
 *
 * @context: equal lines around a change.
 *
 * Returns: (transfer full) empty where nothing differs.
 */
GString *varve_line_diff(const char *before, gsize before_size, const char *after, gsize after_size,
			 guint context);
