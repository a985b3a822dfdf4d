/* What the records of a node say about layers: which were not well here, and which belong to a swap
 * that was interrupted before it was committed. */
#pragma once

#include "stack/generation.h"

typedef struct {
	GPtrArray *records; /* VarveGeneration *: all of one base */
	guint settled;      /* varve_generation_settled() */
} VarveHistory;

/** varve_history_load: @dirfd: the generations directory; -1: an empty history. Records that cannot
 *  be read say nothing. */
VarveHistory *varve_history_load(int dirfd, const VarveDigest *base);
void varve_history_free(VarveHistory *history);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveHistory, varve_history_free)

/**
 * varve_history_failed:
 * Returns: (borrowed, nullable) the newest generation that failed and brought the layer @root: no
 * generation that did not fail has it.
 */
const VarveGeneration *varve_history_failed(const VarveHistory *history, const VarveDigest *root);

/** varve_history_interrupted: whether @file of the layers directory was put there by a swap that
 * was never committed, and belongs to no other generation. */
gboolean varve_history_interrupted(const VarveHistory *history, const char *file);

/**
 * varve_history_take_back:
 * Removes the records of swaps of @base that were never committed, and the files that these put
 * into
 * @layers_fd, the layers directory. Files before the record that names them: killed in the middle,
 * the next run goes on.
 *
 * Errors: SYSTEM.
 */
gboolean varve_history_take_back(int generations_fd, int layers_fd, const VarveDigest *base,
				 GError **error);
