/* From newer packages to a patch: a layer with those files alone in which they differ from what
 * layers carry that are out there already (docs/cve.md). */
#pragma once

#include "compose/composer.h"

/** What a patch is made of. Zero-initialise; nothing is owned. */
typedef struct {
	const char *name;            /* (nullable) NULL: "fix-" and the first package, by name */
	const char *version;         /* (nullable) NULL: that of the packages, which is one then */
	const char *base;            /* the sealed base */
	const char *base_root;       /* host directory with its file contexts and accounts */
	const char *const *layers;   /* other sealed layers, NULL-terminated */
	const char *const *packages; /* RPM files, NULL-terminated */
	const char *const *supersedes; /* names of patches that it makes unnecessary */
	guint64 rollback_index;
} VarvePatch;

typedef struct {
	VarveManifest *manifest;
	char *image;      /* host path of the EROFS image, unsigned */
	guint added;      /* files that no layer had */
	GPtrArray *notes; /* char *: what of the packages is not in it, and why */
} VarvePatched;

/**
 * varve_composer_patch:
 * Verifies the packages by the keys of the upstream, and of the key directory, finds the layer that
 * carries an older build of each, and makes the image of what differs from it in @directory, which
 * is empty. No scriptlet is run. The same input gives the same bytes.
 *
 * Mode and owner of a file are the package's, where the layer's definition does not change them;
 * labels are what the base's file contexts say. Files that the build has changed, that lie outside
 * /usr in a base, or that are gone in the newer package stay as they are, and are told.
 *
 * Errors: USAGE (the definition is of another OS, one package twice), NOT_FOUND (a package that no
 * layer has; names it), CONFLICT (one that is not newer; nothing differs; a library that lacks what
 * the older one provided, or is called otherwise), UNTRUSTED, CORRUPT, SYSTEM.
 */
gboolean varve_composer_patch(VarveComposer *composer, const VarvePatch *patch,
			      const char *directory, VarvePatched *ret, GError **error);
void varve_patched_clear(VarvePatched *patched);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarvePatched, varve_patched_clear)
