/* libsolv's pool and what the parts of the solver share. Only solver*.c includes this. */
#pragma once

#include "rpm/solver.h"

#include <solv/pool.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/solver.h>

struct VarveSolver {
	Pool *pool;
	char *basearch;
	gboolean filelists;      /* every repository's are loaded */
	GHashTable *by_nevra;    /* char * → the first solvable with it (GINT_TO_POINTER) */
	GPtrArray *repositories; /* Repo * in the order of varve_solver_add() */
};

/** (caller frees) what metadata say of @id. Errors: CORRUPT (no SHA-256, a location outside). */
VarvePackage *varve_solver_facts(VarveSolver *solver, Id id, GError **error);

/** (caller frees) NEVRA without an epoch of 0. */
char *varve_solver_nevra(Pool *pool, Id id);

/** The solvable with @nevra and, where not NULL, @digest; 0 where there is none. */
Id varve_solver_lookup(VarveSolver *solver, const char *nevra, const VarveDigest *digest);

/** varve_solver_explain: fails with CONFLICT and every problem of @solv in words. */
gboolean varve_solver_explain(Solver *solv, GError **error);

/** varve_solver_load_filelists: once. */
gboolean varve_solver_load_filelists(VarveSolver *solver, GError **error);
