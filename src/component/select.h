/* Which components are meant, merged. */
#pragma once

#include "component/effective.h"

/**
 * varve_effective_select:
 * Merges the components that @patterns name: names, or globs over names.
 *
 * @patterns: (nullable) NULL or empty: all.
 *
 * Returns: (transfer full) (element-type VarveEffective) sorted by name, each once.
 * Errors: NOT_FOUND (a name or a pattern that names none; all such are told), DEFINITION
 * (everything that is wrong with any of them, a line each).
 */
GPtrArray *varve_effective_select(const VarveDefinition *definition, const char *const *patterns,
				  GError **error);
