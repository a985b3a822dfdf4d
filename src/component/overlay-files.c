/* Overlays that change loose files: sources and patches beside the spec. */
#include "component/overlay-internal.h"

#include "base/error.h"
#include "component/loose-files.h"

#include <string.h>

static gboolean prepend(int sources, const char *path, const VarveSpecOverlay *overlay,
			GError **error)
{
	g_autofree char *lines = g_strjoinv("\n", (char **)overlay->lines);
	g_autofree char *data = NULL;
	g_autoptr(GString) text = NULL;
	mode_t mode;
	gsize size;

	if (!varve_loose_read(sources, path, &data, &size, &mode, error)) {
		g_prefix_error(error, "of what '%s' matches: ", overlay->file);
		return FALSE;
	}
	text = g_string_new(lines);
	g_string_append_c(text, '\n');
	g_string_append_len(text, data, (gssize)size);
	return varve_loose_write(sources, path, text->str, text->len, mode, error);
}

static gboolean replace(int sources, const char *path, const VarveRegex *regex,
			const char *replacement, gboolean *ret_changed, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *data = NULL;
	guint matches;
	mode_t mode;
	gsize size;

	if (!varve_loose_read(sources, path, &data, &size, &mode, error) ||
	    !varve_regex_replace(regex, data, size, replacement, text, &matches, error))
		return FALSE;
	*ret_changed = text->len != size || memcmp(text->str, data, size) != 0;
	return !*ret_changed || varve_loose_write(sources, path, text->str, text->len, mode, error);
}

static gboolean replace_in(int sources, const GPtrArray *files, const VarveSpecOverlay *overlay,
			   GError **error)
{
	const char *replacement = overlay->replacement ? overlay->replacement : "";
	g_autoptr(VarveRegex) regex = varve_regex_new(overlay->regex, error);
	guint n = 0;

	for (guint i = 0; regex && i < files->len; i++) {
		gboolean changed;

		if (!replace(sources, files->pdata[i], regex, replacement, &changed, error)) {
			g_prefix_error(error,
				       "regex '%s' in '%s', which '%s' matches: ", overlay->regex,
				       (const char *)files->pdata[i], overlay->file);
			return FALSE;
		}
		n += changed;
	}
	return n > 0 || (regex && varve_fail(error, VARVE_ERROR_NOT_FOUND,
					     "regex '%s' changes nothing in the %u file%s that "
					     "match%s '%s'",
					     overlay->regex, files->len, files->len == 1 ? "" : "s",
					     files->len == 1 ? "es" : "", overlay->file));
}

static gboolean change(int sources, const GPtrArray *files, const VarveSpecOverlay *overlay,
		       GError **error)
{
	if (overlay->type == VARVE_OVERLAY_FILE_SEARCH_REPLACE)
		return replace_in(sources, files, overlay, error);
	if (overlay->type == VARVE_OVERLAY_FILE_RENAME) {
		if (files->len > 1)
			return varve_fail(error, VARVE_ERROR_CONFLICT,
					  "'%s' matches %u files; one is renamed at a time",
					  overlay->file, files->len);
		return varve_loose_rename(sources, files->pdata[0], overlay->replacement, error);
	}
	for (guint i = 0; i < files->len; i++) {
		gboolean done = overlay->type == VARVE_OVERLAY_FILE_PREPEND_LINES
					? prepend(sources, files->pdata[i], overlay, error)
					: varve_loose_remove(sources, files->pdata[i], error);

		if (!done)
			return FALSE;
	}
	return TRUE;
}

/* (caller frees) A pattern without what it says of no directory: "./" in front, and slashes that
 * follow slashes. */
static char *tidy_pattern(const char *pattern)
{
	GString *tidied = g_string_new(NULL);

	while (g_str_has_prefix(pattern, "./"))
		pattern += 2;
	for (; *pattern; pattern++)
		if (*pattern != '/' || pattern[1] != '/')
			g_string_append_c(tidied, *pattern);
	return g_string_free(tidied, FALSE);
}

/* (caller frees) A path at its shortest: "a/./b/../c/" is "a/c", whatever there is. What leads out
 * of the directory still does. */
static char *tidy_path(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_autoptr(GPtrArray) kept = g_ptr_array_new();

	if (*path == '/')
		return g_strdup(path);
	for (char **part = parts; *part; part++) {
		gboolean up = strcmp(*part, "..") == 0 && kept->len > 0 &&
			      strcmp(kept->pdata[kept->len - 1], "..") != 0;

		if (up)
			g_ptr_array_set_size(kept, (gint)kept->len - 1);
		else if (**part && strcmp(*part, ".") != 0)
			g_ptr_array_add(kept, *part);
	}
	g_ptr_array_add(kept, NULL);
	return g_strjoinv("/", (char **)kept->pdata);
}

static char *tidy(const char *file)
{
	return strpbrk(file, "*?[{\\") ? tidy_pattern(file) : tidy_path(file);
}

static gboolean add(int sources, const VarveSpecOverlay *overlay, GError **error)
{
	g_autofree char *given = varve_overlay_patch_name(overlay);
	g_autofree char *name = tidy_path(given);

	if (overlay->type == VARVE_OVERLAY_FILE_ADD && varve_loose_is_spec(name))
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "'%s' is a spec; overlays that begin with 'spec-' change it",
				  name);
	return varve_loose_add(sources, name, overlay->source, error);
}

static gboolean touches_files(VarveOverlayType type)
{
	return type == VARVE_OVERLAY_PATCH_ADD || type == VARVE_OVERLAY_PATCH_REMOVE ||
	       type == VARVE_OVERLAY_FILE_PREPEND_LINES ||
	       type == VARVE_OVERLAY_FILE_SEARCH_REPLACE || type == VARVE_OVERLAY_FILE_ADD ||
	       type == VARVE_OVERLAY_FILE_REMOVE || type == VARVE_OVERLAY_FILE_RENAME;
}

/* Of these the link itself is taken; what it leads to is nobody's business. */
static VarveLooseKind kind_of(VarveOverlayType type)
{
	return type == VARVE_OVERLAY_PATCH_REMOVE || type == VARVE_OVERLAY_FILE_REMOVE ||
			       type == VARVE_OVERLAY_FILE_RENAME
		       ? VARVE_LOOSE_FILES_OR_LINKS
		       : VARVE_LOOSE_FILES;
}

gboolean varve_overlay_files(int sources, const VarveSpecOverlay *overlay, GError **error)
{
	g_autoptr(VarvePattern) pattern = NULL;
	g_autoptr(GPtrArray) files = NULL;
	g_autofree char *path = NULL;

	if (!touches_files(overlay->type))
		return TRUE;
	if (sources < 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no directory of sources beside the spec");
	if (overlay->type == VARVE_OVERLAY_PATCH_ADD || overlay->type == VARVE_OVERLAY_FILE_ADD)
		return add(sources, overlay, error);
	path = tidy(overlay->file);
	pattern = varve_pattern_new(path, error);
	if (!pattern || !varve_loose_match(sources, pattern, kind_of(overlay->type), &files, error))
		return FALSE;
	if (files->len == 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "no file %s matches '%s'%s",
				  varve_overlay_is_archived(overlay) ? "there" : "beside the spec",
				  overlay->file,
				  varve_loose_is_spec(overlay->file)
					  ? "; overlays that begin with 'spec-' change a spec"
					  : "");
	return change(sources, files, overlay, error);
}
