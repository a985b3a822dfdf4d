/* A component as it is built: what the distribution, the project, its groups and its own table say
 * of it, merged, each value with where it was said. */
#pragma once

#include "definition/components.h"

/** One value and where it came from; for people who ask "why is this so?". */
typedef struct {
	char *key;   /* "build.check.skip", "spec.upstream-commit", "overlays" */
	char *value; /* as TOML would write it; of an array: one entry each */
	char *level; /* "distro", "project", "group NAME", "component", "default" */
	VarveOrigin origin;
} VarveExplanation;

void varve_explanation_free(VarveExplanation *explanation);

typedef struct {
	const char *name;
	/* Merged; its origin is where [components.NAME] is, or what made it. */
	VarveComponent component;
	/* Of an upstream spec: whose, resolved; else NULL. */
	const VarveDistro *distro;
	const VarveDistroVersion *version;
	const char *snapshot; /* (nullable) RFC 3339 */
	/* (nullable) what azldev's lock file of the component says: a commit of the upstream, and
	 * a fingerprint that is another where what goes into the component is. */
	const char *locked_commit;
	const char *locked_fingerprint;
	const VarveComponentGroup *const *groups; /* that it is in, in the order they were merged */
	gsize n_groups;
	/*< private >*/
	struct VarveEffectiveStore *store;
} VarveEffective;

/**
 * varve_effective_new:
 * Merges what applies to the component @name, in azldev's order: the version of the project's
 * distribution, the project, its groups by name, its own table. What is set, and is not empty,
 * false or 0, replaces; arrays add up; `defines` and `packages` are replaced key by key.
 *
 * @definition: must outlive the result, which borrows from it.
 *
 * Errors: NOT_FOUND (no such component; the nearest is named), DEFINITION (what is merged does not
 * fit: no version of the distribution is meant, a local spec without a path, a commit that its lock
 * file does not have), CORRUPT, UNSUPPORTED (its lock file).
 */
VarveEffective *varve_effective_new(const VarveDefinition *definition, const char *name,
				    GError **error);
void varve_effective_free(VarveEffective *effective);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveEffective, varve_effective_free)

/** varve_effective_explain: (transfer full) (element-type VarveExplanation) sorted by key; the
 *  elements of an array in their order. */
GPtrArray *varve_effective_explain(const VarveEffective *effective);

/**
 * varve_effective_channel:
 * Where the binary package @package of the component is published: what its `packages` says, else
 * the package group that it is in, else the component's `publish`, else the project's
 * default-package-config. Packages of debug information have channels of their own.
 *
 * Returns: (borrowed, nullable)
 */
const char *varve_effective_channel(const VarveEffective *effective, const char *package);
/** varve_package_is_debuginfo: is it called as such are: NAME-debuginfo, NAME-debugsource-x. */
gboolean varve_package_is_debuginfo(const char *package);
