/* The inside of a patch's making, shared by patch.c (layers, packages, the image) and patch-files.c
 * (which files differ). */
#pragma once

#include "compose/patch.h"
#include "compose/tree.h"
#include "layer/layer.h"
#include "rpm/package.h"

/** A layer that may be patched. */
typedef struct {
	VarveLayer *layer;
	VarveManifest *manifest;
	VarvePathTable *paths;
	VarveErofs *erofs;
	const VarveLayerDefinition *definition; /* (nullable) as the definition has it */
	GHashTable *users, *groups;             /* char * → GUINT_TO_POINTER(id) */
} VarvePatchLayer;

/** A newer package, and what it is newer than. */
typedef struct {
	VarvePackage *package;
	GPtrArray *files;    /* VarvePackageFile * */
	GPtrArray *contents; /* char *, one a file: varve_rpm_unpack() */
	const VarvePatchLayer *layer;
	char *old; /* NEVRA of the older build in @layer */
} VarvePatchPackage;

typedef struct {
	const VarveLayerDefinition *base; /* (nullable) whose exclusions hold for all */
	GPtrArray *layers;                /* VarvePatchLayer *, the base first */
	GPtrArray *packages;              /* VarvePatchPackage * */
	VarveTree *tree;
	VarveManifest *manifest; /* gets the overrides */
	GPtrArray *notes;        /* char * */
	guint added;
} VarvePatchMaking;

/** varve_patch_add_files: adds to tree and manifest what of @package differs from its layer. */
gboolean varve_patch_add_files(VarvePatchMaking *making, const VarvePatchPackage *package,
			       GError **error);
/** varve_patch_settle: when all is added: directories become what they are in the layers, names of
 *  one inode are told. */
void varve_patch_settle(VarvePatchMaking *making);
