/* Small questions about text: globs over paths, the nearest known name, sizes for people. */
#pragma once

#include <glib.h>

/**
 * varve_glob_match:
 * Matches a whole path: `?` and `*` do not cross a slash, `**` does, `[a-z]` and `[!a-z]` as in
 * a shell, backslash quotes. A pattern that ends in a slash followed by `**` matches what lies
 * below, not the directory itself. Linear in pattern times path, whatever the pattern.
 */
gboolean varve_glob_match(const char *pattern, const char *path);

/**
 * varve_nearest:
 * Returns: (borrowed from @candidates, nullable) the candidate nearest to @word by edit distance,
 * NULL where none is near enough to be a likely slip (a third of the length).
 */
const char *varve_nearest(const char *word, const char *const *candidates);

/** varve_size_text: (caller frees) "97.0 MiB". */
char *varve_size_text(guint64 bytes);

/** varve_text_printable: (caller frees) the text with '?' for what could make a terminal do
 *  something, but for line feeds: for texts that quote names which anyone may have made. */
char *varve_text_printable(const char *format, va_list args) G_GNUC_PRINTF(1, 0);

/** varve_text_line: (caller frees) @text on one line, with '?' for whatever is not a character that
 *  shows itself: line breaks, controls, marks that turn the direction of writing. */
char *varve_text_line(const char *text);
