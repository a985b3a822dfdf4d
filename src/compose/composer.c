/* The one who makes the layers of an edition. */
#include "compose/composer-internal.h"

#include "base/error.h"
#include "base/file.h"
#include "compose/package-root.h"
#include "layer/layer.h"
#include "layer/seal.h"

#include <string.h>

#define TOOLS_KIND "tools 2" /* raise when the same packages are to give another tree */
#define TOOLS_SET "tools"    /* the package set of the tools tree */

static void composed_free(gpointer pointer)
{
	VarveComposed *composed = pointer;

	varve_manifest_free(composed->manifest);
	g_free(composed->image);
	g_free(composed->staged);
	g_free(composed);
}

static gboolean open_universes(VarveComposer *composer, GError **error)
{
	const VarveComposerOptions *options = &composer->options;
	const VarveArch *native = varve_arch_native();
	g_autofree char *cache = g_build_filename(options->work, "cache", NULL);

	composer->universe =
		varve_universe_open_upstream(options->upstream, options->arch, cache,
					     options->repositories, options->n_repositories, error);
	if (!composer->universe)
		return FALSE;
	if (native == options->arch) {
		composer->tools_universe = composer->universe;
		return TRUE;
	}
	composer->tools_universe = varve_universe_open_upstream(
		options->upstream, native, cache, options->tools_repositories,
		options->n_tools_repositories, error);
	return composer->tools_universe != NULL;
}

VarveComposer *varve_composer_open(const VarveComposerOptions *options, GError **error)
{
	g_autoptr(VarveComposer) composer = g_new0(VarveComposer, 1);
	g_autofree char *lock = g_build_filename(options->work, "lock", NULL);

	composer->options = *options;
	composer->lock_fd = -1;
	composer->composed = g_ptr_array_new_with_free_func(composed_free);
	if (!varve_dir_make(options->work, 0755, error))
		return NULL;
	composer->lock_fd = varve_lock(lock, TRUE, error);
	if (composer->lock_fd < 0 || !open_universes(composer, error))
		return NULL;
	composer->lock = varve_lock_open(options->lock_file, error);
	if (!composer->lock)
		return NULL;
	return g_steal_pointer(&composer);
}

void varve_composer_free(VarveComposer *composer)
{
	if (!composer)
		return;
	g_clear_pointer(&composer->composed, g_ptr_array_unref);
	g_clear_pointer(&composer->base_packages, g_ptr_array_unref);
	g_clear_pointer(&composer->tools, varve_tools_free);
	g_clear_pointer(&composer->lock, varve_lock_free);
	if (composer->tools_universe != composer->universe)
		g_clear_pointer(&composer->tools_universe, varve_universe_free);
	g_clear_pointer(&composer->universe, varve_universe_free);
	varve_autofd_close(&composer->lock_fd);
	g_free(composer->tools_key);
	g_free(composer);
}

gboolean varve_composer_save_lock(VarveComposer *composer, GError **error)
{
	return varve_lock_save(composer->lock, error);
}

/* Tools */

/* Stub and boot loader travel: images say which package they are from. */
static gboolean write_owners(const char *directory, const VarveInstalled *installed, gpointer data,
			     GError **error)
{
	const VarveComposer *composer = data;
	g_autofree char *file = g_build_filename(directory, VARVE_TOOLS_OWNERS, NULL);
	g_autoptr(GHashTable) owners = g_hash_table_new_full(
		g_str_hash, g_str_equal, NULL, (GDestroyNotify)varve_manifest_package_free);

	for (guint i = 0; i < installed->files->len; i++) {
		const VarvePackageFile *owned = installed->files->pdata[i];

		if (g_str_has_prefix(owned->path, VARVE_TOOLS_OWNED))
			g_hash_table_insert(
				owners, owned->path,
				varve_package_to_manifest(owned->package,
							  composer->options.upstream->name));
	}
	return varve_tools_write_owners(file, owners, error);
}

static gboolean make_tools(VarveComposer *composer, GError **error)
{
	const VarveComposerOptions *options = &composer->options;
	const VarvePackageSet *set =
		varve_definition_package_set(options->definition, TOOLS_SET, error);
	const VarveSpelling *spelling =
		set ? varve_package_set_spelling(set, options->upstream) : NULL;
	const VarvePackageRoot how = { .work = options->work,
				       .kind = "tools",
				       .format = TOOLS_KIND,
				       .name = varve_arch_native()->name,
				       .keep = 2,
				       .epoch = options->definition->os.released_time,
				       .finish = write_owners,
				       .data = composer };
	g_autoptr(GPtrArray) packages = NULL;
	g_autofree char *path = NULL, *root = NULL;
	VarveSolveRequest request = { 0 };

	if (!set)
		return FALSE;
	if (!spelling)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "package set '" TOOLS_SET
				  "' is not spelled for upstream '%s'; add it to "
				  "[package-sets." TOOLS_SET "]",
				  options->upstream->name);
	request.install = spelling->packages;
	if (!varve_lock_resolve(composer->lock, composer->tools_universe, TOOLS_SET, &request,
				options->update_lock, &packages, error))
		return FALSE;
	path = varve_package_root_make(&how, composer->tools_universe, packages,
				       &composer->tools_key, error);
	if (!path)
		return FALSE;
	root = g_build_filename(path, "root", NULL);
	composer->tools = varve_tools_open(root);
	return TRUE;
}

const VarveTools *varve_composer_tools(VarveComposer *composer, GError **error)
{
	if (!composer->tools && !make_tools(composer, error)) {
		g_prefix_error(error, "tools tree: ");
		return NULL;
	}
	return composer->tools;
}

static const VarveComposed *find_composed(const VarveComposer *composer,
					  const VarveLayerDefinition *layer)
{
	for (guint i = 0; i < composer->composed->len; i++) {
		const VarveComposed *composed = g_ptr_array_index(composer->composed, i);

		if (composed->layer == layer)
			return composed;
	}
	return NULL;
}

gboolean varve_composer_layer(VarveComposer *composer, const VarveLayerDefinition *layer,
			      const VarveComposed **ret_composed, GError **error)
{
	const VarveComposed *base = NULL;
	VarveComposed *composed;

	*ret_composed = find_composed(composer, layer);
	if (*ret_composed)
		return TRUE;
	if (layer->role != VARVE_ROLE_BASE &&
	    !varve_composer_layer(composer, composer->options.edition->base, &base, error))
		return FALSE;
	composed = g_new0(VarveComposed, 1);
	composed->layer = layer;
	if (!varve_layer_job_run(composer, base, composed, error)) {
		composed_free(composed);
		g_prefix_error(error, "layer '%s': ", layer->name);
		return FALSE;
	}
	g_ptr_array_add(composer->composed, composed);
	*ret_composed = composed;
	return TRUE;
}

/* Whether @path is already the image of @composed, whole and signed by @certificate. The root hash
 * of an image that was sealed once is beside it in the store. */
static gboolean is_sealed(const char *path, const char *root_hash_path,
			  VarveCertificate *certificate)
{
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();
	g_autoptr(VarveLayer) layer = varve_layer_open_path(path, NULL);
	g_autofree char *hex = NULL;
	const VarveCertificate *signer;
	guint64 offset, size = 0;
	VarveDigest root;

	g_ptr_array_add(certificates, certificate);
	if (layer)
		varve_layer_signature_extent(layer, &offset, &size);
	/* A layer that an earlier version sealed is not the bytes that sealing gives now. */
	return size == VARVE_SIGNATURE_PARTITION_SIZE &&
	       varve_file_read(AT_FDCWD, root_hash_path, VARVE_DIGEST_HEX_SIZE, &hex, NULL, NULL) &&
	       varve_digest_from_hex(hex, &root) &&
	       varve_digest_equal(&root, varve_layer_root(layer)) &&
	       varve_layer_check_signature(layer, certificates, &signer, NULL) &&
	       varve_layer_check_data(layer, NULL);
}

static gboolean seal(const VarveComposer *composer, const VarveComposed *composed,
		     VarveCertificate *certificate, const char *path, const char *root_hash_path,
		     GError **error)
{
	g_autofree char *file = g_strconcat(composed->layer->key, ".key", NULL);
	g_autofree char *key_path = g_build_filename(composer->options.keys, file, NULL);
	g_autoptr(VarvePrivateKey) key = varve_private_key_load(key_path, error);
	char hex[VARVE_DIGEST_HEX_SIZE];
	VarveDigest root;

	if (!key ||
	    !varve_layer_seal(composed->image, composer->options.arch, composed->manifest->name,
			      composed->manifest->version, key, certificate, path, &root, error))
		return FALSE;
	varve_digest_to_hex(&root, hex);
	return varve_file_write(AT_FDCWD, root_hash_path, hex, strlen(hex), 0644, error);
}

gboolean varve_composer_seal(VarveComposer *composer, const VarveComposed *composed,
			     const char *output, char **ret_path, GError **error)
{
	g_autofree char *file = g_strconcat(composed->layer->key, ".crt", NULL);
	g_autofree char *certificate_path = g_build_filename(composer->options.keys, file, NULL);
	g_autofree char *name = varve_layer_file_name(
		composed->manifest->name, composed->manifest->version, composer->options.arch);
	g_autofree char *path = g_build_filename(output, name, NULL);
	g_autofree char *store = g_path_get_dirname(composed->image);
	g_autofree char *root_hash_path = g_build_filename(store, "root-hash", NULL);
	g_autoptr(VarveCertificate) certificate = varve_certificate_load(certificate_path, error);

	if (!certificate || !varve_dir_make(output, 0755, error) ||
	    (!is_sealed(path, root_hash_path, certificate) &&
	     !seal(composer, composed, certificate, path, root_hash_path, error)))
		return FALSE;
	*ret_path = g_steal_pointer(&path);
	return TRUE;
}
