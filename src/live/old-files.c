/* Old files by inode number, and by name where that is not known. */
#include "live/old-files.h"

#include <string.h>

struct VarveOldFiles {
	GHashTable *by_number; /* (guint64 *) → path: borrowed from the stack */
	GHashTable *by_name;   /* a set of paths, borrowed: those without a number */
};

VarveOldFiles *varve_old_files_new(const VarvePastStack *stack, VarveWhoFind find, gpointer data)
{
	VarveOldFiles *old = g_new0(VarveOldFiles, 1);
	GHashTableIter iter;
	gpointer key, value;

	old->by_number = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	old->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_iter_init(&iter, stack->replaced);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const VarvePastFile *file = value;
		guint64 number = varve_past_number(stack, file);
		VarveDigest now;

		if (find(key, &now, data) && varve_digest_equal(&now, &file->digest))
			continue;
		if (number)
			g_hash_table_insert(old->by_number, g_memdup2(&number, sizeof(number)),
					    key);
		else
			g_hash_table_add(old->by_name, key);
	}
	return old;
}

void varve_old_files_free(VarveOldFiles *old)
{
	if (!old)
		return;
	g_hash_table_unref(old->by_number);
	g_hash_table_unref(old->by_name);
	g_free(old);
}

guint varve_old_files_count(const VarveOldFiles *old)
{
	return g_hash_table_size(old->by_number) + g_hash_table_size(old->by_name);
}

static const char *find_name(const VarveOldFiles *old, const char *name)
{
	g_autofree char *detached = g_strconcat("/usr", name, NULL);
	gpointer found = NULL;

	/* What was taken away has lost its place: the name begins where the overlay does. */
	if (g_hash_table_lookup_extended(old->by_name, detached, &found, NULL))
		return found;
	/* Still mounted somewhere, below a root of its own. */
	for (; (name = strstr(name, "/usr/")); name++) {
		if (g_hash_table_lookup_extended(old->by_name, name, &found, NULL))
			return found;
	}
	return NULL;
}

const char *varve_old_files_find(const VarveOldFiles *old, guint64 number, const char *name)
{
	const char *path = g_hash_table_lookup(old->by_number, &number);

	if (path || !name || g_hash_table_size(old->by_name) == 0)
		return path;
	return find_name(old, name);
}
