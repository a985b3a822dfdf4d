/* From a staged root to the image of a layer: tree, bills of materials, path table, manifest,
 * EROFS. */
#pragma once

#include "compose/tools.h"
#include "definition/definition.h"
#include "format/partition-types.h"
#include "package/install.h"

/** What goes in; nothing is owned. */
typedef struct {
	const VarveDefinition *definition;
	const VarveEdition *edition;
	const VarveLayerDefinition *layer;
	const VarveArch *arch;
	const VarveTools *tools;
	const char *upstream;      /* name, for the manifest */
	const char *staged;        /* host path: a base's root, or what an extension adds */
	const char *base_root;     /* of an extension: the base's staged root */
	const VarveManifest *base; /* of an extension: what it is built on */
	const VarveInstalled *installed;
	const char *version;
	GHashTable *inputs; /* char * → char *, for the manifest */
} VarveLayerImage;

/**
 * varve_layer_image_make:
 * Writes the EROFS image of the layer to @path (which must not be looked at unless this returns
 * TRUE). The same input gives the same bytes.
 *
 * @ret_manifest: (nullable, caller frees)
 */
gboolean varve_layer_image_make(const VarveLayerImage *image, const char *path,
				VarveManifest **ret_manifest, GError **error);

/**
 * varve_layer_image_check_requires:
 * Whether the extension of @manifest can be merged onto @base: all that it requires is provided.
 * Errors: CONFLICT, listing what is missing.
 */
gboolean varve_layer_image_check_requires(const VarveManifest *manifest, const VarveManifest *base,
					  GError **error);
