/* Spec overlays: which of their parts come in which order, and what is said when one does not fit.
 */
#include "component/overlay-internal.h"

#include "base/error.h"

#include <string.h>

gboolean varve_overlay_is_archived(const VarveSpecOverlay *overlay)
{
	return overlay->archive && *overlay->archive;
}

/* Puts who wanted it before what did not fit. Always FALSE. */
static gboolean tell(const VarveOverlayTarget *target, const VarveSpecOverlay *overlay,
		     GError *inner, GError **error)
{
	g_autoptr(GString) message = g_string_new(NULL);
	VarveError code = VARVE_ERROR_CONFLICT;

	if (inner->domain != VARVE_ERROR)
		code = VARVE_ERROR_SYSTEM;
	else if (inner->code == VARVE_ERROR_SYSTEM || inner->code == VARVE_ERROR_CORRUPT)
		code = (VarveError)inner->code;
	if (overlay->origin.line > 0)
		g_string_append_printf(message, "%s:%u:%u: ", overlay->origin.file,
				       overlay->origin.line, overlay->origin.column);
	g_string_append_printf(message, "component '%s': the overlay of type %s ", target->name,
			       varve_overlay_type_name(overlay->type));
	if (overlay->description && *overlay->description)
		g_string_append_printf(message, "(%s) ", overlay->description);
	g_string_append_printf(message, "does not fit: %s", inner->message);
	g_error_free(inner);
	return varve_fail(error, code, "%s", message->str);
}

static gboolean apply_loose(VarveOverlayTarget *target, const VarveSpecOverlay *overlay,
			    GError **error)
{
	g_autoptr(VarveSpec) before = target->spec ? varve_spec_copy(target->spec) : NULL;
	GError *inner = NULL;
	VarveSpec *changed;

	if ((!before || varve_overlay_spec(target->spec, overlay, &inner)) &&
	    varve_overlay_files(target->sources, overlay, &inner))
		return TRUE;
	if (before) {
		changed = target->spec;
		target->spec = g_steal_pointer(&before);
		varve_spec_free(changed);
	}
	return tell(target, overlay, inner, error);
}

/* The first of the overlays is within an archive: it and all others that are within the same. */
static gboolean apply_archived(VarveOverlayTarget *target, const VarveSpecOverlay *overlays,
			       gsize n, GError **error)
{
	const VarveSpecOverlay *failed = overlays;
	GError *inner = NULL;

	if (varve_overlay_archive(target->sources, overlays->archive, overlays, n, &failed, &inner))
		return TRUE;
	return tell(target, failed, inner, error);
}

gboolean varve_overlay_apply(VarveOverlayTarget *target, const VarveSpecOverlay *overlay,
			     GError **error)
{
	if (varve_overlay_is_archived(overlay))
		return apply_archived(target, overlay, 1, error);
	return apply_loose(target, overlay, error);
}

static gboolean came_before(const VarveSpecOverlay *overlays, gsize n, const char *archive)
{
	for (gsize i = 0; i < n; i++)
		if (g_strcmp0(overlays[i].archive, archive) == 0)
			return TRUE;
	return FALSE;
}

gboolean varve_overlay_apply_all(VarveOverlayTarget *target, const VarveSpecOverlay *overlays,
				 gsize n, GError **error)
{
	for (gsize i = 0; i < n; i++)
		if (!varve_overlay_is_archived(&overlays[i]) &&
		    !apply_loose(target, &overlays[i], error))
			return FALSE;
	for (gsize i = 0; i < n; i++)
		if (varve_overlay_is_archived(&overlays[i]) &&
		    !came_before(overlays, i, overlays[i].archive) &&
		    !apply_archived(target, &overlays[i], n - i, error))
			return FALSE;
	return TRUE;
}
