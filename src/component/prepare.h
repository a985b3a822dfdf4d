/* A component made ready, from its upstream to what is built: fetched, rendered, its release
 * calculated, what it does not refer to left out. */
#pragma once

#include "component/components-lock.h"
#include "component/revisions.h"
#include "component/source.h"

/** How. Nothing is owned; it may be shared by threads. */
typedef struct {
	const VarveDefinition *definition;
	VarveSourceOptions sources;
	const VarveComponentsLock *lock; /* (nullable) upstreams that it has are taken as it says */
	const VarveRevisions *changes;   /* (nullable) NULL: releases are not raised */
	gboolean update;                 /* branches and snapshots are looked up again */
	gboolean archives;               /* the archives of `sources` come too, for building */
} VarvePrepare;

/**
 * varve_prepare:
 * Writes NAME.spec, the files it refers to and `sources` to the empty directory @output. The same
 * definition, lock and upstream give the same bytes.
 *
 * @ret_record: (nullable, caller frees) what it was made from, for the lock.
 *
 * Errors: those of varve_effective_new(), varve_source_open(), varve_render(),
 * varve_release_calculate(), varve_autospec_work_out(). What was written is left there.
 */
gboolean varve_prepare(const VarvePrepare *prepare, const char *name, const char *output,
		       VarveComponentRecord **ret_record, GError **error);

/**
 * varve_prepare_upstream:
 * Only the upstream's spec, as it is, and what it is rendered from.
 *
 * @directory: an empty directory; its files are written there.
 * @ret_spec: (caller frees) its text.
 */
gboolean varve_prepare_upstream(const VarvePrepare *prepare, const VarveEffective *effective,
				const char *directory, char **ret_spec, gsize *ret_size,
				GError **error);

/** varve_prepare_macros: (caller frees; element-type VarveSetting, strings owned by the array) what
 *  a component's build settings define before its spec is read. */
GArray *varve_prepare_macros(const VarveComponentBuild *build);

/** varve_prepare_keep:
 *  Removes the files of @directory that neither @spec refers to nor @keep (NULL-ended) names. */
gboolean varve_prepare_keep(int directory, const char *spec, const GArray *macros,
			    const char *const *keep, GError **error);
