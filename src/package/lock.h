/* The lock file: which packages a layer is made of, to the byte, so that a build can be repeated.
 * A text that is made to be compared: one package a line, sorted (docs/formats.md). */
#pragma once

#include "package/universe.h"

typedef struct VarveLock VarveLock;

/**
 * varve_lock_open:
 * Reads the lock file @path; a missing one is an empty lock. Errors: CORRUPT, with the line.
 */
VarveLock *varve_lock_open(const char *path, GError **error);
void varve_lock_free(VarveLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveLock, varve_lock_free)

gboolean varve_lock_has(const VarveLock *lock, const char *layer, const VarveArch *arch);

/**
 * varve_lock_resolve:
 * The packages of @layer: what a build calls instead of varve_universe_solve(). A layer that the
 * lock has is solved with exactly its packages: one that is gone from the repositories or differs
 * there, or a request that these packages do not fit any more, is an error that names it and
 * `--update-lock`. A layer that the lock does not have, or any where @update, is solved afresh and
 * recorded. Packages of repositories that are `own` are recorded by name only.
 *
 * Errors: CONFLICT, NOT_FOUND, and those of varve_universe_solve().
 */
gboolean varve_lock_resolve(VarveLock *lock, VarveUniverse *universe, const char *layer,
			    const VarveSolveRequest *request, gboolean update,
			    GPtrArray **ret_packages, GError **error);

/** varve_lock_save: writes the file where anything changed since it was opened. */
gboolean varve_lock_save(VarveLock *lock, GError **error);
