/* Old files by inode number, and by name where that is not known. */
#include "live/old-files.h"

#include <string.h>

struct VarveOldFiles {
	GHashTable *by_number; /* (guint64 *) → path: borrowed from the stack */
	GHashTable *by_name;   /* a set of paths, borrowed: those without a number */
	GPtrArray *layers;     /* VarveDigest *, borrowed: whose files they are, each once */
};

static void add_layer(VarveOldFiles *old, const VarveDigest *layer)
{
	if (!varve_old_files_of(old, layer))
		g_ptr_array_add(old->layers, (gpointer)layer);
}

VarveOldFiles *varve_old_files_new(const VarvePastStack *stack, VarveWhoFind find, gpointer data)
{
	VarveOldFiles *old = g_new0(VarveOldFiles, 1);
	GHashTableIter iter;
	gpointer key, value;

	old->by_number = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	old->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	old->layers = g_ptr_array_new();
	g_hash_table_iter_init(&iter, stack->replaced);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const VarvePastFile *file = value;
		guint64 number = varve_past_number(stack, file);
		VarveDigest now;

		if (find(key, &now, data) && varve_digest_equal(&now, &file->digest))
			continue;
		add_layer(old, &file->layer);
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
	g_ptr_array_unref(old->layers);
	g_free(old);
}

gboolean varve_old_files_of(const VarveOldFiles *old, const VarveDigest *layer)
{
	for (guint i = 0; i < old->layers->len; i++) {
		if (varve_digest_equal(old->layers->pdata[i], layer))
			return TRUE;
	}
	return FALSE;
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
