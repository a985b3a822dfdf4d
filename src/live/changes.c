/* Comparing two stacks by their path tables. */
#include "live/changes.h"

#include "base/error.h"

#include <string.h>
#include <sys/stat.h>

/* What one stack shows of a path: the topmost layer's. */
typedef struct {
	const VarveMounted *base;
	const GPtrArray *layers; /* lowest first */
} Stack;

static gboolean look_up(const VarvePathTable *table, const char *path, VarvePath *ret,
			gboolean *ret_found, GError **error)
{
	g_autoptr(GError) local = NULL;
	gsize index;

	*ret_found = FALSE;
	if (!varve_path_table_find(table, path, &index, &local)) {
		if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	*ret_found = TRUE;
	return varve_path_table_get(table, index, ret, error);
}

static gboolean find(const Stack *stack, const char *path, VarvePath *ret, gboolean *ret_found,
		     GError **error)
{
	*ret_found = FALSE;
	for (guint i = stack->layers->len; i-- > 0 && !*ret_found;) {
		const VarveMounted *layer = stack->layers->pdata[i];

		if (!look_up(layer->paths, path, ret, ret_found, error))
			return FALSE;
	}
	return *ret_found || look_up(stack->base->paths, path, ret, ret_found, error);
}

static gboolean same_xattrs(const VarvePath *a, const VarvePath *b)
{
	if (a->n_xattrs != b->n_xattrs)
		return FALSE;
	for (size_t i = 0; i < a->n_xattrs; i++) {
		const VarveXattr *x = &a->xattrs[i], *y = &b->xattrs[i];

		if (strcmp(x->name, y->name) != 0 || x->size != y->size ||
		    memcmp(x->value, y->value, x->size) != 0)
			return FALSE;
	}
	return TRUE;
}

static gboolean same(const VarvePath *a, const VarvePath *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
	       a->device == b->device && varve_digest_equal(&a->digest, &b->digest) &&
	       strcmp(a->label, b->label) == 0 && same_xattrs(a, b);
}

static VarveMergedChange *change_new(VarveChanges *changes, const char *path,
				     const VarvePath *before, const VarvePath *after)
{
	VarveMergedChange *change = g_new0(VarveMergedChange, 1);
	g_autofree char *absolute = g_strconcat("/", path, NULL);

	change->path = g_string_chunk_insert(changes->strings, absolute);
	change->before = before ? g_memdup2(before, sizeof(*before)) : NULL;
	change->after = after ? g_memdup2(after, sizeof(*after)) : NULL;
	return change;
}

static void change_free(gpointer data)
{
	VarveMergedChange *change = data;

	g_free((gpointer)change->before);
	g_free((gpointer)change->after);
	g_free(change);
}

/* A directory is merged of all layers, so that it is no one's; but a file may have become one. */
static gboolean compare(VarveChanges *changes, const Stack *before, const Stack *after,
			const char *path, GError **error)
{
	gboolean was, is;
	VarvePath old, new;

	if (!find(before, path, &old, &was, error) || !find(after, path, &new, &is, error))
		return FALSE;
	was = was && !S_ISDIR(old.mode);
	is = is && !S_ISDIR(new.mode);
	if ((was || is) && !(was && is && same(&old, &new)))
		g_ptr_array_add(changes->list,
				change_new(changes, path, was ? &old : NULL, is ? &new : NULL));
	return TRUE;
}

static gboolean contains(const GPtrArray *layers, const VarveMounted *layer)
{
	for (guint i = 0; i < layers->len; i++) {
		const VarveMounted *other = layers->pdata[i];

		if (varve_digest_equal(&other->facts.root, &layer->facts.root))
			return TRUE;
	}
	return FALSE;
}

/* Every path of the layers of @some that @others does not have. */
static gboolean compare_layers(VarveChanges *changes, const Stack *before, const Stack *after,
			       const GPtrArray *some, const GPtrArray *others, GHashTable *seen,
			       GError **error)
{
	for (guint i = 0; i < some->len; i++) {
		const VarveMounted *layer = some->pdata[i];

		if (contains(others, layer))
			continue;
		for (gsize j = 0; j < varve_path_table_count(layer->paths); j++) {
			VarvePath path;

			if (!varve_path_table_get(layer->paths, j, &path, error))
				return FALSE;
			if (g_hash_table_add(seen, g_strdup(path.path)) &&
			    !compare(changes, before, after, path.path, error))
				return FALSE;
		}
	}
	return TRUE;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const VarveMergedChange *x = *(VarveMergedChange *const *)a,
				*y = *(VarveMergedChange *const *)b;

	return strcmp(x->path, y->path);
}

VarveChanges *varve_changes_find(const VarveMounted *base, const GPtrArray *before,
				 const GPtrArray *after, GError **error)
{
	g_autoptr(VarveChanges) changes = g_new0(VarveChanges, 1);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const Stack old = { base, before }, new = { base, after };

	changes->list = g_ptr_array_new_with_free_func(change_free);
	changes->strings = g_string_chunk_new(4096);
	if (!compare_layers(changes, &old, &new, before, after, seen, error) ||
	    !compare_layers(changes, &old, &new, after, before, seen, error))
		return NULL;
	g_ptr_array_sort(changes->list, by_path);
	return g_steal_pointer(&changes);
}

void varve_changes_free(VarveChanges *changes)
{
	if (!changes)
		return;
	g_ptr_array_unref(changes->list);
	g_string_chunk_free(changes->strings);
	g_free(changes);
}
