/* The files by which a layer describes itself. */
#include "compose/layer-records.h"

#include "audit/sbom.h"
#include "crypt/sha256.h"

gboolean varve_layer_records_begin(VarveTree *tree, const VarveManifest *manifest,
				   const VarveLabels *labels, gint64 created, GError **error)
{
	static const VarveSbomFormat formats[] = { VARVE_SBOM_SPDX, VARVE_SBOM_CYCLONEDX };

	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_autofree char *sbom = varve_sbom_write(manifest, formats[i], created);
		g_autofree char *where = varve_sbom_path(manifest, formats[i]);

		varve_tree_add_text(tree, where, 0644, sbom);
	}
	varve_tree_add_directory(tree, VARVE_LAYERS_DIR);
	varve_tree_label(tree, labels);
	return varve_tree_digest(tree, error);
}

gboolean varve_layer_records_finish(VarveTree *tree, VarveManifest *manifest,
				    const VarveLabels *labels, GError **error)
{
	g_autofree char *table_path = g_strdup_printf(VARVE_LAYERS_DIR "/%s.paths", manifest->name);
	g_autofree char *path = g_strdup_printf(VARVE_LAYERS_DIR "/%s.json", manifest->name);
	g_autoptr(GBytes) table = varve_tree_path_table(tree, error);
	g_autofree char *text = NULL;

	if (!table)
		return FALSE;
	varve_sha256(g_bytes_get_data(table, NULL), g_bytes_get_size(table), &manifest->paths);
	text = varve_manifest_write(manifest);
	varve_tree_add_content(tree, table_path, 0644, table);
	varve_tree_add_text(tree, path, 0644, text);
	varve_tree_label(tree, labels);
	return TRUE;
}
