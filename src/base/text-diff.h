/* Differences of two texts, as diff -u writes them. */
#pragma once

#include <glib.h>

/**
 * varve_text_diff:
 * The unified difference with three lines of context, "--- @old_name" and "+++ @new_name" above it.
 * Where the texts are so different that finding the least difference takes too long, one that is
 * right, but longer.
 *
 * Returns: (caller frees) "" where the texts are the same.
 */
char *varve_text_diff(const char *old_name, const char *old_text, gsize old_size,
		      const char *new_name, const char *new_text, gsize new_size);
