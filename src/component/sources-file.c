/* Reading and writing of `sources`. It comes from an upstream's repository: hostile. */
#include "component/sources-file.h"

#include "base/checksum.h"
#include "base/error.h"

#include <string.h>

#define ENTRIES_LIMIT 10000

static void free_entry(gpointer data)
{
	VarveSourceEntry *entry = data;

	g_free(entry->name);
	g_free(entry->checksum);
	g_free(entry);
}

VarveSourcesFile *varve_sources_file_new(void)
{
	VarveSourcesFile *sources = g_new0(VarveSourcesFile, 1);

	sources->entries = g_ptr_array_new_with_free_func(free_entry);
	return sources;
}

void varve_sources_file_free(VarveSourcesFile *sources)
{
	if (!sources)
		return;
	g_ptr_array_unref(sources->entries);
	g_free(sources);
}

gboolean varve_is_file_name(const char *name)
{
	gsize size = strlen(name);

	if (size == 0 || size > 255 || *name == '-' || strchr(name, '/') ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return FALSE;
	for (; *name; name++) {
		if (g_ascii_iscntrl(*name))
			return FALSE;
	}
	return TRUE;
}

/* "SHA512 (NAME) = HEX": cuts @line up. FALSE where it is not of this form. */
static gboolean split_new(char *line, char **ret_type, char **ret_name, char **ret_checksum)
{
	char *open = strstr(line, " ("), *close = g_strrstr(line, ") = ");

	if (!open || !close || close < open + 2)
		return FALSE;
	*open = *close = '\0';
	*ret_type = line;
	*ret_name = open + 2;
	*ret_checksum = close + 4;
	return TRUE;
}

static gboolean split_old(char *line, char **ret_name, char **ret_checksum)
{
	char *space = strchr(line, ' ');

	if (!space)
		return FALSE;
	*space = '\0';
	*ret_checksum = line;
	*ret_name = space + 1 + (space[1] == ' ' || space[1] == '*');
	return TRUE;
}

static gboolean parse_line(VarveSourcesFile *sources, char *line, const char *file, guint number,
			   GError **error)
{
	GChecksumType type = G_CHECKSUM_MD5;
	char *kind = NULL, *name, *checksum;

	if (!split_new(line, &kind, &name, &checksum) && !split_old(line, &name, &checksum))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s:%u: expected 'SHA512 (NAME) = CHECKSUM' or 'MD5SUM  NAME'",
				  file, number);
	if (kind && !varve_checksum_type(kind, &type))
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s:%u: '%.40s' is no checksum known here (MD5, SHA1, SHA256, "
				  "SHA384, SHA512)",
				  file, number, kind);
	if (!varve_is_file_name(name))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s:%u: '%.80s' is no file name",
				  file, number, name);
	if (!varve_checksum_valid(type, checksum))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s:%u: '%.140s' is not %u hex digits, as %s has", file, number,
				  checksum, (guint)(2 * g_checksum_type_get_length(type)),
				  varve_checksum_name(type));
	if (varve_sources_file_find(sources, name))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s:%u: '%s' is there twice", file,
				  number, name);
	if (sources->entries->len >= ENTRIES_LIMIT)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: has more than %d entries", file,
				  ENTRIES_LIMIT);
	varve_sources_file_set(sources, name, type, checksum);
	return TRUE;
}

VarveSourcesFile *varve_sources_file_parse(const char *text, gsize size, const char *name,
					   GError **error)
{
	g_autoptr(VarveSourcesFile) sources = varve_sources_file_new();
	g_autofree char *copy = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_utf8_validate_len(text, size, NULL)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: is not UTF-8", name);
		return NULL;
	}
	copy = g_strndup(text, size);
	lines = g_strsplit(copy, "\n", -1);
	for (guint i = 0; lines[i]; i++) {
		g_strchomp(lines[i]);
		if (*lines[i] && !parse_line(sources, lines[i], name, i + 1, error))
			return NULL;
	}
	return g_steal_pointer(&sources);
}

char *varve_sources_file_print(const VarveSourcesFile *sources)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < sources->entries->len; i++) {
		const VarveSourceEntry *entry = sources->entries->pdata[i];

		g_string_append_printf(text, "%s (%s) = %s\n", varve_checksum_name(entry->type),
				       entry->name, entry->checksum);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

VarveSourceEntry *varve_sources_file_find(const VarveSourcesFile *sources, const char *name)
{
	for (guint i = 0; i < sources->entries->len; i++) {
		VarveSourceEntry *entry = sources->entries->pdata[i];

		if (strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

void varve_sources_file_set(VarveSourcesFile *sources, const char *name, GChecksumType type,
			    const char *checksum)
{
	VarveSourceEntry *entry = varve_sources_file_find(sources, name);

	if (!entry) {
		entry = g_new0(VarveSourceEntry, 1);
		entry->name = g_strdup(name);
		g_ptr_array_add(sources->entries, entry);
	}
	g_free(entry->checksum);
	entry->type = type;
	entry->checksum = g_ascii_strdown(checksum, -1);
}

void varve_sources_file_remove(VarveSourcesFile *sources, const char *name)
{
	VarveSourceEntry *entry = varve_sources_file_find(sources, name);

	if (entry)
		g_ptr_array_remove(sources->entries, entry);
}
