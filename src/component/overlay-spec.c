/* Overlays that change the spec. */
#include "component/overlay-internal.h"

#include "base/error.h"

#include <string.h>

static const char *text_of(const char *text)
{
	return text ? text : "";
}

char *varve_overlay_patch_name(const VarveSpecOverlay *overlay)
{
	if (overlay->file && *overlay->file)
		return g_strdup(overlay->file);
	return g_path_get_basename(overlay->source);
}

static gboolean put_lines(VarveSpec *spec, const VarveSpecOverlay *overlay, GError **error)
{
	const char *section = text_of(overlay->section), *package = text_of(overlay->package);
	gboolean first = overlay->type == VARVE_OVERLAY_SPEC_PREPEND_LINES;

	if (!*section)
		return first ? varve_spec_prepend(spec, overlay->lines, error)
			     : varve_spec_append(spec, overlay->lines, error);
	return first ? varve_spec_prepend_to(spec, section, package, overlay->lines, error)
		     : varve_spec_append_to(spec, section, package, overlay->lines, error);
}

static gboolean replace(VarveSpec *spec, const VarveSpecOverlay *overlay, GError **error)
{
	g_autoptr(VarveRegex) regex = varve_regex_new(overlay->regex, error);

	if (regex && varve_spec_replace(spec, overlay->section, overlay->package, regex,
					text_of(overlay->replacement), error))
		return TRUE;
	g_prefix_error(error, "regex '%s': ", overlay->regex);
	return FALSE;
}

static gboolean add_patch(VarveSpec *spec, const VarveSpecOverlay *overlay, GError **error)
{
	g_autofree char *name = varve_overlay_patch_name(overlay);

	return varve_spec_add_patch(spec, text_of(overlay->package), name, error);
}

gboolean varve_overlay_spec(VarveSpec *spec, const VarveSpecOverlay *overlay, GError **error)
{
	const char *package = text_of(overlay->package), *tag = overlay->tag;
	const char *value = text_of(overlay->value);

	/* azldev writes the spec after each overlay and reads it before the next. */
	varve_spec_settle(spec);
	switch (overlay->type) {
	case VARVE_OVERLAY_SPEC_ADD_TAG:
		return varve_spec_add_tag(spec, package, tag, value, error);
	case VARVE_OVERLAY_SPEC_INSERT_TAG:
		return varve_spec_insert_tag(spec, package, tag, value, error);
	case VARVE_OVERLAY_SPEC_SET_TAG:
		return varve_spec_set_tag(spec, package, tag, value, error);
	case VARVE_OVERLAY_SPEC_UPDATE_TAG:
		return varve_spec_update_tag(spec, package, tag, value, error);
	case VARVE_OVERLAY_SPEC_REMOVE_TAG:
		return varve_spec_remove_tag(spec, package, tag, value, error);
	case VARVE_OVERLAY_SPEC_PREPEND_LINES:
	case VARVE_OVERLAY_SPEC_APPEND_LINES:
		return put_lines(spec, overlay, error);
	case VARVE_OVERLAY_SPEC_SEARCH_REPLACE:
		return replace(spec, overlay, error);
	case VARVE_OVERLAY_SPEC_REMOVE_SECTION:
		return varve_spec_remove(spec, text_of(overlay->section), package, error);
	case VARVE_OVERLAY_SPEC_REMOVE_SUBPACKAGE:
		return varve_spec_remove(spec, NULL, package, error);
	case VARVE_OVERLAY_PATCH_ADD:
		return add_patch(spec, overlay, error);
	case VARVE_OVERLAY_PATCH_REMOVE:
		return varve_spec_remove_patches(spec, overlay->file, error);
	case VARVE_OVERLAY_FILE_PREPEND_LINES:
	case VARVE_OVERLAY_FILE_SEARCH_REPLACE:
	case VARVE_OVERLAY_FILE_ADD:
	case VARVE_OVERLAY_FILE_REMOVE:
	case VARVE_OVERLAY_FILE_RENAME:
		return TRUE;
	}
	return varve_fail(error, VARVE_ERROR_UNSUPPORTED, "the type is unknown");
}
