/* An upstream opened for one architecture: repositories that were checked and a solver over them.
 * Solve, then fetch, then install (install.h); with a lock file, lock.h instead of solve. */
#pragma once

#include "definition/definition.h"
#include "format/partition-types.h"
#include "rpm/solver.h"

typedef struct VarveUniverse VarveUniverse;

/** How to open an upstream that is not from a definition. Zero-initialise; nothing is owned. */
typedef struct {
	const char *name; /* of the upstream */
	const VarveArch *arch;
	const VarveRepositorySource *repositories;
	size_t n_repositories;
	const char *cache; /* directory for metadata and packages */
} VarveUniverseOptions;

/**
 * varve_universe_open:
 * Opens every repository and reads its metadata. Errors: those of varve_package_repository_open().
 */
VarveUniverse *varve_universe_open(const VarveUniverseOptions *options, GError **error);

/**
 * varve_universe_open_upstream:
 * The same for an upstream of a definition: the repositories that it names, then @more: what was
 * imported for it (a debian upstream names none), what was built here (own).
 */
VarveUniverse *varve_universe_open_upstream(const VarveUpstream *upstream, const VarveArch *arch,
					    const char *cache, const VarveRepositorySource *more,
					    size_t n_more, GError **error);

void varve_universe_free(VarveUniverse *universe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveUniverse, varve_universe_free)

const char *varve_universe_name(const VarveUniverse *universe);
const VarveArch *varve_universe_arch(const VarveUniverse *universe);
/** (caller frees with g_free) a digest of all repositories' metadata, in hex: the same digest, the
 *  same solutions. */
char *varve_universe_digest(const VarveUniverse *universe);
/** (borrowed, NULL-terminated) the keys of the repositories, for varve_transaction_run(). */
const VarvePackageKeys *const *varve_universe_keys(const VarveUniverse *universe);
/** (borrowed, nullable) the repository called @name. */
VarvePackageRepository *varve_universe_repository(const VarveUniverse *universe, const char *name);

/** varve_universe_solve: varve_solver_solve() over its repositories. */
gboolean varve_universe_solve(VarveUniverse *universe, const VarveSolveRequest *request,
			      GPtrArray **ret_packages, GError **error);

/** varve_universe_find: (caller frees) varve_solver_find(). */
VarvePackage *varve_universe_find(VarveUniverse *universe, const char *nevra,
				  const VarveDigest *digest);

/**
 * varve_universe_fetch:
 * Makes @packages (VarvePackage *) local, with progress, and verifies each: digest against the
 * metadata, header and payload signatures against its own repository's keys, name and version
 * against what was solved. Sets each package's path.
 *
 * Errors: those of varve_package_repository_fetch() and varve_rpm_verify().
 */
gboolean varve_universe_fetch(VarveUniverse *universe, GPtrArray *packages, GError **error);
