/* SPDX licence expressions (SPDX 2.3, annex D): whether a package's licence text is one. */
#pragma once

#include <glib.h>

/**
 * varve_license_is_expression:
 * Whether @text is a valid expression: identifiers of the SPDX list ("GPL-2.0-or-later", "MIT",
 * a "+" after one), LicenseRef-…, exceptions after WITH, AND, OR, parentheses. Operators are
 * upper case. "" and "NOASSERTION" are not.
 */
gboolean varve_license_is_expression(const char *text);

/**
 * varve_license_reference:
 * Returns: (caller frees) the LicenseRef- under which a text that is no expression is kept: the
 * same text gives the same reference, another text another.
 */
char *varve_license_reference(const char *text);

/**
 * varve_license_references:
 * Returns: (caller frees with g_strfreev) the LicenseRef-s that the expression @text names of its
 * own document, in order; empty where there are none or @text is no expression.
 */
char **varve_license_references(const char *text);
