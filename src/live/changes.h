/* What differs between two stacks, path by path, as the merged /usr shows it: what a swap has to do
 * about it is decided by this and nothing else. */
#pragma once

#include "stack/stack.h"

typedef struct {
	const char *path;        /* "/usr/…"; borrowed from the VarveChanges */
	const VarvePath *before; /* NULL: it was not there */
	const VarvePath *after;  /* NULL: it is gone */
} VarveMergedChange;

typedef struct {
	GPtrArray *list;       /* VarveMergedChange *, sorted by bytes; directories are left out */
	GStringChunk *strings; /* what it points into */
} VarveChanges;

/**
 * varve_changes_find:
 * Compares mode, owner, label, size, digest, target and xattrs of all paths of the layers that are
 * in one of the stacks only.
 *
 * @before, @after: VarveMounted *, lowest first, without the base; their path tables are open.
 * @base: below both; NULL only where both have the same layers.
 * Errors: CORRUPT (a path table cannot be read).
 */
VarveChanges *varve_changes_find(const VarveMounted *base, const GPtrArray *before,
				 const GPtrArray *after, GError **error);
void varve_changes_free(VarveChanges *changes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveChanges, varve_changes_free)
