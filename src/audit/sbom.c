/* Bills of materials of layers and images. */
#include "audit/sbom.h"

#include "base/error.h"
#include "format/cyclonedx.h"
#include "format/spdx.h"

#include <string.h>

typedef struct {
	const char *name;
	const char *suffix;
	char *(*write)(const VarveBom *bom);
} Format;

static const Format formats[] = {
	[VARVE_SBOM_SPDX] = { "spdx", "spdx", varve_spdx_write },
	[VARVE_SBOM_CYCLONEDX] = { "cyclonedx", "cdx", varve_cyclonedx_write },
};

gboolean varve_sbom_format_from_name(const char *name, VarveSbomFormat *ret_format)
{
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (strcmp(name, formats[i].name) == 0) {
			*ret_format = (VarveSbomFormat)i;
			return TRUE;
		}
	}
	return FALSE;
}

char *varve_sbom_path(const VarveManifest *manifest, VarveSbomFormat format)
{
	gboolean base = manifest->role == VARVE_ROLE_BASE;

	return g_strdup_printf("usr/share/os-manifests/package-manifest%s%s.%s.json",
			       base ? "" : ".", base ? "" : manifest->name, formats[format].suffix);
}

char *varve_sbom_write(const VarveManifest *manifest, VarveSbomFormat format, gint64 created)
{
	VarveBom bom = { .name = manifest->name,
			 .version = manifest->version,
			 .supplier = "",
			 .created = created,
			 .layers = &manifest,
			 .n_layers = 1 };

	return formats[format].write(&bom);
}

static gboolean check_layers(const VarveManifest *const *manifests, gsize n_manifests,
			     GError **error)
{
	g_autoptr(GHashTable) layers = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) packages = g_hash_table_new(g_str_hash, g_str_equal);

	for (gsize i = 0; i < n_manifests; i++) {
		const VarveManifest *layer = manifests[i];

		if (!g_hash_table_add(layers, layer->name))
			return varve_fail(error, VARVE_ERROR_CONFLICT,
					  "layer '%s' is given twice; give each layer once",
					  layer->name);
		if (layer->role == VARVE_ROLE_PATCH)
			continue;
		for (guint j = 0; j < layer->packages->len; j++) {
			const VarveManifestPackage *package = layer->packages->pdata[j];
			const char *other = g_hash_table_lookup(packages, package->name);

			/* Within one layer several versions are fine: kernels. */
			if (other && strcmp(other, layer->name) != 0)
				return varve_fail(
					error, VARVE_ERROR_CONFLICT,
					"package '%s' is in layer '%s' and in layer '%s'; "
					"an extension brings only what its base has not: "
					"build it anew against this base",
					package->name, other, layer->name);
			g_hash_table_insert(packages, package->name, layer->name);
		}
	}
	return TRUE;
}

char *varve_sbom_merge(const char *name, const char *version, const VarveManifest *const *manifests,
		       gsize n_manifests, VarveSbomFormat format, gint64 created, GError **error)
{
	VarveBom bom = { .name = name,
			 .version = version,
			 .supplier = "",
			 .created = created,
			 .layers = manifests,
			 .n_layers = n_manifests };

	if (n_manifests == 0) {
		varve_fail(error, VARVE_ERROR_USAGE, "image '%s': no layers to list", name);
		return NULL;
	}
	if (!check_layers(manifests, n_manifests, error))
		return NULL;
	return formats[format].write(&bom);
}
