/* Debian's control syntax (deb822(5)): paragraphs of "Field: value" lines, used by control files,
 * Packages indexes and apt's *.sources. */
#pragma once

#include <glib.h>

/** One paragraph. Field names match whatever their case. */
typedef struct VarveParagraph VarveParagraph;

/**
 * varve_deb822_parse:
 * Reads all paragraphs of @text. Lines that start with '#' are comments.
 *
 * @name: what the text is, for messages.
 *
 * Returns: (caller frees with g_ptr_array_unref) an array of VarveParagraph*, or NULL with CORRUPT:
 * a NUL byte, a line without a colon, a continuation of nothing, a field that is there twice.
 */
GPtrArray *varve_deb822_parse(const char *text, gsize size, const char *name, GError **error);

/**
 * varve_paragraph_get:
 * Returns: (borrowed, nullable) the value, lines joined by '\n', each without its first blank.
 */
const char *varve_paragraph_get(const VarveParagraph *paragraph, const char *field);

/** varve_paragraph_require: the same, but a field that is missing or empty is CORRUPT. */
const char *varve_paragraph_require(const VarveParagraph *paragraph, const char *field,
				    const char *name, GError **error);
