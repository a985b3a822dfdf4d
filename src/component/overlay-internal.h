/* What kinds of overlays there are, for overlay.c. Errors of these functions say what did not fit;
 * overlay.c says whose overlay it was. */
#pragma once

#include "component/overlay.h"

/** varve_overlay_spec: the part of an overlay that changes the spec; TRUE where it has none. */
gboolean varve_overlay_spec(VarveSpec *spec, const VarveSpecOverlay *overlay, GError **error);
/** varve_overlay_files: the part that changes loose files below @sources; TRUE where it has none.
 */
gboolean varve_overlay_files(int sources, const VarveSpecOverlay *overlay, GError **error);
/**
 * varve_overlay_archive:
 * Applies those of @overlays that are within the archive @name, in their order.
 *
 * @ret_failed: (nullable) the one that @error is about; untouched where it is about the archive.
 */
gboolean varve_overlay_archive(int sources, const char *name, const VarveSpecOverlay *overlays,
			       gsize n, const VarveSpecOverlay **ret_failed, GError **error);
/** varve_overlay_patch_name: (caller frees) under which patch-add adds. */
char *varve_overlay_patch_name(const VarveSpecOverlay *overlay);
