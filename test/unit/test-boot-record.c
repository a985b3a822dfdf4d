/* Where the parts of an image came from: a small base, its tree, a tools tree. */
#include "image/boot-record.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "image/initrd.h"
#include "layer-make.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *dir, *tree;
	VarveLayer *base;
	VarveTools *tools;
} Fixture;

static void put(const char *root, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(root, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void name_package(GPtrArray *paths, VarveManifest *manifest)
{
	const VarveManifestPackage *package = manifest->packages->pdata[0];
	g_autofree char *nevra = varve_manifest_package_nevra(package);

	for (guint i = 0; i < paths->len; i++) {
		VarvePath *path = paths->pdata[i];

		if (strcmp(path->path, "usr/bin/tool") == 0)
			path->package = g_intern_string(nevra);
	}
}

static VarveLayer *make_base(Fixture *fixture)
{
	g_autofree char *key_path = g_build_filename(fixture->dir, "base.key", NULL);
	g_autofree char *certificate_path = g_build_filename(fixture->dir, "base.crt", NULL);
	g_autofree char *file = g_build_filename(fixture->dir, "base.raw", NULL);
	g_autoptr(VarveManifest) manifest = layer_manifest("base", "1");
	g_autoptr(VarveCertificate) certificate = NULL;
	g_autoptr(VarvePrivateKey) key = NULL;

	g_assert_true(varve_authority_make(fixture->dir, "base", NULL));
	key = varve_private_key_load(key_path, NULL);
	certificate = varve_certificate_load(certificate_path, NULL);
	manifest->role = VARVE_ROLE_BASE;
	if (!layer_make(fixture->tree, manifest, key, certificate, file, name_package))
		return NULL;
	return varve_layer_open_path(file, NULL);
}

static gboolean set_up(Fixture *fixture)
{
	g_autofree char *tools = NULL;

	fixture->dir = g_dir_make_tmp("varve-record-XXXXXX", NULL);
	fixture->tree = g_build_filename(fixture->dir, "tree", NULL);
	tools = g_build_filename(fixture->dir, "tools/root", NULL);
	put(fixture->tree, "usr/bin/tool", "tool");
	put(fixture->tree, "usr/bin/other", "other");
	put(tools, "usr/lib/systemd/boot/efi/stub", "stub");
	fixture->tools = varve_tools_open(tools);
	fixture->base = make_base(fixture);
	return fixture->base != NULL;
}

static void tear_down(Fixture *fixture)
{
	varve_layer_free(fixture->base);
	varve_tools_free(fixture->tools);
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->dir, NULL));
	g_free(fixture->dir);
	g_free(fixture->tree);
}

static void check(VarveBootRecord *record, VarveBootOrigin origin, const char *from,
		  const char *text, VarveBootOrigin expected, const char *package)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	VarveBootFile *file = varve_boot_file_new("x", S_IFREG | 0644);
	g_autofree char *digest = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
	g_autofree char *found = NULL;

	varve_boot_record_part(record, origin, from, bytes, &file->part);
	found = varve_digest_dup_hex(&file->part.digest);
	g_assert_cmpstr(found, ==, digest);
	g_assert_cmpuint(file->part.size, ==, strlen(text));
	g_assert_cmpint((int)file->part.origin, ==, (int)expected);
	g_assert_cmpstr(file->part.package, ==, package);
	g_assert_cmpstr(file->part.from, ==, from);
	g_ptr_array_add(varve_boot_record_manifest(record)->files, file);
}

static void write_owner(const Fixture *fixture)
{
	g_autofree char *file = g_build_filename(fixture->dir, "tools", VARVE_TOOLS_OWNERS, NULL);
	g_autoptr(GHashTable) owners = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(VarveManifest) manifest = layer_manifest("x", "7");

	g_hash_table_insert(owners, (gpointer)VARVE_TOOLS_OWNED "stub",
			    manifest->packages->pdata[1]);
	g_assert_true(varve_tools_write_owners(file, owners, NULL));
}

static void test_origins(void)
{
	static const char stub[] = VARVE_TOOLS_OWNED "stub";
	g_autoptr(VarveBootRecord) record = NULL;
	g_autoptr(GError) error = NULL;
	Fixture fixture;

	if (!set_up(&fixture)) {
		tear_down(&fixture);
		g_test_skip("mkfs.erofs is not installed");
		return;
	}
	record = varve_boot_record_new(fixture.base, fixture.tools, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(varve_boot_record_manifest(record)->base_name, ==, "base");
	check(record, VARVE_BOOT_TREE, "usr/bin/tool", "tool", VARVE_BOOT_BASE,
	      "libtest-1.0-1.x86_64");
	check(record, VARVE_BOOT_TREE, "usr/bin/other", "other", VARVE_BOOT_BASE, "");
	/* The same path with other bytes, and one that the base does not have. */
	check(record, VARVE_BOOT_TREE, "usr/bin/tool", "changed", VARVE_BOOT_TREE, "");
	check(record, VARVE_BOOT_TREE, "usr/bin/none", "tool", VARVE_BOOT_TREE, "");
	check(record, VARVE_BOOT_HOST, "usr/bin/tool", "tool", VARVE_BOOT_HOST, "");
	check(record, VARVE_BOOT_GENERATED, "", "text", VARVE_BOOT_GENERATED, "");
	check(record, VARVE_BOOT_TOOLS, stub, "stub", VARVE_BOOT_TOOLS, "");
	write_owner(&fixture);
	check(record, VARVE_BOOT_TOOLS, stub, "stub", VARVE_BOOT_TOOLS, "test-7-1.x86_64");
	check(record, VARVE_BOOT_TOOLS, "usr/bin/sh", "sh", VARVE_BOOT_TOOLS, "");
	/* Each package once, however many files are its. */
	check(record, VARVE_BOOT_TOOLS, stub, "stub", VARVE_BOOT_TOOLS, "test-7-1.x86_64");
	g_assert_cmpuint(varve_boot_record_manifest(record)->packages->len, ==, 2);
	tear_down(&fixture);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/boot-record/origins", test_origins);
	return g_test_run();
}
