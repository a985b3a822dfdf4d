/* sources.list(5): one-line and deb822 style. */
#include "package/debian-mirror.h"

#include "base/error.h"
#include "base/file.h"
#include "package/deb822.h"

#include <string.h>

#define SOURCES_LIMIT (1U << 20)

void varve_debian_mirror_clear(VarveDebianMirror *mirror)
{
	g_free(mirror->archive);
	g_free(mirror->security);
}

static void consider(VarveDebianMirror *mirror, const char *uri)
{
	g_autofree char *trimmed = g_strdup(uri);
	g_auto(GStrv) parts = NULL;

	while (g_str_has_suffix(trimmed, "/"))
		trimmed[strlen(trimmed) - 1] = '\0';
	parts = g_strsplit(trimmed, "/", -1);
	for (char **part = parts; *part; part++) {
		/* mirror+file:/etc/apt/mirrors/debian.list is how cloud images say it. */
		if (strcmp(*part, "debian") == 0 || strcmp(*part, "debian.list") == 0) {
			if (!mirror->archive)
				mirror->archive = g_steal_pointer(&trimmed);
			return;
		}
		if (strcmp(*part, "debian-security") == 0 ||
		    strcmp(*part, "debian-security.list") == 0) {
			if (!mirror->security)
				mirror->security = g_steal_pointer(&trimmed);
			return;
		}
	}
}

/* "deb [options] URI suite component…" */
static void read_one_line(VarveDebianMirror *mirror, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		char *rest = g_strstrip(*line), *close;

		if (!g_str_has_prefix(rest, "deb ") && !g_str_has_prefix(rest, "deb\t"))
			continue;
		rest = g_strstrip(rest + 4);
		close = *rest == '[' ? strchr(rest, ']') : NULL;
		rest = close ? g_strchug(close + 1) : rest;
		rest[strcspn(rest, " \t")] = '\0';
		consider(mirror, rest);
	}
}

static void read_deb822(VarveDebianMirror *mirror, const char *text, gsize size, const char *name)
{
	g_autoptr(GPtrArray) paragraphs = varve_deb822_parse(text, size, name, NULL);

	if (!paragraphs)
		return;
	for (guint i = 0; i < paragraphs->len; i++) {
		const VarveParagraph *paragraph = g_ptr_array_index(paragraphs, i);
		const char *types = varve_paragraph_get(paragraph, "Types");
		const char *uris = varve_paragraph_get(paragraph, "URIs");
		const char *enabled = varve_paragraph_get(paragraph, "Enabled");
		g_auto(GStrv) kinds = g_strsplit_set(types ? types : "", " \t\n", -1);
		g_auto(GStrv) each = g_strsplit_set(uris ? uris : "", " \t\n", -1);

		if (!g_strv_contains((const char *const *)kinds, "deb") ||
		    (enabled && g_ascii_strcasecmp(enabled, "no") == 0))
			continue;
		for (char **uri = each; *uri; uri++)
			if (**uri)
				consider(mirror, *uri);
	}
}

/* A file that cannot be read (some hold passwords) or is damaged is another archive's affair. */
static void read_file(VarveDebianMirror *mirror, const char *path)
{
	g_autofree char *text = NULL;
	gsize size = 0;

	if (!varve_file_read(AT_FDCWD, path, SOURCES_LIMIT, &text, &size, NULL))
		return;
	if (g_str_has_suffix(path, ".sources"))
		read_deb822(mirror, text, size, path);
	if (g_str_has_suffix(path, ".list"))
		read_one_line(mirror, text);
}

gboolean varve_debian_mirror_find(const char *directory, VarveDebianMirror *ret_mirror,
				  GError **error)
{
	g_auto(VarveDebianMirror) mirror = { 0 };
	g_autofree char *list = g_build_filename(directory, "sources.list", NULL);
	g_autofree char *parts = g_build_filename(directory, "sources.list.d", NULL);
	g_auto(GStrv) names = NULL;

	read_file(&mirror, list);
	if (g_file_test(parts, G_FILE_TEST_IS_DIR) &&
	    !varve_dir_list(AT_FDCWD, parts, &names, error))
		return FALSE;
	for (char **name = names; name && *name; name++) {
		g_autofree char *path = g_build_filename(parts, *name, NULL);

		read_file(&mirror, path);
	}
	if (!mirror.archive)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "%s: names no archive of Debian's; set 'mirror' of the upstream "
				  "in the definition, or give --mirror URI",
				  directory);
	*ret_mirror = mirror;
	mirror = (VarveDebianMirror){ 0 };
	return TRUE;
}
