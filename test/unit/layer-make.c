#include "layer-make.h"

#include "base/file.h"
#include "crypt/sha256.h"
#include "tree-compare.h"

#include <string.h>

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static void add_package(VarveManifest *manifest, const char *name, const char *version)
{
	VarveManifestPackage *package = g_new0(VarveManifestPackage, 1);

	package->name = g_strdup(name);
	package->version = g_strdup(version);
	package->release = g_strdup("1");
	package->arch = g_strdup("x86_64");
	package->source = g_strdup_printf("%s-%s-1.src.rpm", name, version);
	package->license = g_strdup("MIT");
	package->vendor = g_strdup("Test");
	package->upstream = g_strdup("test");
	package->size = 1000;
	varve_sha256(version, strlen(version), &package->digest);
	g_ptr_array_add(manifest->packages, package);
}

VarveManifest *layer_manifest(const char *name, const char *version)
{
	VarveManifest *manifest = varve_manifest_new();

	set(&manifest->name, name);
	set(&manifest->version, version);
	set(&manifest->arch, "x86-64");
	set(&manifest->os_id, "varve");
	set(&manifest->os_version_id, "1");
	manifest->rollback_index = 1;
	manifest->role = VARVE_ROLE_EXTENSION;
	add_package(manifest, "libtest", "1.0");
	add_package(manifest, "test", version);
	return manifest;
}

void layer_put(const char *tree, const char *name, const char *text, mode_t mode)
{
	g_autofree char *path = g_build_filename(tree, name, NULL);
	g_autofree char *dir = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(dir, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, path, text, strlen(text), mode, NULL));
}

static GPtrArray *read_image(const char *image)
{
	varve_autofd fd = open(image, O_RDONLY | O_CLOEXEC);
	g_autoptr(VarveErofs) erofs = NULL;
	g_autoptr(GError) error = NULL;
	GPtrArray *paths;

	erofs = varve_erofs_open(fd, 0, (guint64)lseek(fd, 0, SEEK_END), "image", &error);
	g_assert_no_error(error);
	paths = varve_layer_tree_of(erofs, TRUE, &error);
	g_assert_no_error(error);
	return paths;
}

gboolean layer_make(const char *tree, VarveManifest *manifest, const VarvePrivateKey *key,
		    const VarveCertificate *certificate, const char *output, LayerTamper tamper)
{
	static const char *const options[] = { "-T0", "-U00000000-0000-0000-0000-000000000000",
					       NULL };
	g_autofree char *dir = g_build_filename(tree, VARVE_LAYERS_DIR, NULL);
	g_autofree char *stem = g_build_filename(dir, manifest->name, NULL);
	g_autofree char *json = g_strconcat(stem, ".json", NULL);
	g_autofree char *table = g_strconcat(stem, ".paths", NULL);
	g_autofree char *image = g_strconcat(tree, ".erofs", NULL);
	g_autoptr(GPtrArray) paths = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_dir_make(dir, 0755, NULL));
	unlink(json);
	unlink(table);
	if (!tree_mkfs(image, tree, options))
		return FALSE;
	paths = read_image(image);
	if (tamper)
		tamper(paths, manifest);
	bytes = varve_path_table_write(paths, &error);
	g_assert_no_error(error);
	varve_sha256(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &manifest->paths);
	text = varve_manifest_write(manifest);
	g_assert_true(g_file_set_contents(table, g_bytes_get_data(bytes, NULL),
					  (gssize)g_bytes_get_size(bytes), NULL));
	g_assert_true(g_file_set_contents(json, text, -1, NULL));
	g_assert_true(tree_mkfs(image, tree, options));
	varve_layer_seal(image, varve_arch_find("x86-64"), manifest->name, manifest->version, key,
			 certificate, output, NULL, &error);
	g_assert_no_error(error);
	return TRUE;
}
