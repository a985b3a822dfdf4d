#include "image/module-index.h"

#include "base/error.h"
#include "base/file.h"
#include "image/base-tree.h"

#include <gio/gio.h>
#include <string.h>

#define VERSION "6.12.0-test"
#define DIRECTORY "usr/lib/modules/" VERSION

static char *make_tree(void)
{
	g_autofree char *tree = g_dir_make_tmp("varve-modules-XXXXXX", NULL);
	g_autofree char *directory = g_build_filename(tree, DIRECTORY "/kernel", NULL);

	g_assert_true(varve_dir_make(directory, 0755, NULL));
	return g_steal_pointer(&tree);
}

static void put(const char *tree, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(tree, DIRECTORY, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* What is required, in order, as "a b c" of the names; NULL where @wanted fails with @ret_code. */
static char *order(const char *tree, const char *const *wanted, int *ret_code)
{
	varve_autofd fd = varve_base_tree_open(tree, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveModuleIndex) index = varve_module_index_open(fd, VERSION, &error);
	g_autoptr(GString) list = g_string_new(NULL);

	for (; index && !error && *wanted; wanted++)
		varve_module_index_require(index, *wanted, &error);
	if (error) {
		g_assert_cmpuint(error->domain, ==, VARVE_ERROR);
		*ret_code = error->code;
		return NULL;
	}
	for (guint i = 0; i < varve_module_index_order(index)->len; i++) {
		const char *path = g_ptr_array_index(varve_module_index_order(index), i);

		g_assert_true(g_str_has_prefix(path, DIRECTORY "/kernel/"));
		g_string_append_printf(list, "%s%s", i ? " " : "",
				       path + strlen(DIRECTORY "/kernel/"));
	}
	return g_string_free(g_steal_pointer(&list), FALSE);
}

static void check(const char *tree, const char *wanted, const char *expected)
{
	g_auto(GStrv) words = g_strsplit(wanted, " ", -1);
	int code = -1;
	g_autofree char *found = order(tree, (const char *const *)words, &code);

	g_assert_cmpint(code, ==, -1);
	g_assert_cmpstr(found, ==, expected);
}

static void check_fails(const char *tree, const char *wanted, VarveError code)
{
	g_auto(GStrv) words = g_strsplit(wanted, " ", -1);
	int found = -1;
	g_autofree char *none = order(tree, (const char *const *)words, &found);

	g_assert_null(none);
	g_assert_cmpint(found, ==, code);
}

static void test_order(void)
{
	g_autofree char *tree = make_tree();

	put(tree, "modules.dep",
	    "kernel/dm-verity.ko.xz: kernel/dm-bufio.ko.xz kernel/dm-mod.ko.xz kernel/rs.ko.xz\n"
	    "kernel/dm-bufio.ko.xz: kernel/dm-mod.ko.xz\n"
	    "kernel/dm-mod.ko.xz:\n"
	    "kernel/rs.ko.xz:\n"
	    "kernel/crc_intel.ko.xz:\n"
	    "kernel/libcrc.ko.xz:\n"
	    "kernel/erofs.ko.xz: kernel/libcrc.ko.xz\n"
	    "kernel/late.ko.xz:\n");
	put(tree, "modules.builtin", "kernel/fs/ext4/ext4.ko\nkernel/crypto/sha256-generic.ko\n");
	put(tree, "modules.softdep",
	    "# comment\nsoftdep libcrc pre: crc32c nothing-like-this\n"
	    "softdep erofs post: late erofs\nsoftdep late pre: erofs\nsoftdep rs odd\n");
	put(tree, "modules.alias",
	    "alias crypto-crc32c crc_intel\nalias crc32c crc_intel\n"
	    "alias pci:v* dm_mod\nalias crypto-sha256 sha256_generic\n");
	check(tree, "dm-verity", "rs.ko.xz dm-mod.ko.xz dm-bufio.ko.xz dm-verity.ko.xz");
	check(tree, "dm_verity dm_mod", "rs.ko.xz dm-mod.ko.xz dm-bufio.ko.xz dm-verity.ko.xz");
	/* Soft dependencies before and after; those that are not there, or lead back, are no error.
	 */
	check(tree, "erofs", "crc_intel.ko.xz libcrc.ko.xz erofs.ko.xz late.ko.xz");
	check(tree, "crypto-crc32c", "crc_intel.ko.xz");
	check(tree, "ext4 crypto-sha256 rs", "rs.ko.xz");
	check_fails(tree, "rs nothing", VARVE_ERROR_NOT_FOUND);
	check_fails(tree, "pci:v00001AF4", VARVE_ERROR_NOT_FOUND);
	g_assert_true(varve_dir_remove(AT_FDCWD, tree, NULL));
}

static void test_should_fail(void)
{
	g_autofree char *tree = make_tree();

	check_fails(tree, "a", VARVE_ERROR_NOT_FOUND); /* no modules.dep */
	put(tree, "modules.dep", "kernel/a.ko: kernel/b.ko\nkernel/b.ko: kernel/a.ko\n");
	check_fails(tree, "a", VARVE_ERROR_CORRUPT);
	put(tree, "modules.dep", "kernel/a.ko: kernel/c.ko\n");
	check_fails(tree, "a", VARVE_ERROR_CORRUPT);
	put(tree, "modules.dep", "kernel/a.ko\n");
	check_fails(tree, "a", VARVE_ERROR_CORRUPT);
	g_assert_true(varve_dir_remove(AT_FDCWD, tree, NULL));
}

static void gzip(const char *path, const char *text, gsize size)
{
	g_autoptr(GFile) file = g_file_new_for_path(path);
	g_autoptr(GZlibCompressor) zlib = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6);
	g_autoptr(GFileOutputStream) out = g_file_replace(file, NULL, FALSE, 0, NULL, NULL);
	g_autoptr(GOutputStream) packed =
		g_converter_output_stream_new(G_OUTPUT_STREAM(out), G_CONVERTER(zlib));

	g_assert_true(g_output_stream_write_all(packed, text, size, NULL, NULL, NULL));
	g_assert_true(g_output_stream_close(packed, NULL, NULL));
}

static void check_read_fails(int fd, const char *path, VarveError code)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *plain = NULL;

	g_assert_null(varve_module_read(fd, path, &plain, &error));
	g_assert_error(error, VARVE_ERROR, (gint)code);
	g_assert_null(plain);
}

static void test_read(void)
{
	static const char elf[] = "\177ELF and the rest of it";
	g_autofree char *tree = make_tree();
	g_autofree char *packed = g_build_filename(tree, DIRECTORY, "kernel", "a.ko.gz", NULL);
	g_autofree char *other = g_build_filename(tree, DIRECTORY, "kernel", "n.ko.gz", NULL);
	varve_autofd fd = varve_base_tree_open(tree, NULL);

	put(tree, "kernel/b.ko", elf);
	put(tree, "kernel/c.ko", "no module");
	put(tree, "kernel/d.ko.xz", "\3757zXZ and then rubbish");
	gzip(packed, elf, strlen(elf));
	gzip(other, "#!/bin/sh", 9);
	for (const char *const *name = (const char *const[]){ "a.ko.gz", "b.ko", NULL }; *name;
	     name++) {
		g_autofree char *path = g_build_filename(DIRECTORY, "kernel", *name, NULL);
		g_autofree char *plain = NULL;
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) bytes = varve_module_read(fd, path, &plain, &error);

		g_assert_no_error(error);
		g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), elf,
				strlen(elf));
		g_assert_true(g_str_has_suffix(plain, ".ko"));
	}
	check_read_fails(fd, DIRECTORY "/kernel/c.ko", VARVE_ERROR_CORRUPT);
	check_read_fails(fd, DIRECTORY "/kernel/d.ko.xz", VARVE_ERROR_CORRUPT);
	check_read_fails(fd, DIRECTORY "/kernel/n.ko.gz", VARVE_ERROR_CORRUPT);
	check_read_fails(fd, DIRECTORY "/kernel/e.ko", VARVE_ERROR_NOT_FOUND);
	g_assert_true(varve_dir_remove(AT_FDCWD, tree, NULL));
}

/* A link of the tree never leads out of it. */
static void test_links_stay_inside(void)
{
	g_autofree char *tree = make_tree();
	g_autofree char *link = g_build_filename(tree, "link", NULL);
	varve_autofd fd = varve_base_tree_open(tree, NULL);
	g_autofree char *resolved = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	put(tree, "passwd", "inside");
	g_assert_cmpint(symlink("/../../" DIRECTORY "/passwd", link), ==, 0);
	g_assert_true(varve_base_tree_resolve(fd, "link", &resolved, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(resolved, ==, DIRECTORY "/passwd");
	g_assert_true(varve_base_tree_read(fd, "/link", 100, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, "inside");
	g_assert_cmpint(unlink(link), ==, 0);
	g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
	g_assert_false(varve_base_tree_has(fd, "link"));
	g_assert_true(varve_dir_remove(AT_FDCWD, tree, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/module-index/order", test_order);
	g_test_add_func("/module-index/should-fail", test_should_fail);
	g_test_add_func("/module-index/read", test_read);
	g_test_add_func("/base-tree/links-stay-inside", test_links_stay_inside);
	return g_test_run();
}
