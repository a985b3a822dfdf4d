/* What Unicode says of characters, for expressions: categories, scripts, case. */
#pragma once

#include "definition/regex-set.h"

/** Remembers what was asked for: to look over all of Unicode takes milliseconds. */
typedef struct VarveUnicode VarveUnicode;

VarveUnicode *varve_unicode_new(void);
void varve_unicode_free(VarveUnicode *unicode);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveUnicode, varve_unicode_free)

/**
 * varve_unicode_named:
 * The characters of \p{@name}: a general category ("Lu", "Letter"), a script ("Greek"), "Any",
 * "ASCII" or "Assigned". Case, blanks, '_' and '-' in the name do not matter.
 *
 * Returns: (transfer full, nullable) NULL: there is no such name.
 */
VarveRuneSet *varve_unicode_named(VarveUnicode *unicode, const char *name, gsize size);

/** varve_unicode_fold: adds to @set whatever differs only in case from what is in it, by Unicode's
 * simple case folding. */
void varve_unicode_fold(VarveUnicode *unicode, VarveRuneSet *set);

/** varve_unicode_cases: (transfer full) @rune and what differs from it only in case. */
VarveRuneSet *varve_unicode_cases(VarveUnicode *unicode, gunichar rune);
