/* What differs between two trees, or two sets of packages: between two layers, and between what a
 * layer says of itself and what is in it. */
#pragma once

#include "layer/layer.h"

typedef enum {
	VARVE_CHANGE_ADDED = 1 << 0,
	VARVE_CHANGE_REMOVED = 1 << 1,
	VARVE_CHANGE_TYPE = 1 << 2,
	VARVE_CHANGE_MODE = 1 << 3,
	VARVE_CHANGE_OWNER = 1 << 4,
	VARVE_CHANGE_SIZE = 1 << 5,
	VARVE_CHANGE_CONTENT = 1 << 6, /* of files; and the targets of links */
	VARVE_CHANGE_DEVICE = 1 << 7,
	VARVE_CHANGE_LABEL = 1 << 8,
	VARVE_CHANGE_XATTRS = 1 << 9,
	VARVE_CHANGE_HARDLINK = 1 << 10, /* which other names the file has */
} VarveChange;

/** One path; before is NULL where it was added, after where it was removed. Borrowed. */
typedef struct {
	const VarvePath *before, *after;
	guint what; /* VarveChange bits, never 0 */
} VarvePathChange;

/**
 * varve_paths_compare:
 * @before, @after: VarvePath *, sorted by bytes of the path, with digests; must outlive the result.
 * Packages are not compared.
 *
 * Returns: (caller unrefs) an array of VarvePathChange, sorted by path.
 */
GArray *varve_paths_compare(const GPtrArray *before, const GPtrArray *after);

/** varve_change_words: (caller frees) "mode, size" for the bits in @what. */
char *varve_change_words(guint what);

/** One package by name and architecture; before or after is NULL as above. Borrowed. */
typedef struct {
	const VarveManifestPackage *before, *after;
} VarvePackageChange;

/** varve_packages_compare: (caller unrefs) an array of VarvePackageChange by name; the same NEVRA
 *  with another digest is a change too. */
GArray *varve_packages_compare(const VarveManifest *before, const VarveManifest *after);

/**
 * varve_layer_check_tree:
 * Compares manifest and path table with what is really in the layer: every path but those two
 * files, its type, mode, owner, size, digest, label, xattrs and hard links; the manifest's
 * architecture with the GPT's; and that a patch brings what it says that it overrides.
 *
 * @ret_tree: (nullable, caller unrefs) the tree that was read, with digests, as
 * varve_layer_read_tree() gives it.
 *
 * Errors: CORRUPT, "manifest-mismatch: …", naming the first paths.
 */
gboolean varve_layer_check_tree(const VarveLayer *layer, const VarveManifest *manifest,
				const VarvePathTable *paths, GPtrArray **ret_tree, GError **error);

/** varve_path_table_list: (caller unrefs) all records of @table as VarvePath *, sorted, owned. */
GPtrArray *varve_path_table_list(const VarvePathTable *table, GError **error);
