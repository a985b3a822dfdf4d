/* What is inside a layer, read from its EROFS data without mounting them. */
#include "layer/layer.h"

#include "base/error.h"
#include "base/text.h"
#include "crypt/sha256.h"
#include "format/verity.h"

#include <string.h>

#define MANIFEST_MAX (64 * 1024 * 1024)
#define PATHS_MAX (512 * 1024 * 1024)

VarveErofs *varve_layer_open_erofs(const VarveLayer *layer, GError **error)
{
	g_autofree char *name = g_strdup_printf("layer '%s'", varve_layer_name(layer));
	guint64 offset, size, unused;

	varve_layer_extents(layer, &offset, &size, &unused, &unused);
	return varve_erofs_open(varve_layer_fd(layer), offset, size, name, error);
}

gboolean varve_layer_check_data(const VarveLayer *layer, GError **error)
{
	guint64 data, data_size, hash, hash_size, bad;
	g_autoptr(VarveErofs) erofs = NULL;
	g_autofree char *path = NULL, *package = NULL;

	varve_layer_extents(layer, &data, &data_size, &hash, &hash_size);
	if (varve_verity_verify(varve_layer_fd(layer), data, data_size, varve_layer_hash_fd(layer),
				hash, hash_size, varve_layer_root(layer), &bad, error))
		return TRUE;
	g_prefix_error(error, "layer '%s': ", varve_layer_name(layer));
	if (bad == G_MAXUINT64)
		return FALSE;
	erofs = varve_layer_open_erofs(layer, NULL);
	if (erofs && error && varve_layer_find_block(erofs, bad, &path, &package)) {
		g_autofree char *message = (*error)->message;
		/* Nobody vouches for what a damaged image says. */
		g_autofree char *shown = varve_text_line(path);
		g_autofree char *by = varve_text_line(package);

		(*error)->message =
			g_strdup_printf("%s; '%s'%s%s%s is stored there", message, shown,
					*by ? " (package " : "", by, *by ? ")" : "");
	}
	return FALSE;
}

/* The one NAME.json below VARVE_LAYERS_DIR. */
static char *find_manifest(VarveErofs *erofs, const char *layer, GError **error)
{
	g_auto(GStrv) names = NULL;
	const char *found = NULL;

	if (!varve_erofs_list(erofs, VARVE_LAYERS_DIR, &names, error))
		return NULL;
	for (char **name = names; *name; name++) {
		if (!g_str_has_suffix(*name, ".json"))
			continue;
		if (found) {
			varve_fail(error, VARVE_ERROR_CORRUPT,
				   "layer '%s': two manifests, '%s' and '%s', expected one", layer,
				   found, *name);
			return NULL;
		}
		found = *name;
	}
	if (!found) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "layer '%s': no manifest: no NAME.json in /" VARVE_LAYERS_DIR, layer);
		return NULL;
	}
	return g_strndup(found, strlen(found) - strlen(".json"));
}

VarveManifest *varve_layer_manifest_of(VarveErofs *erofs, const char *layer, GError **error)
{
	g_autofree char *name = find_manifest(erofs, layer, error);
	g_autofree char *path = NULL, *text = NULL, *what = NULL;
	g_autoptr(VarveManifest) manifest = NULL;
	size_t size;

	if (!name)
		return NULL;
	path = g_strdup_printf(VARVE_LAYERS_DIR "/%s.json", name);
	if (!varve_erofs_read_file(erofs, path, MANIFEST_MAX, &text, &size, error))
		return NULL;
	what = g_strdup_printf("manifest of layer '%s'", layer);
	manifest = varve_manifest_parse(text, size, what, error);
	if (!manifest)
		return NULL;
	if (strcmp(manifest->name, name) != 0) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "manifest-mismatch: %s is '%s.json' and says that its name is '%s'",
			   what, name, manifest->name);
		return NULL;
	}
	return g_steal_pointer(&manifest);
}

VarveManifest *varve_layer_read_manifest(const VarveLayer *layer, GError **error)
{
	g_autoptr(VarveErofs) erofs = varve_layer_open_erofs(layer, error);

	return erofs ? varve_layer_manifest_of(erofs, varve_layer_name(layer), error) : NULL;
}

/* @layer is for messages. */
static VarvePathTable *paths_of(VarveErofs *erofs, const char *layer, const VarveManifest *manifest,
				GError **error)
{
	g_autofree char *path = g_strdup_printf(VARVE_LAYERS_DIR "/%s.paths", manifest->name);
	g_autofree char *what = g_strdup_printf("path table of layer '%s'", layer);
	g_autoptr(GBytes) bytes = NULL;
	VarveDigest digest;
	char *data;
	size_t size;

	if (!varve_erofs_read_file(erofs, path, PATHS_MAX, &data, &size, error))
		return NULL;
	bytes = g_bytes_new_take(data, size);
	varve_sha256(data, size, &digest);
	if (!varve_digest_equal(&digest, &manifest->paths)) {
		g_autofree char *expected = varve_digest_dup_hex(&manifest->paths);
		g_autofree char *found = varve_digest_dup_hex(&digest);

		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "manifest-mismatch: %s has the digest %.16s…, its manifest says %.16s…",
			   what, found, expected);
		return NULL;
	}
	return varve_path_table_open(bytes, what, error);
}

VarvePathTable *varve_layer_read_paths(const VarveLayer *layer, const VarveManifest *manifest,
				       GError **error)
{
	g_autoptr(VarveErofs) erofs = varve_layer_open_erofs(layer, error);

	return erofs ? paths_of(erofs, varve_layer_name(layer), manifest, error) : NULL;
}

gboolean varve_layer_find_block(VarveErofs *erofs, guint64 block, char **ret_path,
				char **ret_package)
{
	g_autofree char *path = varve_erofs_find_block(erofs, block);
	g_autoptr(VarveManifest) manifest = NULL;
	g_autoptr(VarvePathTable) table = NULL;
	VarvePath found = { .package = "" };
	gsize index;

	if (!path)
		return FALSE;
	manifest = varve_layer_manifest_of(erofs, "", NULL);
	table = manifest ? paths_of(erofs, "", manifest, NULL) : NULL;
	if (!table || !varve_path_table_find(table, path + 1, &index, NULL) ||
	    !varve_path_table_get(table, index, &found, NULL))
		found.package = "";
	*ret_package = g_strdup(found.package);
	*ret_path = g_steal_pointer(&path);
	return TRUE;
}

static size_t text_size(const char *text)
{
	return strlen(text) + 1;
}

static const void *put(char **at, const void *data, size_t size)
{
	void *to = *at;

	memcpy(to, data, size);
	*at += size;
	return to;
}

VarvePath *varve_path_copy(const VarvePath *path)
{
	size_t xattrs = path->n_xattrs * sizeof(VarveXattr);
	size_t size = sizeof(VarvePath) + xattrs + text_size(path->path) + text_size(path->target) +
		      text_size(path->label) + text_size(path->package);
	VarveXattr *to;
	VarvePath *copy;
	char *at;

	for (size_t i = 0; i < path->n_xattrs; i++)
		size += text_size(path->xattrs[i].name) + path->xattrs[i].size;
	copy = g_malloc(size);
	*copy = *path;
	to = (VarveXattr *)(copy + 1);
	at = (char *)to + xattrs;
	copy->path = put(&at, path->path, text_size(path->path));
	copy->target = put(&at, path->target, text_size(path->target));
	copy->label = put(&at, path->label, text_size(path->label));
	copy->package = put(&at, path->package, text_size(path->package));
	copy->xattrs = to;
	for (size_t i = 0; i < path->n_xattrs; i++) {
		const VarveXattr *from = &path->xattrs[i];

		to[i].name = put(&at, from->name, text_size(from->name));
		to[i].value = put(&at, from->value, from->size);
		to[i].size = from->size;
	}
	return copy;
}

static gboolean collect(const VarvePath *path, gpointer data, GError **error)
{
	(void)error;
	g_ptr_array_add(data, varve_path_copy(path));
	return TRUE;
}

static int compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const VarvePath *const *)a)->path, (*(const VarvePath *const *)b)->path);
}

GPtrArray *varve_layer_tree_of(VarveErofs *erofs, gboolean digests, GError **error)
{
	g_autoptr(GPtrArray) tree = g_ptr_array_new_with_free_func(g_free);

	if (!varve_erofs_walk(erofs, digests, collect, tree, error))
		return NULL;
	/* The walk goes by directories: "a", "a/b", "a.b"; tables go by bytes. */
	g_ptr_array_sort(tree, compare_paths);
	return g_steal_pointer(&tree);
}

GPtrArray *varve_layer_read_tree(const VarveLayer *layer, gboolean digests, GError **error)
{
	g_autoptr(VarveErofs) erofs = varve_layer_open_erofs(layer, error);

	return erofs ? varve_layer_tree_of(erofs, digests, error) : NULL;
}
