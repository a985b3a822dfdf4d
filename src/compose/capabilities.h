/* What packages provide and require, as a layer's manifest says it: RPM capabilities. */
#pragma once

#include "rpm/package.h"

/** varve_capabilities_new: (caller unrefs) an empty set: requirements are looked up in it by name.
 */
GHashTable *varve_capabilities_new(void);
/** varve_capabilities_add: @capabilities are borrowed. */
void varve_capabilities_add(GHashTable *set, char **capabilities);
/** varve_capabilities_has: whether one of the set satisfies @required. */
gboolean varve_capabilities_has(GHashTable *set, const char *required);

/**
 * varve_capabilities_set:
 * Sets provides and requires of @manifest to those of @packages (VarvePackage *): what they need
 * and do not bring themselves is what a node checks before a merge. Rich requirements were decided
 * by the solver and files are not capabilities: both stay out. A base requires nothing.
 */
void varve_capabilities_set(VarveManifest *manifest, const GPtrArray *packages);
