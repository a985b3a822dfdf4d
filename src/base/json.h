/* JSON through jansson: checked reading of hostile documents, and one canonical way to write. */
#pragma once

#include <glib.h>
#include <jansson.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

/**
 * varve_json_parse:
 * Parses one JSON document that is an object; duplicate keys are refused.
 *
 * @name: what the document is, for messages ("manifest of layer 'ssh'").
 *
 * Returns: (caller owns, json_decref) the object, or NULL with CORRUPT and line and column.
 */
json_t *varve_json_parse(const char *text, size_t size, const char *name, GError **error);

/**
 * varve_json_dump:
 * Writes @value with sorted keys, indent 2 and a final newline, or, where @compact, on one line
 * without the newline: the same value is always the same bytes.
 *
 * Returns: (caller frees with g_free) NUL-terminated UTF-8.
 */
char *varve_json_dump(const json_t *value, gboolean compact);

/**
 * varve_json_get_string:
 * Takes a required string member; it may not contain NUL.
 *
 * @ret: (borrowed from @object)
 *
 * Errors: CORRUPT, naming @name and @key.
 */
gboolean varve_json_get_string(const json_t *object, const char *key, const char *name,
			       const char **ret, GError **error);

/** varve_json_get_int: the same for an integer within [@min, @max]. */
gboolean varve_json_get_int(const json_t *object, const char *key, const char *name, gint64 min,
			    gint64 max, gint64 *ret, GError **error);

/**
 * varve_json_get_strings:
 * An array of strings; a member that is absent is an empty array.
 *
 * @ret: (caller frees with g_strfreev)
 */
gboolean varve_json_get_strings(const json_t *object, const char *key, const char *name,
				char ***ret, GError **error);

/** varve_json_strings: a new JSON array of @strings (NULL counts as empty). */
json_t *varve_json_strings(const char *const *strings);

/**
 * varve_json_text: a new JSON string of text that may be anything (what packages say of
 * themselves): bytes that are not UTF-8 become U+FFFD, control characters become spaces.
 */
json_t *varve_json_text(const char *text);

/** varve_json_escaped: a new JSON string of a name or path that anybody may have made: as it is
 * where it is UTF-8, else escaped whole as in C. */
json_t *varve_json_escaped(const char *text);
