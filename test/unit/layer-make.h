/* For tests: a whole layer, with manifest and path table, from a directory. */
#pragma once

#include "layer/layer.h"
#include "layer/seal.h"

/* Gets the paths before the table is written: a test lets it lie. */
typedef void (*LayerTamper)(GPtrArray *paths, VarveManifest *manifest);

/**
 * layer_make:
 * Puts manifest and path table into @tree, makes the image beside it with mkfs.erofs, seals it to
 * @output. @manifest's table digest is set. FALSE where mkfs.erofs is not installed.
 */
gboolean layer_make(const char *tree, VarveManifest *manifest, const VarvePrivateKey *key,
		    const VarveCertificate *certificate, const char *output, LayerTamper tamper);

/* Writes the file @name below @tree, and the directories that it needs. */
void layer_put(const char *tree, const char *name, const char *text, mode_t mode);

/* A manifest of an extension with two packages. */
VarveManifest *layer_manifest(const char *name, const char *version);
