/* Comparing trees, packages, and claims with facts. */
#include "layer/compare.h"

#include "base/error.h"

#include <string.h>
#include <sys/stat.h>

#define NAMED_MAX 5 /* paths in a message; the rest is counted */

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

static guint compare_path(const VarvePath *a, const VarvePath *b)
{
	guint what = 0;

	if ((a->mode & S_IFMT) != (b->mode & S_IFMT))
		return VARVE_CHANGE_TYPE;
	if (a->mode != b->mode)
		what |= VARVE_CHANGE_MODE;
	if (a->uid != b->uid || a->gid != b->gid)
		what |= VARVE_CHANGE_OWNER;
	if (a->size != b->size)
		what |= VARVE_CHANGE_SIZE;
	if (!varve_digest_equal(&a->digest, &b->digest) || strcmp(a->target, b->target) != 0)
		what |= VARVE_CHANGE_CONTENT;
	if (a->device != b->device)
		what |= VARVE_CHANGE_DEVICE;
	if (strcmp(a->label, b->label) != 0)
		what |= VARVE_CHANGE_LABEL;
	if (!same_xattrs(a, b))
		what |= VARVE_CHANGE_XATTRS;
	return what;
}

/* Numbers of hard links mean something within one tree only: number → the first of its names. A
 * number that only one name has says nothing. */
static GHashTable *first_names(const GPtrArray *tree)
{
	GHashTable *first = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_autoptr(GHashTable) alone = g_hash_table_new(g_int64_hash, g_int64_equal);
	GHashTableIter iter;
	gpointer key;

	for (guint i = 0; i < tree->len; i++) {
		const VarvePath *path = tree->pdata[i];

		if (!path->hardlink)
			continue;
		if (g_hash_table_contains(first, &path->hardlink)) {
			g_hash_table_remove(alone, &path->hardlink);
			continue;
		}
		g_hash_table_insert(first, (gpointer)&path->hardlink, (gpointer)path->path);
		g_hash_table_add(alone, (gpointer)&path->hardlink);
	}
	g_hash_table_iter_init(&iter, alone);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_hash_table_remove(first, key);
	return first;
}

static const char *first_name(GHashTable *first, const VarvePath *path)
{
	const char *name = path->hardlink ? g_hash_table_lookup(first, &path->hardlink) : NULL;

	return name ?: path->path;
}

GArray *varve_paths_compare(const GPtrArray *before, const GPtrArray *after)
{
	g_autoptr(GHashTable) before_links = first_names(before);
	g_autoptr(GHashTable) after_links = first_names(after);
	GArray *changes = g_array_new(FALSE, FALSE, sizeof(VarvePathChange));
	guint b = 0, a = 0;

	while (b < before->len || a < after->len) {
		const VarvePath *x = b < before->len ? before->pdata[b] : NULL;
		const VarvePath *y = a < after->len ? after->pdata[a] : NULL;
		int order = !x ? 1 : !y ? -1 : strcmp(x->path, y->path);
		VarvePathChange change = { 0 };

		if (order <= 0) {
			change.before = x;
			b++;
		}
		if (order >= 0) {
			change.after = y;
			a++;
		}
		if (order < 0)
			change.what = VARVE_CHANGE_REMOVED;
		else if (order > 0)
			change.what = VARVE_CHANGE_ADDED;
		else
			change.what = compare_path(x, y);
		if (order == 0 && !(change.what & VARVE_CHANGE_TYPE) &&
		    strcmp(first_name(before_links, x), first_name(after_links, y)) != 0)
			change.what |= VARVE_CHANGE_HARDLINK;
		if (change.what)
			g_array_append_val(changes, change);
	}
	return changes;
}

char *varve_change_words(guint what)
{
	static const char *const words[] = { "added", "removed", "type",      "mode",
					     "owner", "size",    "content",   "device",
					     "label", "xattrs",  "hard links" };
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (what & (1u << i))
			g_string_append_printf(text, "%s%s", text->len ? ", " : "", words[i]);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Packages are sorted by name, then version; the same name may be there in several versions. */
static int compare_packages(const VarveManifestPackage *a, const VarveManifestPackage *b)
{
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->arch, b->arch);
}

static gboolean same_package(const VarveManifestPackage *a, const VarveManifestPackage *b)
{
	return compare_packages(a, b) == 0 && a->epoch == b->epoch &&
	       strcmp(a->version, b->version) == 0 && strcmp(a->release, b->release) == 0 &&
	       varve_digest_equal(&a->digest, &b->digest);
}

/* Those of @packages that @others does not have exactly so. */
static GPtrArray *without_same(const GPtrArray *packages, const GPtrArray *others)
{
	GPtrArray *left = g_ptr_array_new();

	for (guint i = 0; i < packages->len; i++) {
		gboolean same = FALSE;

		for (guint k = 0; k < others->len && !same; k++)
			same = same_package(packages->pdata[i], others->pdata[k]);
		if (!same)
			g_ptr_array_add(left, packages->pdata[i]);
	}
	return left;
}

static int compare_pointers(gconstpointer a, gconstpointer b)
{
	return compare_packages(*(const VarveManifestPackage *const *)a,
				*(const VarveManifestPackage *const *)b);
}

GArray *varve_packages_compare(const VarveManifest *before, const VarveManifest *after)
{
	g_autoptr(GPtrArray) old = without_same(before->packages, after->packages);
	g_autoptr(GPtrArray) new = without_same(after->packages, before->packages);
	GArray *changes = g_array_new(FALSE, FALSE, sizeof(VarvePackageChange));
	guint b = 0, a = 0;

	g_ptr_array_sort(old, compare_pointers);
	g_ptr_array_sort(new, compare_pointers);
	while (b < old->len || a < new->len) {
		const VarveManifestPackage *x = b < old->len ? old->pdata[b] : NULL;
		const VarveManifestPackage *y = a < new->len ? new->pdata[a] : NULL;
		int order = !x ? 1 : !y ? -1 : compare_packages(x, y);
		VarvePackageChange change = { order <= 0 ? x : NULL, order >= 0 ? y : NULL };

		b += order <= 0;
		a += order >= 0;
		g_array_append_val(changes, change);
	}
	return changes;
}

GPtrArray *varve_path_table_list(const VarvePathTable *table, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < varve_path_table_count(table); i++) {
		VarvePath path;

		if (!varve_path_table_get(table, i, &path, error))
			return NULL;
		g_ptr_array_add(list, varve_path_copy(&path));
	}
	return g_steal_pointer(&list);
}

/* The tree without manifest and table, which cannot have records of themselves. Borrowed. */
static GPtrArray *without_records(const GPtrArray *tree, const char *name)
{
	g_autofree char *manifest = g_strdup_printf(VARVE_LAYERS_DIR "/%s.json", name);
	g_autofree char *table = g_strdup_printf(VARVE_LAYERS_DIR "/%s.paths", name);
	GPtrArray *rest = g_ptr_array_new();

	for (guint i = 0; i < tree->len; i++) {
		const VarvePath *path = tree->pdata[i];

		if (strcmp(path->path, manifest) != 0 && strcmp(path->path, table) != 0)
			g_ptr_array_add(rest, tree->pdata[i]);
	}
	return rest;
}

static gboolean fail_mismatch(const char *layer, const GArray *changes, GError **error)
{
	g_autoptr(GString) paths = g_string_new(NULL);

	for (guint i = 0; i < MIN(changes->len, NAMED_MAX); i++) {
		const VarvePathChange *change = &g_array_index(changes, VarvePathChange, i);
		const VarvePath *path = change->after ?: change->before;
		g_autofree char *words = varve_change_words(change->what);
		const char *text = !change->before  ? "is there, but not in the table"
				   : !change->after ? "is in the table, but not there"
						    : words;

		g_string_append_printf(paths, "%s'/%s' (%s)", i ? ", " : "", path->path, text);
	}
	if (changes->len > NAMED_MAX)
		g_string_append_printf(paths, " and %u more", changes->len - NAMED_MAX);
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "manifest-mismatch: layer '%s': its path table and what is in it differ "
			  "in %s; who built it is to be asked, it was signed so",
			  layer, paths->str);
}

/* What a patch declares, it has to bring. */
static gboolean check_overrides(const VarveLayer *layer, const VarveManifest *manifest,
				const VarvePathTable *paths, GError **error)
{
	for (guint i = 0; i < manifest->overrides->len; i++) {
		const VarveManifestOverride *override = manifest->overrides->pdata[i];
		VarvePath path;
		gsize index;

		if (!varve_path_table_find(paths, override->path, &index, NULL) ||
		    !varve_path_table_get(paths, index, &path, NULL) || S_ISDIR(path.mode))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "manifest-mismatch: layer '%s': it says that it "
					  "overrides '/%s', and has no such file",
					  varve_layer_name(layer), override->path);
	}
	return TRUE;
}

gboolean varve_layer_check_tree(const VarveLayer *layer, const VarveManifest *manifest,
				const VarvePathTable *paths, GPtrArray **ret_tree, GError **error)
{
	g_autoptr(GPtrArray) claimed = varve_path_table_list(paths, error);
	g_autoptr(GPtrArray) tree = NULL, rest = NULL;
	g_autoptr(GArray) changes = NULL;
	const VarveArch *arch = varve_layer_arch(layer);

	if (!claimed)
		return FALSE;
	if (arch && strcmp(manifest->arch, arch->name) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "manifest-mismatch: layer '%s': its manifest says that it is for "
				  "%s, its partitions are for %s",
				  varve_layer_name(layer), manifest->arch, arch->name);
	tree = varve_layer_read_tree(layer, TRUE, error);
	if (!tree)
		return FALSE;
	rest = without_records(tree, manifest->name);
	changes = varve_paths_compare(claimed, rest);
	if (changes->len > 0)
		return fail_mismatch(varve_layer_name(layer), changes, error);
	if (!check_overrides(layer, manifest, paths, error))
		return FALSE;
	if (ret_tree)
		*ret_tree = g_steal_pointer(&tree);
	return TRUE;
}
