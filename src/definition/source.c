/* Files: reading, what a pattern of `includes` names. */
#include "base/file.h"
#include "base/text.h"
#include "definition/tree.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_SIZE ((gsize)64 << 10)

void *varve_loader_keep(VarveLoader *loader, void *memory)
{
	g_ptr_array_add(loader->memory, memory);
	return memory;
}

/* Thousands of tables come and go together. */
void *varve_loader_alloc(VarveLoader *loader, gsize size)
{
	gsize taken = (MAX(size, 1) + 15) & ~(gsize)15;
	char *memory;

	if (taken > BLOCK_SIZE / 4)
		return varve_loader_keep(loader, g_malloc0(size));
	if (!loader->room || (gsize)(loader->room_end - loader->room) < taken) {
		loader->room = varve_loader_keep(loader, g_malloc0(BLOCK_SIZE));
		loader->room_end = loader->room + BLOCK_SIZE;
	}
	memory = loader->room;
	loader->room += taken;
	return memory;
}

gboolean varve_source_is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/* Globs */

static gboolean is_directory(const char *path, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void glob_below(const char *directory, char **segments, GPtrArray *found);

/* What the pattern in @segments[0] matches in @directory and, where @deep, below it: each directory
 * is read once. */
static void glob_segment(const char *directory, char **segments, gboolean deep, GPtrArray *found)
{
	DIR *dir = opendir(directory);

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		gboolean hidden = entry->d_name[0] == '.';
		gboolean matches = (!hidden || segments[0][0] == '.') &&
				   varve_glob_match(segments[0], entry->d_name);
		g_autofree char *path = NULL;

		if (!matches && (hidden || !deep || entry->d_type == DT_REG))
			continue;
		path = g_build_filename(directory, entry->d_name, NULL);
		if (deep && !hidden && is_directory(path, entry))
			glob_segment(path, segments, TRUE, found);
		if (matches && !segments[1] && entry->d_type == DT_REG)
			g_ptr_array_add(found, g_steal_pointer(&path));
		else if (matches)
			glob_below(path, segments + 1, found);
	}
	closedir(dir);
}

/* `**` before a plain name: it is looked for here and in every directory below. */
static void glob_deep(const char *directory, char **segments, GPtrArray *found)
{
	DIR *dir;

	if (varve_source_is_pattern(segments[0])) {
		glob_segment(directory, segments, TRUE, found);
		return;
	}
	glob_below(directory, segments, found);
	dir = opendir(directory);
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		g_autofree char *path = NULL;

		if (entry->d_name[0] == '.')
			continue;
		path = g_build_filename(directory, entry->d_name, NULL);
		if (is_directory(path, entry))
			glob_deep(path, segments, found);
	}
	closedir(dir);
}

static void glob_below(const char *directory, char **segments, GPtrArray *found)
{
	g_autofree char *path = NULL;
	struct stat st;

	if (!segments[0]) {
		if (stat(directory, &st) == 0 && S_ISREG(st.st_mode))
			g_ptr_array_add(found, g_strdup(directory));
		return;
	}
	if (strcmp(segments[0], "**") == 0) {
		/* A pattern that ends here means every file below. */
		static char every[] = "*";
		char *all[] = { every, NULL };

		while (segments[1] && strcmp(segments[1], "**") == 0)
			segments++;
		glob_deep(directory, segments[1] ? segments + 1 : all, found);
		return;
	}
	if (varve_source_is_pattern(segments[0])) {
		glob_segment(directory, segments, FALSE, found);
		return;
	}
	path = g_build_filename(directory, segments[0], NULL);
	glob_below(path, segments + 1, found);
}

static int compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *varve_source_glob(const char *directory, const char *pattern)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) segments = g_strsplit(pattern, "/", -1);
	guint n = 0;

	/* "a//b" and "./b": what is empty or "." says nothing. */
	for (guint i = 0; segments[i]; i++) {
		if (*segments[i] == '\0' || strcmp(segments[i], ".") == 0)
			g_free(segments[i]);
		else
			segments[n++] = segments[i];
	}
	segments[n] = NULL;
	glob_below(*pattern == '/' ? "/" : directory, segments, found);
	g_ptr_array_sort(found, compare_paths);
	for (guint i = 1; i < found->len;) {
		if (strcmp(found->pdata[i - 1], found->pdata[i]) == 0)
			g_ptr_array_remove_index(found, i);
		else
			i++;
	}
	return found;
}

/* Reading */

const char *varve_loader_display(const VarveLoader *loader, const char *path)
{
	gsize size = strlen(loader->root);

	if (strcmp(loader->root, "/") != 0 && strncmp(path, loader->root, size) == 0 &&
	    path[size] == '/')
		return path + size + 1;
	return path;
}

static char *name_for_messages(VarveLoader *loader, const VarveSource *source)
{
	if (*source->name == '/')
		return g_strdup(source->name);
	return g_strconcat(loader->prefix, source->name, NULL);
}

VarveSource *varve_source_read(VarveLoader *loader, const char *path, const VarveSource *includer,
			       VarveTomlSpan at)
{
	g_autoptr(GPtrArray) problems =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_toml_problem_free);
	VarveSource *source = varve_loader_alloc(loader, sizeof(*source));
	g_autofree char *text = NULL, *name = NULL;
	g_autoptr(GError) error = NULL;
	struct stat st = { 0 };
	gsize size = 0;

	source->path = varve_loader_keep(loader, g_canonicalize_filename(path, loader->root));
	source->directory = varve_loader_keep(loader, g_path_get_dirname(source->path));
	source->name = varve_loader_display(loader, source->path);
	source->includer = includer;
	source->lost = g_array_new(FALSE, FALSE, sizeof(guint32));
	if (stat(source->path, &st) == 0) {
		source->device = st.st_dev;
		source->inode = st.st_ino;
	}
	if (!varve_file_read(AT_FDCWD, source->path, VARVE_TOML_MAX_SIZE, &text, &size, &error)) {
		loader->incomplete = TRUE;
		if (includer) {
			varve_loader_mistake(loader, includer, at, "%s", error->message);
			g_array_unref(source->lost);
			return NULL;
		}
	}
	name = name_for_messages(loader, source);
	source->toml = varve_toml_parse_tolerant(name, text ? text : "", size, problems);
	g_ptr_array_add(loader->sources, source);
	if (error) {
		varve_loader_mistake(loader, source, (VarveTomlSpan){ 0 }, "%s", error->message);
		return NULL;
	}
	for (guint i = 0; i < problems->len; i++) {
		const VarveTomlProblem *problem = problems->pdata[i];

		if (problem->lost_key)
			g_array_append_val(source->lost, problem->section);
		if (problem->lost_table)
			loader->lost_tables = TRUE;
		varve_loader_mistake(loader, source, problem->span, "%s", problem->message);
	}
	return source;
}
