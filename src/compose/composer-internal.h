/* The inside of the composer, shared by composer.c (repositories, tools tree, sealing) and
 * layer-job.c (the way of one layer). */
#pragma once

#include "compose/composer.h"
#include "compose/inputs.h"
#include "package/lock.h"

struct VarveComposer {
	VarveComposerOptions options;
	int lock_fd;
	VarveUniverse *universe;
	VarveUniverse *tools_universe; /* the same where the architectures are */
	VarveLock *lock;
	VarveTools *tools;
	char *tools_key;
	GPtrArray *base_packages; /* VarvePackage *: what extensions lie on */
	GPtrArray *composed;      /* VarveComposed * */
};

/**
 * varve_layer_job_run:
 * Takes @layer from its package sets to its image and fills @composed, whose layer is set.
 * @base: what an extension lies on, NULL for a base.
 */
gboolean varve_layer_job_run(VarveComposer *composer, const VarveComposed *base,
			     VarveComposed *composed, GError **error);
