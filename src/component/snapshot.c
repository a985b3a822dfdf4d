/* Directories as values. */
#include "component/snapshot.h"

#include "base/error.h"
#include "base/file.h"
#include "component/line-diff.h"

#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT ((gsize)64 << 20)
#define DEPTH_LIMIT 32
#define CONTEXT 3

struct VarveSnapshot {
	GHashTable *files; /* path → GBytes */
};

static void unref_bytes(gpointer data)
{
	g_bytes_unref(data);
}

static gboolean read_link(VarveSnapshot *snapshot, int directory, const char *name,
			  const char *path, GError **error)
{
	char target[4096];
	ssize_t n = readlinkat(directory, name, target, sizeof(target));

	if (n < 0)
		return varve_fail_errno(error, errno, "%s", path);
	g_hash_table_insert(snapshot->files, g_strdup(path), g_bytes_new(target, (gsize)n));
	return TRUE;
}

static gboolean read_directory(VarveSnapshot *snapshot, int directory, const char *prefix,
			       guint depth, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (depth > DEPTH_LIMIT)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED, "%s: too many directories deep",
				  prefix);
	if (!varve_dir_list(directory, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_strconcat(prefix, *name, NULL);
		g_autofree char *below = g_strconcat(path, "/", NULL);
		g_autofree char *text = NULL;
		struct stat st;
		gsize size;

		if (fstatat(directory, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s", path);
		if (S_ISLNK(st.st_mode)) {
			if (!read_link(snapshot, directory, *name, path, error))
				return FALSE;
		} else if (S_ISDIR(st.st_mode)) {
			varve_autofd inner = varve_dir_open_beneath(directory, *name, error);

			if (inner < 0 || !read_directory(snapshot, inner, below, depth + 1, error))
				return FALSE;
		} else {
			if (!varve_file_read_beneath(directory, *name, FILE_LIMIT, &text, &size,
						     error))
				return FALSE;
			g_hash_table_insert(snapshot->files, g_steal_pointer(&path),
					    g_bytes_new_take(g_steal_pointer(&text), size));
		}
	}
	return TRUE;
}

VarveSnapshot *varve_snapshot_new(int directory, GError **error)
{
	g_autoptr(VarveSnapshot) snapshot = g_new0(VarveSnapshot, 1);

	snapshot->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_bytes);
	if (!read_directory(snapshot, directory, "", 0, error))
		return NULL;
	return g_steal_pointer(&snapshot);
}

void varve_snapshot_free(VarveSnapshot *snapshot)
{
	if (!snapshot)
		return;
	g_hash_table_unref(snapshot->files);
	g_free(snapshot);
}

void varve_snapshot_set(VarveSnapshot *snapshot, const char *path, const char *text, gsize size)
{
	if (text)
		g_hash_table_insert(snapshot->files, g_strdup(path), g_bytes_new(text, size));
	else
		g_hash_table_remove(snapshot->files, path);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_paths(const VarveSnapshot *snapshot, const VarveSnapshot *but, GPtrArray *paths)
{
	GHashTableIter iterator;
	gpointer path;

	g_hash_table_iter_init(&iterator, snapshot->files);
	while (g_hash_table_iter_next(&iterator, &path, NULL)) {
		if (!but || !g_hash_table_contains(but->files, path))
			g_ptr_array_add(paths, path);
	}
}

GPtrArray *varve_snapshot_paths(const VarveSnapshot *snapshot)
{
	GPtrArray *paths = g_ptr_array_new();

	add_paths(snapshot, NULL, paths);
	g_ptr_array_sort(paths, compare_names);
	return paths;
}

static const char *text_of(GBytes *bytes, gsize *ret_size)
{
	*ret_size = 0;
	return bytes ? g_bytes_get_data(bytes, ret_size) : NULL;
}

static void diff_file(GString *text, const char *path, GBytes *before, GBytes *after)
{
	g_autofree char *old_name = before ? g_strconcat("a/", path, NULL) : g_strdup("/dev/null");
	g_autofree char *new_name = after ? g_strconcat("b/", path, NULL) : g_strdup("/dev/null");
	g_autoptr(GString) diff = NULL;
	gsize old_size, new_size;
	const char *old = text_of(before, &old_size), *new = text_of(after, &new_size);

	if (before && after && g_bytes_equal(before, after))
		return;
	if ((old_size && memchr(old, '\0', old_size)) ||
	    (new_size && memchr(new, '\0', new_size))) {
		g_string_append_printf(text, "Binary files %s and %s differ\n", old_name, new_name);
		return;
	}
	diff = varve_line_diff(old ? old : "", old_size, new ? new : "", new_size, CONTEXT);
	g_string_append_printf(text, "--- %s\n+++ %s\n%s", old_name, new_name, diff->str);
}

char *varve_snapshot_diff(const VarveSnapshot *before, const VarveSnapshot *after)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GString) text = g_string_new(NULL);

	add_paths(before, NULL, paths);
	add_paths(after, before, paths);
	g_ptr_array_sort(paths, compare_names);
	for (guint i = 0; i < paths->len; i++)
		diff_file(text, paths->pdata[i],
			  g_hash_table_lookup(before->files, paths->pdata[i]),
			  g_hash_table_lookup(after->files, paths->pdata[i]));
	return g_string_free(g_steal_pointer(&text), FALSE);
}
