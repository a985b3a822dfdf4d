/* What of apt's choice is really needed once packages are dropped: without a dropped package, what
 * only it needed goes as well. */
#pragma once

#include "package/deb822.h"

typedef struct {
	GPtrArray *packages; /* VarveParagraph* (borrowed), in the order they were given */
	GHashTable *dropped; /* set of char*: the names dropped, and the names that only dropped
			      * packages provide */
} VarveDebianClosure;

void varve_debian_closure_clear(VarveDebianClosure *closure);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveDebianClosure, varve_debian_closure_clear)

/**
 * varve_debian_closure_find:
 * @stanzas: a closed set of packages, as varve_apt_resolve() gives it.
 * @wanted: names; those that are virtual take all providers in @stanzas.
 * @drop: names (nullable). A clause with a dropped name counts as met.
 *
 * Errors: NOT_FOUND (a wanted package that @stanzas lack), CONFLICT (wanted and dropped), CORRUPT.
 */
gboolean varve_debian_closure_find(const GPtrArray *stanzas, const GPtrArray *wanted,
				   const char *const *drop, VarveDebianClosure *ret_closure,
				   GError **error);
