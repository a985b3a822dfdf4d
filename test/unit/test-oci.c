#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "crypt/authority.h"
#include "crypt/sha256.h"
#include "image/export.h"
#include "layer/seal.h"

#include <string.h>
#include <sys/stat.h>

#define NAME "usr/share/F\xc5\x91.txt"

static void put(const char *dir, const char *path, const char *text, mode_t mode)
{
	g_autofree char *full = g_build_filename(dir, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(full, text, -1, NULL));
	g_assert_cmpint(chmod(full, mode), ==, 0);
}

static void run(const char *program, ...) G_GNUC_NULL_TERMINATED;
static void run(const char *program, ...)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	const char *word = program;
	va_list list;

	va_start(list, program);
	for (; word; word = va_arg(list, const char *))
		g_ptr_array_add(argv, (gpointer)word);
	va_end(list);
	g_ptr_array_add(argv, NULL);
	varve_process_run(&(VarveProcess){ .argv = (const char *const *)argv->pdata }, NULL,
			  &error);
	g_assert_no_error(error);
}

/* A tree with what tar has to carry, as a sealed layer. */
static char *make_layer(const char *dir)
{
	g_autofree char *tree = g_build_filename(dir, "tree", NULL);
	g_autofree char *one = g_build_filename(tree, "usr/bin/one", NULL);
	g_autofree char *two = g_build_filename(tree, "usr/bin/two", NULL);
	g_autofree char *bin = g_build_filename(tree, "bin", NULL);
	g_autofree char *erofs = g_build_filename(dir, "x.erofs", NULL);
	g_autofree char *key_path = g_build_filename(dir, "base.key", NULL);
	g_autofree char *certificate_path = g_build_filename(dir, "base.crt", NULL);
	char *layer = g_build_filename(dir, "base_1_x86-64.raw", NULL);
	g_autoptr(VarvePrivateKey) key = NULL;
	g_autoptr(VarveCertificate) certificate = NULL;
	g_autoptr(GError) error = NULL;

	put(tree, "usr/bin/one", "a program", 0755);
	put(tree, NAME, "its name is not ASCII", 0640);
	put(tree, "usr/lib/empty", "", 0600);
	g_assert_cmpint(link(one, two), ==, 0);
	g_assert_cmpint(symlink("usr/bin", bin), ==, 0);
	run("mkfs.erofs", "-T1700000000", "--all-root", erofs, tree, NULL);
	g_assert_true(varve_authority_make(dir, "base", NULL));
	key = varve_private_key_load(key_path, NULL);
	certificate = varve_certificate_load(certificate_path, NULL);
	varve_layer_seal(erofs, varve_arch_find("x86-64"), "base", "1", key, certificate, layer,
			 NULL, &error);
	g_assert_no_error(error);
	return layer;
}

static char *export(const char *dir, const char *layer, const char *name)
{
	char *path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;

	varve_export_oci(&(VarveOci){ .arch = varve_arch_find("x86-64"),
				      .reference = "base:1",
				      .epoch = 1700000000 },
			 layer, path, &error);
	g_assert_no_error(error);
	return path;
}

/* The blob that @descriptor names, checked against digest and size. Returns its path. */
static char *find_blob(const char *dir, const json_t *descriptor)
{
	const char *digest = json_string_value(json_object_get(descriptor, "digest"));
	char *path = g_build_filename(dir, "blobs/sha256", digest + strlen("sha256:"), NULL);
	g_autofree char *hex = NULL;
	g_autofree char *data = NULL;
	VarveDigest found;
	gsize size;

	g_assert_true(g_file_get_contents(path, &data, &size, NULL));
	varve_sha256(data, size, &found);
	hex = varve_digest_dup_hex(&found);
	g_assert_cmpstr(hex, ==, digest + strlen("sha256:"));
	g_assert_cmpint((gint64)size, ==, json_integer_value(json_object_get(descriptor, "size")));
	return path;
}

static json_t *read_json(const char *path)
{
	g_autofree char *text = NULL;
	gsize size;
	g_autoptr(GError) error = NULL;
	json_t *object;

	g_assert_true(g_file_get_contents(path, &text, &size, NULL));
	object = varve_json_parse(text, size, path, &error);
	g_assert_no_error(error);
	return object;
}

static void check_file(const char *dir, const char *path, const char *text, mode_t mode)
{
	g_autofree char *full = g_build_filename(dir, path, NULL);
	g_autofree char *found = NULL;
	struct stat st;

	g_assert_cmpint(lstat(full, &st), ==, 0);
	g_assert_cmpint(st.st_mode, ==, S_IFREG | mode);
	g_assert_cmpint(st.st_mtime, ==, 1700000000);
	g_assert_true(g_file_get_contents(full, &found, NULL, NULL));
	g_assert_cmpstr(found, ==, text);
}

static void check_layout(const char *dir, const char *archive)
{
	g_autofree char *layout = g_build_filename(dir, "layout", NULL);
	g_autofree char *root = g_build_filename(dir, "root", NULL);
	g_autofree char *index_path = g_build_filename(layout, "index.json", NULL);
	g_autofree char *manifest_path = NULL, *config_path = NULL, *layer_path = NULL;
	g_autofree char *link = g_build_filename(root, "bin", NULL);
	g_autofree char *target = NULL;
	g_autoptr(json_t) index = NULL, manifest = NULL, config = NULL;

	g_assert_true(varve_dir_make(layout, 0755, NULL));
	g_assert_true(varve_dir_make(root, 0755, NULL));
	run("tar", "-xf", archive, "-C", layout, NULL);
	index = read_json(index_path);
	manifest_path = find_blob(layout, json_array_get(json_object_get(index, "manifests"), 0));
	manifest = read_json(manifest_path);
	config_path = find_blob(layout, json_object_get(manifest, "config"));
	config = read_json(config_path);
	g_assert_cmpstr(json_string_value(json_object_get(config, "architecture")), ==, "amd64");
	layer_path = find_blob(layout, json_array_get(json_object_get(manifest, "layers"), 0));
	run("tar", "-xpzf", layer_path, "--no-same-owner", "-C", root, NULL);
	check_file(root, "usr/bin/one", "a program", 0755);
	check_file(root, "usr/bin/two", "a program", 0755);
	check_file(root, NAME, "its name is not ASCII", 0640);
	check_file(root, "usr/lib/empty", "", 0600);
	target = g_file_read_link(link, NULL);
	g_assert_cmpstr(target, ==, "usr/bin");
}

static void test_layout(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-oci-XXXXXX", NULL);
	g_autofree char *mkfs = g_find_program_in_path("mkfs.erofs");
	g_autofree char *layer = NULL, *first = NULL, *second = NULL;
	g_autofree char *a = NULL, *b = NULL;
	gsize a_size, b_size;
	g_autoptr(GError) error = NULL;

	if (!mkfs) {
		g_test_skip("mkfs.erofs is not installed");
		g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
		return;
	}
	layer = make_layer(dir);
	first = export(dir, layer, "first.tar");
	second = export(dir, layer, "second.tar");
	g_assert_true(g_file_get_contents(first, &a, &a_size, NULL));
	g_assert_true(g_file_get_contents(second, &b, &b_size, NULL));
	g_assert_cmpmem(a, a_size, b, b_size);
	check_layout(dir, first);
	/* What is no layer leaves nothing behind. */
	g_assert_false(
		varve_export_oci(&(VarveOci){ .arch = varve_arch_native(), .reference = "x" },
				 first, second, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/oci/layout", test_layout);
	return g_test_run();
}
