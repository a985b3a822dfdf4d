/* From a staged root to the image of a layer. */
#include "compose/layer-image.h"

#include "audit/sbom.h"
#include "base/error.h"
#include "compose/erofs-image.h"
#include "compose/extension.h"
#include "compose/tree.h"
#include "crypt/sha256.h"
#include "device/labels.h"
#include "format/version.h"

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

static gint compare_strings(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, without doubles. */
static char **sorted_strings(GPtrArray *strings)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	const char *last = NULL;

	g_ptr_array_sort(strings, compare_strings);
	for (guint i = 0; i < strings->len; i++) {
		const char *string = g_ptr_array_index(strings, i);

		if (!last || strcmp(last, string) != 0)
			g_strv_builder_add(builder, string);
		last = string;
	}
	return g_strv_builder_end(builder);
}

/* The name in front of a capability's comparison. */
static char *capability_name(const char *capability)
{
	return g_strndup(capability, strcspn(capability, " "));
}

/* Capabilities by name, so that a requirement meets only those that could satisfy it. */
static GHashTable *index_capabilities(char **capabilities, GHashTable *index)
{
	for (char **capability = capabilities; *capability; capability++) {
		char *name = capability_name(*capability);
		GPtrArray *list = g_hash_table_lookup(index, name);

		if (!list) {
			list = g_ptr_array_new();
			g_hash_table_insert(index, name, list);
		} else {
			g_free(name);
		}
		g_ptr_array_add(list, *capability);
	}
	return index;
}

static gboolean is_provided(GHashTable *index, const char *required)
{
	g_autofree char *name = capability_name(required);
	const GPtrArray *list = g_hash_table_lookup(index, name);

	for (guint i = 0; list && i < list->len; i++)
		if (varve_capability_satisfies(g_ptr_array_index(list, i), required))
			return TRUE;
	return FALSE;
}

/* What the layer's packages need and do not bring themselves: what a node checks before a merge.
 * Rich requirements were decided by the solver and files are not capabilities: both stay out. */
static void set_capabilities(VarveManifest *manifest, const VarveInstalled *installed)
{
	g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							    (GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GPtrArray) provides = g_ptr_array_new(), requires = g_ptr_array_new();

	for (guint i = 0; i < installed->packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(installed->packages, i);

		for (char **capability = package->provides; *capability; capability++)
			g_ptr_array_add(provides, *capability);
		index_capabilities(package->provides, index);
	}
	for (guint i = 0; i < installed->packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(installed->packages, i);

		for (char **required = package->requires; *required; required++)
			if (**required != '(' && **required != '/' &&
			    !is_provided(index, *required))
				g_ptr_array_add(requires, *required);
	}
	g_strfreev(manifest->provides);
	manifest->provides = sorted_strings(provides);
	if (manifest->role == VARVE_ROLE_BASE)
		return; /* nothing lies below it; what was left out on purpose is not missed */
	g_strfreev(manifest->requires);
	manifest->requires = sorted_strings(requires);
}

static void set_string(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value ? value : "");
}

gboolean varve_layer_image_check_requires(const VarveManifest *manifest, const VarveManifest *base,
					  GError **error)
{
	g_autoptr(GHashTable) index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							    (GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GString) missing = g_string_new(NULL);

	index_capabilities(base->provides, index);
	for (char **required = manifest->requires; *required; required++)
		if (!is_provided(index, *required))
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
	set_capabilities(manifest, image->installed);
	return manifest;
}

/* Both bills of materials, the path table, and last the manifest that has the table's digest. */
static gboolean add_records(const VarveLayerImage *image, VarveTree *tree, GHashTable *owned,
			    const VarveLabels *labels, VarveManifest *manifest, GError **error)
{
	static const VarveSbomFormat formats[] = { VARVE_SBOM_SPDX, VARVE_SBOM_CYCLONEDX };
	g_autofree char *table_path = g_strdup_printf(VARVE_LAYERS_DIR "/%s.paths", manifest->name);
	g_autofree char *path = g_strdup_printf(VARVE_LAYERS_DIR "/%s.json", manifest->name);
	g_autoptr(GBytes) table = NULL;
	g_autofree char *text = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		g_autofree char *sbom =
			varve_sbom_write(manifest, formats[i], image->definition->os.released_time);
		g_autofree char *where = varve_sbom_path(manifest, formats[i]);

		varve_tree_add_text(tree, where, 0644, sbom);
	}
	varve_tree_add_directory(tree, VARVE_LAYERS_DIR);
	varve_tree_label(tree, labels);
	if (!varve_tree_digest(tree, error))
		return FALSE;
	disown(tree, owned);
	table = varve_tree_path_table(tree, error);
	if (!table)
		return FALSE;
	varve_sha256(g_bytes_get_data(table, NULL), g_bytes_get_size(table), &manifest->paths);
	text = varve_manifest_write(manifest);
	varve_tree_add_content(tree, table_path, 0644, table);
	varve_tree_add_text(tree, path, 0644, text);
	varve_tree_label(tree, labels);
	return TRUE;
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
	if (!add_records(image, tree, owned, labels, manifest, error) ||
	    !varve_erofs_image_make(tree, image->tools, &erofs, path, error))
		return FALSE;
	if (ret_manifest)
		*ret_manifest = g_steal_pointer(&manifest);
	return TRUE;
}
