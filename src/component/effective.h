/* A component as it is built: what the distribution, the project, its groups and its own table say
 * of it, merged, each value with where it was said. */
#pragma once

#include "definition/components.h"

/** One value and where it came from; for people who ask "why is this so?". */
typedef struct {
	const char *key;   /* "build.check.skip", "spec.upstream-commit", "overlays" */
	const char *value; /* as TOML would write it; of an array: one entry each */
	const char *level; /* "distro", "project", "group NAME", "component", "default" */
	VarveOrigin origin;
} VarveExplanation;

typedef struct {
	const char *name;
	/* Merged; its origin is where [components.NAME] is, or what made it. */
	VarveComponent component;
	/* Of an upstream spec: whose, resolved; else NULL. */
	const VarveDistro *distro;
	const VarveDistroVersion *version;
	const char *snapshot;                     /* (nullable) RFC 3339 */
	const VarveComponentGroup *const *groups; /* that it is in, in the order they were merged */
	gsize n_groups;
	/*< private >*/
	struct VarveEffectiveStore *store;
} VarveEffective;

/**
 * varve_effective_new:
 * Merges what applies to the component @name, in azldev's order.
 *
 * @definition: must outlive the result, which borrows from it.
 *
 * Errors: NOT_FOUND (no such component; the nearest is named), DEFINITION.
 */
VarveEffective *varve_effective_new(const VarveDefinition *definition, const char *name,
				    GError **error);
void varve_effective_free(VarveEffective *effective);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveEffective, varve_effective_free)

/** varve_effective_explain: (transfer full) (element-type VarveExplanation) sorted by key. */
GPtrArray *varve_effective_explain(const VarveEffective *effective);
