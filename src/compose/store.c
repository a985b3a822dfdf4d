/* Results kept by the digest of their inputs. */
#include "compose/store.h"

#include "base/error.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

char *varve_store_path(const char *work, const char *kind, const char *name, const char *key,
		       GError **error)
{
	g_autofree char *parent = g_build_filename(work, kind, name, NULL);

	if (!varve_dir_make(parent, 0755, error))
		return NULL;
	return g_build_filename(parent, key, NULL);
}

char *varve_store_begin(const char *path, GError **error)
{
	g_autofree char *partial = g_strconcat(path, ".partial", NULL);

	if (!varve_dir_remove(AT_FDCWD, partial, error) || !varve_dir_make(partial, 0755, error))
		return NULL;
	return g_steal_pointer(&partial);
}

gboolean varve_store_commit(const char *partial, const char *path, GError **error)
{
	if (!varve_dir_remove(AT_FDCWD, path, error))
		return FALSE;
	if (rename(partial, path) < 0)
		return varve_fail_errno(error, errno, "%s: cannot be given its name", partial);
	varve_store_touch(path);
	return TRUE;
}

void varve_store_touch(const char *path)
{
	utimensat(AT_FDCWD, path, NULL, 0);
}

typedef struct {
	char *path;
	struct timespec used;
} Entry;

static void entry_clear(gpointer pointer)
{
	g_free(((Entry *)pointer)->path);
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
	const Entry *left = a, *right = b;

	if (left->used.tv_sec != right->used.tv_sec)
		return left->used.tv_sec < right->used.tv_sec ? 1 : -1;
	return left->used.tv_nsec < right->used.tv_nsec ? 1 : -1;
}

gboolean varve_store_trim(const char *path, guint keep, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	g_auto(GStrv) names = NULL;

	g_array_set_clear_func(entries, entry_clear);
	if (!varve_dir_list(AT_FDCWD, parent, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		Entry entry = { .path = g_build_filename(parent, *name, NULL) };
		struct stat st;

		if (stat(entry.path, &st) == 0 && strcmp(entry.path, path) != 0) {
			entry.used = st.st_mtim;
			g_array_append_val(entries, entry);
		} else {
			g_free(entry.path);
		}
	}
	g_array_sort(entries, newest_first);
	for (guint i = keep > 0 ? keep - 1 : 0; i < entries->len; i++)
		if (!varve_dir_remove(AT_FDCWD, g_array_index(entries, Entry, i).path, error))
			return FALSE;
	return TRUE;
}
