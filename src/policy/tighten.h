/* A node's own additions to the base's policy, /etc/varve/policy.d/NAME.toml (docs/policy.md has
 * the keys). They can only make it stricter: what would make it looser is a mistake. */
#pragma once

#include "policy/policy.h"

#define VARVE_LOCAL_POLICY_DIR "varve/policy.d" /* below /etc */

/**
 * varve_tighten_parse:
 * Reads one file.
 *
 * @name: its whole path: entries are said by "NAME:LINE".
 * @base: (nullable) what it is to tighten: then lines that change nothing of it, because they name
 * a floor below the base's or a certificate that it does not have, are mistakes as well. Such a
 * line is no reason to let go of the rest: it is told, and all other lines hold.
 * @idle: (element-type char *) what is wrong with those lines, with their place, is appended.
 *
 * Returns: what the file says, for varve_policy_tighten(). Errors: DEFINITION, with the place.
 */
VarvePolicy *varve_tighten_parse(const char *text, gsize size, const char *name,
				 const VarvePolicy *base, GPtrArray *idle, GError **error);
