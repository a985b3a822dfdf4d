/* Regular expressions in RE2's syntax (the one that spec overlays are written in), matched by
 * PCRE2. What RE2 does not have is refused; what the two spell alike and mean differently means
 * what it does in RE2, as Go's package regexp has it. A pattern comes from a definition and a text
 * from an upstream: both are hostile, and time and memory are bounded. */
#pragma once

#include <glib.h>

typedef struct VarveRegex VarveRegex;

/**
 * varve_regex_new:
 * Compiles @pattern, UTF-8.
 *
 * Errors: USAGE: what is wrong, and at which byte of the pattern; UNSUPPORTED: what RE2 does not
 * have (lookaround, backreferences, possessive quantifiers, …), by name.
 */
VarveRegex *varve_regex_new(const char *pattern, GError **error);
void varve_regex_free(VarveRegex *regex);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveRegex, varve_regex_free)

/**
 * varve_regex_replace:
 * Appends @text to @ret, each match that does not overlap the one before, from left to right,
 * replaced by @replacement as it stands (no $1).
 *
 * @text: @length bytes; what is no UTF-8 in it is matched as RE2 does, as U+FFFD, and kept.
 * @ret_matches: how many there were.
 *
 * Errors: UNSUPPORTED (matching takes more steps or memory than is allowed, or the result is over
 * 512 MiB).
 */
gboolean varve_regex_replace(const VarveRegex *regex, const char *text, gsize length,
			     const char *replacement, GString *ret, guint *ret_matches,
			     GError **error);
