/* The files that a pattern names. `*`, `?` and classes stay within a directory, a segment of two
 * stars stands for directories at any depth, {a,b} for either: as azldev has it, hidden names are
 * no different from others, and links are followed. */
#include "base/text.h"
#include "definition/tree.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ALTERNATIVES_MAX 1000

gboolean varve_source_is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/* Alternatives */

/* (nullable) the '}' that closes the '{' before @at. */
static const char *closing(const char *at)
{
	guint depth = 1;

	for (; *at; at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '{')
			depth++;
		else if (*at == '}' && --depth == 0)
			return at;
	}
	return NULL;
}

/* (nullable) the first '{' that is closed. */
static const char *opening(const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (*text == '{' && closing(text + 1))
			return text;
	}
	return NULL;
}

static void expand(const char *pattern, GPtrArray *all)
{
	const char *open = opening(pattern), *close = open ? closing(open + 1) : NULL;
	const char *from;
	guint depth = 0;

	if (!open || all->len >= ALTERNATIVES_MAX) {
		g_ptr_array_add(all, g_strdup(pattern));
		return;
	}
	from = open + 1;
	for (const char *at = from; at <= close; at++) {
		if (*at == '\\' && at < close)
			at++;
		else if (*at == '{')
			depth++;
		else if (*at == '}' && at < close)
			depth--;
		else if (at == close || (*at == ',' && depth == 0)) {
			g_autofree char *one =
				g_strdup_printf("%.*s%.*s%s", (int)(open - pattern), pattern,
						(int)(at - from), from, close + 1);

			expand(one, all);
			from = at + 1;
		}
	}
}

static GPtrArray *alternatives(const char *pattern)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

	expand(pattern, all);
	return all;
}

/* Directories */

typedef struct {
	char *name;
	gboolean is_directory;
	gboolean is_file;
} Entry;

static void entry_clear(gpointer data)
{
	g_free(((Entry *)data)->name);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(((const Entry *)a)->name, ((const Entry *)b)->name);
}

/* What is in @directory, by name; links are what they lead to. */
static GArray *list(const char *directory)
{
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	DIR *dir = opendir(directory);

	g_array_set_clear_func(entries, entry_clear);
	if (!dir)
		return entries;
	for (struct dirent *found; (found = readdir(dir));) {
		Entry entry = { .is_directory = found->d_type == DT_DIR,
				.is_file = found->d_type == DT_REG };
		struct stat st;

		if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
			continue;
		if ((found->d_type == DT_LNK || found->d_type == DT_UNKNOWN) &&
		    fstatat(dirfd(dir), found->d_name, &st, 0) == 0) {
			entry.is_directory = S_ISDIR(st.st_mode);
			entry.is_file = S_ISREG(st.st_mode);
		}
		entry.name = g_strdup(found->d_name);
		g_array_append_val(entries, entry);
	}
	closedir(dir);
	g_array_sort(entries, by_name);
	return entries;
}

/* Walking */

/* A directory that is being walked, and those that it lies in: a link may lead back to one. */
typedef struct Above Above;
struct Above {
	const Above *next;
	dev_t device;
	ino_t inode;
};

static gboolean is_within_itself(const Above *above)
{
	for (const Above *one = above->next; one; one = one->next) {
		if (one->device == above->device && one->inode == above->inode)
			return TRUE;
	}
	return FALSE;
}

static void walk(const char *directory, char **segments, GPtrArray *found);

static void match_entries(const char *directory, const GArray *entries, char **segments,
			  GPtrArray *found)
{
	for (guint i = 0; i < entries->len; i++) {
		const Entry *entry = &g_array_index(entries, Entry, i);
		g_autofree char *path = NULL;

		if (!(segments[1] ? entry->is_directory : entry->is_file) ||
		    !varve_glob_match(segments[0], entry->name))
			continue;
		path = g_build_filename(directory, entry->name, NULL);
		if (segments[1])
			walk(path, segments + 1, found);
		else
			g_ptr_array_add(found, g_steal_pointer(&path));
	}
}

/* @segments here, then in each directory below, by name. */
static void walk_deep(const char *directory, char **segments, const Above *outer, GPtrArray *found)
{
	g_autoptr(GArray) entries = NULL;
	Above above = { .next = outer };
	struct stat st;

	if (stat(directory, &st) < 0)
		return;
	above.device = st.st_dev;
	above.inode = st.st_ino;
	if (is_within_itself(&above))
		return;
	entries = list(directory);
	if (varve_source_is_pattern(segments[0]) && strcmp(segments[0], "**") != 0)
		match_entries(directory, entries, segments, found);
	else
		walk(directory, segments, found);
	for (guint i = 0; i < entries->len; i++) {
		const Entry *entry = &g_array_index(entries, Entry, i);
		g_autofree char *path = NULL;

		/* Thousands of directories without a file that somebody wrote. */
		if (!entry->is_directory || strcmp(entry->name, ".git") == 0)
			continue;
		path = g_build_filename(directory, entry->name, NULL);
		walk_deep(path, segments, &above, found);
	}
}

/* (caller frees) @segment without the backslashes before what stands for itself. */
static char *plain(const char *segment)
{
	GString *out = g_string_new(NULL);

	for (; *segment; segment++) {
		if (*segment == '\\' && segment[1])
			segment++;
		g_string_append_c(out, *segment);
	}
	return g_string_free(out, FALSE);
}

static void walk(const char *directory, char **segments, GPtrArray *found)
{
	static char every[] = "*";
	char *all[] = { every, NULL };
	g_autofree char *name = NULL, *path = NULL;
	g_autoptr(GArray) entries = NULL;
	struct stat st;

	if (strcmp(segments[0], "**") == 0) {
		while (segments[1] && strcmp(segments[1], "**") == 0)
			segments++;
		/* A pattern that ends here means every file below. */
		walk_deep(directory, segments[1] ? segments + 1 : all, NULL, found);
		return;
	}
	if (varve_source_is_pattern(segments[0])) {
		entries = list(directory);
		match_entries(directory, entries, segments, found);
		return;
	}
	name = plain(segments[0]);
	path = g_build_filename(directory, name, NULL);
	if (segments[1])
		walk(path, segments + 1, found);
	else if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		g_ptr_array_add(found, g_steal_pointer(&path));
}

static int by_path(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two alternatives, and two segments of two stars, may name one file. */
static GPtrArray *without_repeated(GPtrArray *found)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < found->len; i++) {
		if (g_hash_table_contains(seen, found->pdata[i]))
			continue;
		g_hash_table_add(seen, found->pdata[i]);
		g_ptr_array_add(all, g_steal_pointer(&found->pdata[i]));
	}
	return all;
}

GPtrArray *varve_source_glob(const char *directory, const char *pattern)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *whole = g_canonicalize_filename(pattern, directory);
	g_autoptr(GPtrArray) each = alternatives(whole);

	for (guint i = 0; i < each->len; i++) {
		const char *one = each->pdata[i];
		g_auto(GStrv) segments = g_strsplit(one + strspn(one, "/"), "/", -1);

		if (segments[0])
			walk("/", segments, found);
	}
	if (each->len > 1)
		g_ptr_array_sort(found, by_path);
	return without_repeated(found);
}

/* Matching */

static gboolean match_segments(char **pattern, char **path)
{
	for (; pattern[0]; pattern++, path++) {
		if (strcmp(pattern[0], "**") == 0) {
			if (!pattern[1])
				return TRUE;
			for (; *path; path++) {
				if (match_segments(pattern + 1, path))
					return TRUE;
			}
			return FALSE;
		}
		if (!*path || !varve_glob_match(pattern[0], path[0]))
			return FALSE;
	}
	return *path == NULL;
}

gboolean varve_source_match(const char *pattern, const char *path)
{
	g_autoptr(GPtrArray) each = alternatives(pattern);
	g_auto(GStrv) names = g_strsplit(path, "/", -1);

	for (guint i = 0; i < each->len; i++) {
		g_auto(GStrv) segments = g_strsplit(each->pdata[i], "/", -1);

		if (match_segments(segments, names))
			return TRUE;
	}
	return FALSE;
}
