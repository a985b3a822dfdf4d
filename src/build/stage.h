/* What a component is built from, put together in one directory: its spec with the overlays
 * applied, its source files, and what is said of them in every package. */
#pragma once

#include "build/root.h"
#include "component/effective.h"
#include "format/component-facts.h"

typedef struct {
	char *directory;            /* host directory: the spec, sources and patches */
	char *spec;                 /* file name of the spec in it */
	VarveComponentFacts *facts; /* of the component */
	char *digest;               /* of all files, names and bytes */
} VarveStage;

void varve_stage_clear(VarveStage *stage);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveStage, varve_stage_clear)

/**
 * varve_stage_make:
 * Renders and fetches. @directory is made anew.
 *
 * Besides what component/prepare.h makes ready, a source file may be `tree:DIR`, relative to the
 * definition's directory: a tar archive of what git tracks there (with `?only=PATH,PATH`: of that
 * below these), made here. Files of origin "custom" are made where no lookaside has them
 * (build/generate.h), in @directory.generate.
 *
 * Errors: those of varve_prepare(), varve_build_generate() and varve_source_tree_pack().
 */
gboolean varve_stage_make(const VarveBuildPlace *place, const VarveEffective *effective,
			  const char *directory, VarveStage *ret_stage, GError **error);
