/* The bill of materials of a layer, and of an image made of several. */
#pragma once

#include "format/manifest.h"

#include <glib.h>

typedef enum {
	VARVE_SBOM_SPDX,      /* SPDX 2.3, JSON */
	VARVE_SBOM_CYCLONEDX, /* CycloneDX 1.5, JSON */
} VarveSbomFormat;

gboolean varve_sbom_format_from_name(const char *name, VarveSbomFormat *ret_format);

/**
 * varve_sbom_path:
 * Returns: (caller frees) where a layer carries its own, relative to the root:
 * "usr/share/os-manifests/package-manifest[.NAME].spdx.json" or ".cdx.json"; without NAME in a
 * base.
 */
char *varve_sbom_path(const VarveManifest *manifest, VarveSbomFormat format);

/**
 * varve_sbom_write:
 * The document of one layer. Needs all of the manifest but the digest of the path table, so that
 * it can be written into the layer before that is known.
 *
 * @created: seconds since the epoch; `[os] released` where the result must be reproducible.
 *
 * Returns: (caller frees) NUL-terminated JSON; the same input is the same bytes.
 */
char *varve_sbom_write(const VarveManifest *manifest, VarveSbomFormat format, gint64 created);

/**
 * varve_sbom_merge:
 * The document of the image @name of @n_manifests layers, base first.
 *
 * Errors: CONFLICT where two layers bring a package of the same name (only a patch may: it carries
 * what it overrides), or are called alike; USAGE where there is none.
 */
char *varve_sbom_merge(const char *name, const char *version, const VarveManifest *const *manifests,
		       gsize n_manifests, VarveSbomFormat format, gint64 created, GError **error);
