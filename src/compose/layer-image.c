/* From a staged root to the image of a layer. */
#include "compose/layer-image.h"

#include "base/error.h"
#include "compose/capabilities.h"
#include "compose/erofs-image.h"
#include "compose/extension.h"
#include "compose/layer-records.h"
#include "compose/tree.h"
#include "device/labels.h"

#include <string.h>
#include <sys/stat.h>

/* The suffixes of modules that finishing unpacked. */
static const char *const packed[] = { ".xz", ".zst", ".gz" };

/* Finishing moves a kernel from /boot to its modules. */
static char *path_of_kernel(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	if (g_strv_length(parts) != 5 || !g_str_has_prefix(path, "usr/lib/modules/") ||
	    strcmp(parts[4], "vmlinuz") != 0)
		return NULL;
	return g_strconcat("boot/vmlinuz-", parts[3], NULL);
}

/* Which package a path of the layer came from, also where finishing moved or unpacked it. */
static const VarvePackageFile *owner_of(GHashTable *owners, const char *path)
{
	static const char factory[] = "usr/share/factory/var/";
	const VarvePackageFile *file = g_hash_table_lookup(owners, path);
	g_autofree char *kernel = file ? NULL : path_of_kernel(path);

	if (!file && g_str_has_prefix(path, factory))
		file = g_hash_table_lookup(owners, path + strlen("usr/share/factory/"));
	if (kernel)
		file = g_hash_table_lookup(owners, kernel);
	for (gsize i = 0; !file && i < G_N_ELEMENTS(packed) && g_str_has_suffix(path, ".ko"); i++) {
		g_autofree char *name = g_strconcat(path, packed[i], NULL);

		file = g_hash_table_lookup(owners, name);
	}
	return file;
}

/* Returns: (caller unrefs) VarveTreeFile * → const VarvePackageFile *: before files are moved to
 * their places in an extension. */
static GHashTable *attribute(VarveTree *tree, const VarveInstalled *installed)
{
	const GPtrArray *files = varve_tree_files(tree);
	GHashTable *owned = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < files->len; i++) {
		VarveTreeFile *file = g_ptr_array_index(files, i);
		const VarvePackageFile *owner = owner_of(installed->owners, file->path.path);

		if (!owner)
			continue;
		varve_tree_set_package(tree, file, owner->package->nevra);
		g_hash_table_insert(owned, file, (gpointer)owner);
	}
	return owned;
}

static gboolean was_packed(const VarvePackageFile *owner)
{
	for (gsize i = 0; i < G_N_ELEMENTS(packed); i++) {
		g_autofree char *suffix = g_strconcat(".ko", packed[i], NULL);

		if (g_str_has_suffix(owner->path, suffix))
			return TRUE;
	}
	return FALSE;
}

/* What the build wrote over a package's file is no longer the package's: the table would name an
 * innocent. After the digests were taken. */
static void disown(VarveTree *tree, GHashTable *owned)
{
	const GPtrArray *files = varve_tree_files(tree);

	for (guint i = 0; i < files->len; i++) {
		VarveTreeFile *file = g_ptr_array_index(files, i);
		const VarvePackageFile *owner = g_hash_table_lookup(owned, file);
		g_autofree char *hex = NULL;

		if (!owner || S_ISDIR(file->path.mode))
			continue;
		if ((file->path.mode & S_IFMT) == (owner->mode & S_IFMT)) {
			if (S_ISLNK(owner->mode) && strcmp(owner->target, file->path.target) == 0)
				continue;
			hex = varve_digest_dup_hex(&file->path.digest);
			if (S_ISREG(owner->mode) && (was_packed(owner) || !*owner->digest ||
						     strcmp(owner->digest, hex) == 0))
				continue;
		}
		varve_tree_set_package(tree, file, "");
	}
}

static void set_string(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value ? value : "");
}

gboolean varve_layer_image_check_requires(const VarveManifest *manifest, const VarveManifest *base,
					  GError **error)
{
	g_autoptr(GHashTable) index = varve_capabilities_new();
	g_autoptr(GString) missing = g_string_new(NULL);

	varve_capabilities_add(index, base->provides);
	for (char **required = manifest->requires; *required; required++)
		if (!varve_capabilities_has(index, *required))
			g_string_append_printf(missing, "\n  %s", *required);
	if (!missing->len)
		return TRUE;
	return varve_fail(
		error, VARVE_ERROR_CONFLICT,
		"layer '%s': base '%s' does not provide what it requires:%s\nadd the package "
		"that provides it to one of their package sets",
		manifest->name, base->name, missing->str);
}

static VarveManifest *make_manifest(const VarveLayerImage *image)
{
	VarveManifest *manifest = varve_manifest_new();
	g_autofree char *support_end = varve_edition_support_end(image->definition, image->edition);
	GHashTableIter iter;
	gpointer kind, digest;

	set_string(&manifest->name, image->layer->name);
	set_string(&manifest->version, image->version);
	set_string(&manifest->arch, image->arch->name);
	set_string(&manifest->os_id, image->definition->os.id);
	set_string(&manifest->os_version_id, image->definition->os.version_id);
	set_string(&manifest->support_end, support_end);
	manifest->rollback_index = image->layer->rollback_index;
	manifest->role = image->layer->role;
	g_strfreev(manifest->restart);
	manifest->restart = g_strdupv((char **)image->layer->restart);
	g_strfreev(manifest->reload);
	manifest->reload = g_strdupv((char **)image->layer->reload);
	g_strfreev(manifest->ask);
	manifest->ask = g_strdupv((char **)image->layer->ask);
	for (gsize i = 0; i < image->layer->n_checks; i++) {
		const VarveCheckDefinition *check = &image->layer->checks[i];

		g_ptr_array_add(manifest->checks,
				varve_manifest_check_new(check->unit ? check->unit : "",
							 check->command, check->timeout));
	}
	for (guint i = 0; i < image->installed->packages->len; i++)
		g_ptr_array_add(
			manifest->packages,
			varve_package_to_manifest(g_ptr_array_index(image->installed->packages, i),
						  image->upstream));
	varve_manifest_sort(manifest);
	g_hash_table_iter_init(&iter, image->inputs);
	while (g_hash_table_iter_next(&iter, &kind, &digest))
		g_hash_table_replace(manifest->inputs, g_strdup(kind), g_strdup(digest));
	varve_capabilities_set(manifest, image->installed->packages);
	return manifest;
}

gboolean varve_layer_image_make(const VarveLayerImage *image, const char *path,
				VarveManifest **ret_manifest, GError **error)
{
	const VarveErofsOptions erofs = { .epoch = image->definition->os.released_time };
	g_autoptr(VarveTree) tree = varve_tree_new();
	g_autoptr(VarveManifest) manifest = make_manifest(image);
	g_autoptr(VarveLabels) labels = NULL;
	g_autoptr(GHashTable) owned = NULL;

	if (!varve_labels_open(image->base_root ? image->base_root : image->staged, &labels, error))
		return FALSE;
	if ((image->base && !varve_layer_image_check_requires(manifest, image->base, error)) ||
	    !varve_tree_scan(tree, image->staged, error))
		return FALSE;
	owned = attribute(tree, image->installed);
	if (image->layer->role != VARVE_ROLE_BASE) {
		const VarveExtension extension = {
			.definition = image->definition,
			.layer = image->layer,
			.arch = image->arch,
			.base_root = image->base_root,
		};

		if (!varve_extension_shape(tree, &extension, error))
			return FALSE;
	}
	if (!varve_layer_records_begin(tree, manifest, labels, image->definition->os.released_time,
				       error))
		return FALSE;
	disown(tree, owned);
	if (!varve_layer_records_finish(tree, manifest, labels, error) ||
	    !varve_erofs_image_make(tree, image->tools, &erofs, path, error))
		return FALSE;
	if (ret_manifest)
		*ret_manifest = g_steal_pointer(&manifest);
	return TRUE;
}
