/* The one who makes the layers of an edition: resolves packages (locked), keeps the tools tree,
 * stages roots, makes images, seals. Every step is kept under the digest of its inputs in the work
 * directory; a step whose inputs did not change is not done again. */
#pragma once

#include "compose/tools.h"
#include "definition/definition.h"
#include "format/partition-types.h"
#include "package/universe.h"

typedef struct VarveComposer VarveComposer;

/** How to compose. Zero-initialise; nothing is owned, all must outlive the composer. */
typedef struct {
	const VarveDefinition *definition;
	const VarveEdition *edition;
	const VarveUpstream *upstream;
	const VarveArch *arch;
	const char *work; /* directory of caches, made if missing */
	const char *keys; /* directory as `varve keys init` makes it */
	/* Repositories beside those that the upstream names: imported, built here. The second is
	 * for the programs of the tools tree, in the architecture of this machine. */
	const VarveRepositorySource *repositories;
	size_t n_repositories;
	const VarveRepositorySource *tools_repositories;
	size_t n_tools_repositories;
	const char *lock_file;
	gboolean update_lock;
} VarveComposerOptions;

/** varve_composer_open: takes the work directory's lock (waits), opens repositories and lock file.
 */
VarveComposer *varve_composer_open(const VarveComposerOptions *options, GError **error);
void varve_composer_free(VarveComposer *composer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveComposer, varve_composer_free)

/** varve_composer_tools: (borrowed) the tools tree, made at the first call. */
const VarveTools *varve_composer_tools(VarveComposer *composer, GError **error);

/** A layer as the composer made it; belongs to the composer. */
typedef struct {
	const VarveLayerDefinition *layer;
	VarveManifest *manifest;
	char *image;   /* host path of the EROFS image, unsigned */
	char *staged;  /* host path of a base's finished root; NULL for an extension */
	gboolean made; /* FALSE: everything was there already */
} VarveComposed;

/**
 * varve_composer_layer:
 * Makes the image of @layer, its base's root first where that is needed.
 *
 * Errors: those of solving, fetching, installing, finishing; the message says which layer.
 */
gboolean varve_composer_layer(VarveComposer *composer, const VarveLayerDefinition *layer,
			      const VarveComposed **ret_composed, GError **error);

/**
 * varve_composer_seal:
 * Signs @composed with its layer's key and writes OUTPUT/NAME_VERSION_ARCH.raw; one there that is
 * already this image by this key is left alone.
 *
 * @ret_path: (caller frees)
 */
gboolean varve_composer_seal(VarveComposer *composer, const VarveComposed *composed,
			     const char *output, char **ret_path, GError **error);

/** varve_composer_save_lock: writes the lock file; after all layers were resolved. */
gboolean varve_composer_save_lock(VarveComposer *composer, GError **error);
