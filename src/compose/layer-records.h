/* What every layer carries about itself: bills of materials, path table, manifest. */
#pragma once

#include "compose/tree.h"
#include "format/manifest.h"

/**
 * varve_layer_records_begin:
 * Adds both bills of materials to @tree, which is complete but for them, labels all and takes all
 * digests. Whose each file is may be set after it.
 *
 * @labels: (nullable) of the base.
 * @created: seconds since the epoch.
 */
gboolean varve_layer_records_begin(VarveTree *tree, const VarveManifest *manifest,
				   const VarveLabels *labels, gint64 created, GError **error);

/** varve_layer_records_finish: adds the path table and last @manifest, which gets the table's
 *  digest. */
gboolean varve_layer_records_finish(VarveTree *tree, VarveManifest *manifest,
				    const VarveLabels *labels, GError **error);
