/* The closure of programs over their shared libraries. */
#include "image/libraries.h"

#include "base/error.h"
#include "format/elf.h"
#include "image/base-tree.h"

#include <string.h>

#define LIBRARY_LIMIT (256 * 1024 * 1024)
#define LIBRARIES_MAX 1000
#define CONF_DEPTH_MAX 8

struct VarveLibraries {
	int tree;
	const VarveArch *arch;
	GPtrArray *configured; /* directories of ld.so.conf */
	GPtrArray *standard;   /* those that the loader knows by itself */
	GHashTable *by_path;   /* path → VarveLibrary */
	gboolean need_cache;
};

static void library_free(gpointer data)
{
	VarveLibrary *library = data;

	g_free(library->path);
	g_bytes_unref(library->bytes);
	g_ptr_array_unref(library->names);
	g_free(library);
}

static gboolean read_conf(VarveLibraries *libraries, const char *path, int depth, GError **error);

/* "include ld.so.conf.d/NAME*.conf", relative to the directory of the file that says so. */
static gboolean include_conf(VarveLibraries *libraries, const char *from, const char *pattern,
			     int depth, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(from);
	g_autofree char *full = g_path_is_absolute(pattern)
					? g_strdup(pattern)
					: g_build_filename(parent, pattern, NULL);
	g_autofree char *directory = g_path_get_dirname(full);
	g_autofree char *base = g_path_get_basename(full);
	g_auto(GStrv) names = NULL;

	if (!varve_base_tree_has(libraries->tree, directory))
		return TRUE;
	if (!varve_base_tree_list(libraries->tree, directory, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(directory, *name, NULL);

		if (g_pattern_match_simple(base, *name) &&
		    !read_conf(libraries, path, depth + 1, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_conf(VarveLibraries *libraries, const char *path, int depth, GError **error)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (depth > CONF_DEPTH_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: included from itself", path);
	if (!varve_base_tree_has(libraries->tree, path))
		return TRUE;
	if (!varve_base_tree_read(libraries->tree, path, 1024 * 1024, &text, NULL, error))
		return FALSE;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char *comment = strchr(*line, '#');

		if (comment)
			*comment = '\0';
		g_strstrip(*line);
		if (g_str_has_prefix(*line, "include ") || g_str_has_prefix(*line, "include\t")) {
			if (!include_conf(libraries, path, g_strstrip(*line + 8), depth, error))
				return FALSE;
		} else if (**line == '/') {
			g_ptr_array_add(libraries->configured, g_strdup(*line));
		}
	}
	return TRUE;
}

VarveLibraries *varve_libraries_new(int tree, const VarveArch *arch, GError **error)
{
	g_autoptr(VarveLibraries) libraries = g_new0(VarveLibraries, 1);

	libraries->tree = tree;
	libraries->arch = arch;
	libraries->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, library_free);
	libraries->configured = g_ptr_array_new_with_free_func(g_free);
	libraries->standard = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(libraries->standard, g_strdup_printf("/lib/%s-linux-gnu", arch->rpm));
	g_ptr_array_add(libraries->standard, g_strdup_printf("/usr/lib/%s-linux-gnu", arch->rpm));
	for (const char *const *directory =
		     (const char *const[]){ "/lib64", "/usr/lib64", "/lib", "/usr/lib", NULL };
	     *directory; directory++)
		g_ptr_array_add(libraries->standard, g_strdup(*directory));
	if (!read_conf(libraries, "/etc/ld.so.conf", 0, error))
		return NULL;
	return g_steal_pointer(&libraries);
}

void varve_libraries_free(VarveLibraries *libraries)
{
	if (!libraries)
		return;
	g_ptr_array_unref(libraries->configured);
	g_ptr_array_unref(libraries->standard);
	g_hash_table_unref(libraries->by_path);
	g_free(libraries);
}

static gboolean right_machine(const VarveLibraries *libraries, const VarveElf *elf)
{
	return elf->machine == libraries->arch->elf_machine && elf->bits == 64;
}

/* Notes that @directory/@name leads to the library at @path, where those differ. */
static void add_name(const VarveLibraries *libraries, VarveLibrary *library, const char *directory,
		     const char *name)
{
	g_autofree char *real = NULL;
	g_autofree char *full = NULL;

	if (!varve_base_tree_resolve(libraries->tree, directory, &real, NULL))
		return;
	full = g_build_filename(real, name, NULL);
	if (strcmp(full, library->path) != 0 &&
	    !g_ptr_array_find_with_equal_func(library->names, full, g_str_equal, NULL))
		g_ptr_array_add(library->names, g_steal_pointer(&full));
}

/**
 * Looks for @name in @directory. A file that is no library, or one of another machine, is passed
 * over, as the loader does. @ret_library: NULL where it is not there; @ret_elf only for a new one.
 */
static gboolean look_in(VarveLibraries *libraries, const char *directory, const char *name,
			VarveLibrary **ret_library, VarveElf **ret_elf, GError **error)
{
	g_autofree char *candidate = g_build_filename(directory, name, NULL);
	g_autofree char *path = NULL;
	g_autoptr(VarveElf) elf = NULL;
	VarveLibrary *library;
	char *data;
	size_t size;

	*ret_library = NULL;
	*ret_elf = NULL;
	if (!varve_base_tree_resolve(libraries->tree, candidate, &path, NULL))
		return TRUE;
	library = g_hash_table_lookup(libraries->by_path, path);
	if (!library) {
		if (!varve_base_tree_read(libraries->tree, path, LIBRARY_LIMIT, &data, &size,
					  error))
			return FALSE;
		elf = varve_elf_parse(data, size, path, NULL);
		if (!elf || !right_machine(libraries, elf)) {
			g_free(data);
			return TRUE;
		}
		library = g_new0(VarveLibrary, 1);
		library->path = g_steal_pointer(&path);
		library->bytes = g_bytes_new_take(data, size);
		library->names = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(libraries->by_path, library->path, library);
		*ret_elf = g_steal_pointer(&elf);
	}
	add_name(libraries, library, directory, name);
	*ret_library = library;
	return TRUE;
}

static gboolean is_standard(const VarveLibraries *libraries, const char *directory)
{
	g_autofree char *real = NULL;

	if (!varve_base_tree_resolve(libraries->tree, directory, &real, NULL))
		return FALSE;
	for (guint i = 0; i < libraries->standard->len; i++) {
		g_autofree char *standard = NULL;

		if (varve_base_tree_resolve(libraries->tree,
					    g_ptr_array_index(libraries->standard, i), &standard,
					    NULL) &&
		    strcmp(real, standard) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The directories of DT_RUNPATH, $ORIGIN replaced. */
static GPtrArray *run_paths(const VarveElf *elf, const char *path)
{
	GPtrArray *directories = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) parts = g_strsplit(elf->runpath, ":", -1);
	g_autofree char *parent = g_path_get_dirname(path);

	for (char **part = parts; *part; part++) {
		GString *directory = g_string_new(*part);
		g_autofree char *origin = g_strdup_printf("/%s", parent);

		g_string_replace(directory, "${ORIGIN}", origin, 0);
		g_string_replace(directory, "$ORIGIN", origin, 0);
		if (directory->len && directory->str[0] == '/')
			g_ptr_array_add(directories, g_string_free(directory, FALSE));
		else
			g_string_free(directory, TRUE);
	}
	return directories;
}

static gboolean require_elf(VarveLibraries *libraries, const char *path, const VarveElf *elf,
			    GError **error);

/* A library was looked for in @directories: takes it and all that it needs. */
static gboolean take_from(VarveLibraries *libraries, const GPtrArray *directories, const char *name,
			  const char **ret_directory, GError **error)
{
	*ret_directory = NULL;
	for (guint i = 0; i < directories->len; i++) {
		const char *directory = g_ptr_array_index(directories, i);
		g_autoptr(VarveElf) elf = NULL;
		VarveLibrary *library;

		if (!look_in(libraries, directory, name, &library, &elf, error))
			return FALSE;
		if (!library)
			continue;
		*ret_directory = directory;
		return !elf || require_elf(libraries, library->path, elf, error);
	}
	return TRUE;
}

static gboolean require_library(VarveLibraries *libraries, const char *needed_by,
				const VarveElf *elf, const char *name, GError **error)
{
	g_autoptr(GPtrArray) own = NULL;
	const char *directory = NULL;

	if (strchr(name, '/')) {
		g_autofree char *parent = g_path_get_dirname(name);
		g_autofree char *base = g_path_get_basename(name);

		own = g_ptr_array_new();
		g_ptr_array_add(own, parent);
		if (!take_from(libraries, own, base, &directory, error))
			return FALSE;
	} else {
		own = run_paths(elf, needed_by);
		if (!take_from(libraries, own, name, &directory, error))
			return FALSE;
		if (!directory) {
			if (!take_from(libraries, libraries->configured, name, &directory, error))
				return FALSE;
			if (directory && !is_standard(libraries, directory))
				libraries->need_cache = TRUE;
		}
		if (!directory &&
		    !take_from(libraries, libraries->standard, name, &directory, error))
			return FALSE;
	}
	if (!directory)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "'%s' needs the library '%s', which is not in the tree: add the "
				  "package that brings it to the base",
				  needed_by, name);
	return TRUE;
}

static gboolean require_elf(VarveLibraries *libraries, const char *path, const VarveElf *elf,
			    GError **error)
{
	if (g_hash_table_size(libraries->by_path) > LIBRARIES_MAX)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "'%s' needs more than %d libraries", path, LIBRARIES_MAX);
	for (char **needed = elf->needed; *needed; needed++) {
		if (!require_library(libraries, path, elf, *needed, error))
			return FALSE;
	}
	if (*elf->interpreter)
		return require_library(libraries, path, elf, elf->interpreter, error);
	return TRUE;
}

gboolean varve_libraries_require(VarveLibraries *libraries, const char *path, GBytes *bytes,
				 GError **error)
{
	gsize size;
	const void *data = g_bytes_get_data(bytes, &size);
	g_autoptr(VarveElf) elf = varve_elf_parse(data, size, path, error);

	if (!elf) {
		if (error && g_error_matches(*error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			(*error)->code = VARVE_ERROR_CORRUPT;
		return FALSE;
	}
	if (!right_machine(libraries, elf))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "'%s' is for another machine (ELF machine %u, expected %u, %s)",
				  path, elf->machine, libraries->arch->elf_machine,
				  libraries->arch->name);
	return require_elf(libraries, path, elf, error);
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const VarveLibrary *const *left = a, *const *right = b;

	return strcmp((*left)->path, (*right)->path);
}

GPtrArray *varve_libraries_list(const VarveLibraries *libraries)
{
	GPtrArray *list = g_ptr_array_new();
	GHashTableIter iter;
	gpointer library;

	g_hash_table_iter_init(&iter, libraries->by_path);
	while (g_hash_table_iter_next(&iter, NULL, &library))
		g_ptr_array_add(list, library);
	g_ptr_array_sort(list, by_path);
	return list;
}

gboolean varve_libraries_need_cache(const VarveLibraries *libraries)
{
	return libraries->need_cache;
}
