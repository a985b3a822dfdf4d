/* What verbs on a definition's components share: the definition, its lock and history, where caches
 * are, which components are meant. */
#pragma once

#include "cli/cli.h"
#include "component/prepare.h"

/** Options; embed it in a verb's own struct. */
typedef struct {
	char *directory, *work, *lookaside, *mirror;
	gboolean offline, update, all;
} VarveComponentOptions;

/** varve_component_entries: (caller frees) their entries, followed by @more (NULL-ended). */
GOptionEntry *varve_component_entries(VarveComponentOptions *options, const GOptionEntry *more);

typedef struct {
	VarveDefinition *definition;
	VarveComponentsLock *lock;
	VarveRevisions *changes;
	char *lock_path, *work;
	GPtrArray *names; /* of the components meant, sorted */
	VarvePrepare prepare;
} VarveComponentSet;

/**
 * varve_component_set_open:
 * @names: (NULL-ended) patterns of names; with --all there are none.
 *
 * Errors: USAGE (no component named, or names with --all), NOT_FOUND, DEFINITION, …
 */
VarveComponentSet *varve_component_set_open(const VarveComponentOptions *options,
					    const char *const *names, GError **error);
void varve_component_set_free(VarveComponentSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveComponentSet, varve_component_set_free)

/** varve_component_lock_path: (caller frees) where a definition's components.lock is. */
char *varve_component_lock_path(const VarveDefinition *definition);

/**
 * varve_component_set_render:
 * Renders all of @set on all cores into @output/LETTER/NAME, each replaced when it is whole, and
 * writes the lock. A component that fails keeps what it had and does not stop the others.
 *
 * @prune: directories of components that are not in the set any more go; with --all only.
 * @ret_failures: (caller frees) of char *: what to tell, in the order of names.
 */
gboolean varve_component_set_render(VarveComponentSet *set, const char *output, gboolean prune,
				    GPtrArray **ret_failures, GError **error);
