/* Which packages a request needs: libsolv over repositories' metadata. */
#pragma once

#include "rpm/repository.h"

typedef struct VarveSolver VarveSolver;

/** What to solve. Zero-initialise; nothing is owned. */
typedef struct {
	/* Each a package's name, else a capability that something provides ("openssl >= 3",
	 * "/usr/bin/awk"); NULL-terminated. */
	const char *const *install;
	/* Names left out of the result and never installed; requirements on them count as met. */
	const char *const *exclude;
	/* (nullable) Names of packages that are not taken from repositories that are `own`: those
	 * that are about to be built anew. */
	const char *const *not_own;
	/* (nullable) VarvePackage * below an extension: they count as installed, stay as they are
	 * and are not in the result. Each must be in the repositories, by NEVRA and digest. */
	const GPtrArray *installed;
	/* (nullable) Only these VarvePackage * (by NEVRA and digest) may be chosen, besides
	 * packages of repositories that are `own`. */
	const GPtrArray *only;
} VarveSolveRequest;

/** varve_solver_new: for packages of @basearch ("x86_64", and noarch). */
VarveSolver *varve_solver_new(const char *basearch, GError **error);
void varve_solver_free(VarveSolver *solver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveSolver, varve_solver_free)

/** varve_solver_add: packages of repositories that are `own` are preferred to others, whatever the
 *  versions, and those of the first to those of the next. Reads primary metadata; filelists are
 * read only when a request needs them.
 *  @repository is borrowed and must live as long as @solver. Errors: CORRUPT, SYSTEM. */
gboolean varve_solver_add(VarveSolver *solver, VarvePackageRepository *repository, GError **error);

/**
 * varve_solver_solve:
 * Solves without weak dependencies. The same repositories and request give the same result.
 *
 * @ret_packages: (caller unrefs) VarvePackage *, in an order in which they can be installed.
 *
 * Errors: CONFLICT: the message lists every problem in plain words; NOT_FOUND: a package of
 * @installed is not in the repositories.
 */
gboolean varve_solver_solve(VarveSolver *solver, const VarveSolveRequest *request,
			    GPtrArray **ret_packages, GError **error);

/** varve_solver_find: (caller frees) the package with this NEVRA and, where @digest is not NULL,
 *  digest; NULL where there is none. */
VarvePackage *varve_solver_find(VarveSolver *solver, const char *nevra, const VarveDigest *digest);

gsize varve_solver_count(const VarveSolver *solver); /* packages known */
