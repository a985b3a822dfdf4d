/* The EROFS reader against mkfs.erofs's images, and against images with every kind of lie. */
#include "base/error.h"
#include "base/file.h"
#include "format/bytes.h"
#include "format/crc32.h"
#include "format/erofs.h"
#include "tree-compare.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

typedef struct {
	char *dir, *tree, *image;
} Fixture;

static gboolean fixture_make(Fixture *f, const char *const *options)
{
	f->dir = g_dir_make_tmp("varve-erofs-XXXXXX", NULL);
	f->tree = g_build_filename(f->dir, "tree", NULL);
	f->image = g_build_filename(f->dir, "image", NULL);
	g_assert_cmpint(mkdir(f->tree, 0755), ==, 0);
	tree_make(f->tree);
	if (tree_mkfs(f->image, f->tree, options))
		return TRUE;
	g_test_skip("mkfs.erofs is not installed, or does not know these options");
	return FALSE;
}

static void fixture_clear(Fixture *f)
{
	g_assert_true(varve_dir_remove(AT_FDCWD, f->dir, NULL));
	g_free(f->dir);
	g_free(f->tree);
	g_free(f->image);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static void test_same_as_the_tree(gconstpointer data)
{
	const char *const *options = data;
	g_auto(Fixture) f = { 0 };

	if (fixture_make(&f, options))
		tree_compare(f.image, f.tree);
}

static VarveErofs *open_image(int fd, GError **error)
{
	return varve_erofs_open(fd, 0, (guint64)lseek(fd, 0, SEEK_END), "image", error);
}

/* Looking for a damaged block reads bytes that nobody has verified: the work is bounded by the size
 * of the image, not by what it says of itself. */
static void test_find_block_ends(void)
{
	g_auto(Fixture) f = { 0 };
	g_autoptr(VarveErofs) erofs = NULL;
	g_autofree char *sparse = NULL, *found = NULL;
	g_autoptr(GError) error = NULL;
	varve_autofd fd = -1;
	gint64 since;

	if (!fixture_make(&f, (const char *[]){ "-T0", NULL }))
		return;
	sparse = g_build_filename(f.tree, "sparse", NULL);
	g_assert_true(g_file_set_contents(sparse, "", 0, NULL));
	g_assert_cmpint(truncate(sparse, 256 << 20), ==, 0);
	for (guint i = 0; i < 2000; i++) {
		g_autofree char *name = g_strdup_printf("%s-%u", sparse, i);

		g_assert_cmpint(link(sparse, name), ==, 0);
	}
	if (!tree_mkfs(f.image, f.tree, (const char *[]){ "--chunksize=4096", "-T0", NULL })) {
		g_test_skip("mkfs.erofs does not know --chunksize");
		return;
	}
	fd = open(f.image, O_RDONLY | O_CLOEXEC);
	erofs = open_image(fd, &error);
	g_assert_no_error(error);
	since = g_get_monotonic_time();
	found = varve_erofs_find_block(erofs, 0);
	g_assert_null(found);
	g_assert_cmpint(g_get_monotonic_time() - since, <, 20 * G_USEC_PER_SEC);
}

static void test_read_file(void)
{
	g_auto(Fixture) f = { 0 };
	g_autoptr(VarveErofs) erofs = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL, *expected = NULL, *path = NULL;
	g_auto(GStrv) names = NULL;
	varve_autofd fd = -1;
	gsize size, expected_size;

	if (!fixture_make(&f, (const char *[]){ "-T0", NULL }))
		return;
	fd = open(f.image, O_RDONLY | O_CLOEXEC);
	erofs = open_image(fd, &error);
	g_assert_no_error(error);
	g_assert_true(varve_erofs_read_file(erofs, "a/b/c/d/e/bottom", 77, &text, &size, &error));
	path = g_build_filename(f.tree, "a/b/c/d/e/bottom", NULL);
	g_assert_true(g_file_get_contents(path, &expected, &expected_size, NULL));
	g_assert_cmpmem(text, size, expected, expected_size);
	g_assert_false(varve_erofs_read_file(erofs, "a/b/c/d/e/bottom", 76, &text, &size, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_false(varve_erofs_read_file(erofs, "a/b/none", 76, &text, &size, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_false(varve_erofs_read_file(erofs, "link", 76, &text, &size, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_false(varve_erofs_read_file(erofs, "a.b/c", 76, &text, &size, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_true(varve_erofs_list(erofs, "a", &names, NULL));
	g_assert_cmpstr(names[0], ==, "b");
	g_assert_null(names[1]);
}

/* A small image made by hand, so that each field can be made to lie: a root with "a" (inline, 5
 * bytes), "d" (a directory with "x", the same inode as "a") and "l" (a link). */
enum { META = 4096, ROOT = META, FILE_A = META + 64, DIR_D = META + 128, LINK_L = META + 192 };
enum { ROOT_BLOCK = 2 * 4096, DIR_BLOCK = 3 * 4096, IMAGE = 4 * 4096 };

static void put_inode(guint8 *at, guint layout, guint16 mode, guint32 nlink, guint64 size,
		      guint32 block)
{
	varve_put_le16(at, (guint16)(layout << 1));
	varve_put_le16(at + 4, mode);
	varve_put_le16(at + 6, (guint16)nlink);
	varve_put_le32(at + 8, (guint32)size);
	varve_put_le32(at + 16, block);
}

typedef struct {
	guint64 nid;
	guint8 type;
	const char *name;
} Dirent;

static guint32 put_dir(guint8 *block, const Dirent *entries, size_t n)
{
	size_t at = n * 12;

	for (size_t i = 0; i < n; i++) {
		varve_put_le64(block + 12 * i, entries[i].nid);
		varve_put_le16(block + 12 * i + 8, (guint16)at);
		block[12 * i + 10] = entries[i].type;
		memcpy(block + at, entries[i].name, strlen(entries[i].name));
		at += strlen(entries[i].name);
	}
	return (guint32)at;
}

static void seal_superblock(guint8 *image)
{
	varve_put_le32(image + 1024 + 4, 0);
	varve_put_le32(image + 1024 + 4, varve_crc32c(UINT32_MAX, image + 1024, 4096 - 1024));
}

static guint8 *make_by_hand(void)
{
	const Dirent root[] = {
		{ 0, 2, "." }, { 0, 2, ".." }, { 2, 1, "a" }, { 4, 2, "d" }, { 6, 7, "l" },
	};
	const Dirent sub[] = { { 4, 2, "." }, { 0, 2, ".." }, { 2, 1, "x" } };
	guint8 *image = g_malloc0(IMAGE), *superblock = image + 1024;

	varve_put_le32(superblock, 0xe0f5e1e2);
	varve_put_le32(superblock + 8, 1);
	superblock[12] = 12;
	varve_put_le32(superblock + 36, IMAGE / 4096);
	varve_put_le32(superblock + 40, META / 4096);
	put_inode(image + ROOT, 0, S_IFDIR | 0755, 3, put_dir(image + ROOT_BLOCK, root, 5),
		  ROOT_BLOCK / 4096);
	put_inode(image + FILE_A, 2, S_IFREG | 0644, 2, 5, 0);
	memcpy(image + FILE_A + 32, "hello", 5);
	put_inode(image + DIR_D, 0, S_IFDIR | 0755, 2, put_dir(image + DIR_BLOCK, sub, 3),
		  DIR_BLOCK / 4096);
	put_inode(image + LINK_L, 2, S_IFLNK | 0777, 1, 1, 0);
	memcpy(image + LINK_L + 32, "a", 1);
	seal_superblock(image);
	return image;
}

static gboolean visit_nothing(const VarvePath *path, gpointer data, GError **error)
{
	(void)error;
	g_assert_nonnull(path->path);
	(*(guint *)data)++;
	return TRUE;
}

static gboolean walk_bytes(const guint8 *image, size_t size, guint *ret_n, GError **error)
{
	varve_autofd fd = memfd_create("erofs", MFD_CLOEXEC);
	g_autoptr(VarveErofs) erofs = NULL;

	g_assert_cmpint(pwrite(fd, image, size, 0), ==, (ssize_t)size);
	erofs = open_image(fd, error);
	return erofs && varve_erofs_walk(erofs, TRUE, visit_nothing, ret_n, error);
}

static void test_by_hand(void)
{
	g_autofree guint8 *image = make_by_hand();
	g_autoptr(GError) error = NULL;
	guint n = 0;

	walk_bytes(image, IMAGE, &n, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(n, ==, 5);
}

static void assert_corrupt(const guint8 *image, size_t size, const char *word)
{
	g_autoptr(GError) error = NULL;
	guint n = 0;

	g_assert_false(walk_bytes(image, size, &n, &error));
	g_assert_true(g_error_matches(error, VARVE_ERROR, VARVE_ERROR_CORRUPT) ||
		      g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED));
	if (!strstr(error->message, word))
		g_error("'%s' is not in: %s", word, error->message);
	g_assert_cmpuint(n, ==, 0);
}

static void test_should_fail_lies(void)
{
	/* Where, how many bytes, what, and a word of the sentence. */
	static const struct {
		size_t at;
		guint width;
		guint32 value;
		const char *word;
	} lies[] = {
		{ 1024, 4, 0, "no EROFS" },
		{ 1024 + 12, 1, 9, "blocks of 2^9" },
		{ 1024 + 80, 4, 0x10, "features 0x10" },
		{ 1024 + 36, 4, 5, "truncated" },
		{ 1024 + 40, 4, 77, "77" },
		{ 1024 + 14, 2, 2, "root is not a directory" },
		{ ROOT + 16, 4, 100, "outside of the image" },
		{ ROOT + 16, 4, 0xffffffff, "outside of the image" },
		{ ROOT + 8, 4, 0xffffffff, "outside of the image" },
		{ ROOT, 2, 0x10, "format 0x10" },
		{ FILE_A, 2, 1 << 1, "compressed" },
		{ FILE_A + 4, 2, 0644, "is of no type" },
		{ FILE_A + 4, 2, S_IFIFO | 0644, "another type" },
		{ FILE_A + 6, 2, 1, "second name" },
		{ FILE_A + 8, 4, 4096, "cross a block" },
		{ FILE_A + 2, 2, 0xffff, "xattrs" },
		{ LINK_L + 8, 4, 0, "without a target" },
		{ LINK_L + 8, 4, 2, "NUL in it" },
		{ LINK_L + 8, 4, 4096, "without a target" },
		/* Directories: a loop, '..' elsewhere, names. */
		{ DIR_BLOCK + 24, 4, 4, "another type" },
		{ DIR_BLOCK + 12, 4, 4, "leads to another" },
		{ DIR_BLOCK, 4, 0, "leads to another" },
		{ DIR_BLOCK + 8, 2, 35, "first name's offset" },
		{ DIR_BLOCK + 8, 2, 0, "first name's offset" },
		{ DIR_BLOCK + 24 + 8, 2, 4095, "name's offset" },
		{ DIR_BLOCK + 24 + 8, 2, 37, "no or more than 255" },
		{ DIR_BLOCK + 39, 1, '/', "slash" },
		{ DIR_BLOCK + 39, 1, 0, "no or more than 255" },
		{ DIR_BLOCK + 39, 1, '!', "not sorted" },
		{ ROOT_BLOCK + 63, 1, 'e', "not sorted" },
		{ ROOT_BLOCK + 24, 4, 0x7fffffff, "outside of the image" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
		g_autofree guint8 *image = make_by_hand();

		g_test_message("lie %zu: '%s'", i, lies[i].word);
		if (lies[i].width == 4)
			varve_put_le32(image + lies[i].at, lies[i].value);
		else if (lies[i].width == 2)
			varve_put_le16(image + lies[i].at, (guint16)lies[i].value);
		else
			image[lies[i].at] = (guint8)lies[i].value;
		seal_superblock(image);
		assert_corrupt(image, IMAGE, lies[i].word);
	}
}

static void test_should_fail_loop(void)
{
	g_autofree guint8 *image = make_by_hand();

	/* "d" is the root itself. */
	varve_put_le64(image + ROOT_BLOCK + 36, 0);
	assert_corrupt(image, IMAGE, "in two places");
}

static void test_should_fail_checksum_and_truncation(void)
{
	g_autofree guint8 *image = make_by_hand();

	for (size_t size = 0; size < IMAGE; size += 512)
		assert_corrupt(image, size, "image");
	image[1024 + 48] ^= 1;
	assert_corrupt(image, IMAGE, "checksum");
}

/* No single byte, whatever its value, makes the reader crash or hang. */
static void test_every_byte(void)
{
	g_autofree guint8 *image = make_by_hand();
	static const guint8 values[] = { 0, 1, 4, 0x7f, 0x80, 0xff };

	for (size_t at = META; at < META + 256; at++) {
		guint8 saved = image[at];

		for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
			guint n = 0;

			image[at] = values[i];
			walk_bytes(image, IMAGE, &n, NULL);
		}
		image[at] = saved;
	}
}

int main(int argc, char **argv)
{
	static const char *const plain[] = { "-T0", NULL };
	static const char *const extended[] = { "-Eforce-inode-extended", "-T7", NULL };
	static const char *const no_inline[] = { "-Enoinline_data", "-T0", NULL };
	static const char *const chunked[] = { "--chunksize=4096", "-T0", NULL };
	static const char *const large_chunks[] = { "--chunksize=65536", "-T0", NULL };
	static const char *const shared_xattrs[] = { "-x1", "-T0", NULL };

	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/erofs/plain", plain, test_same_as_the_tree);
	g_test_add_data_func("/erofs/extended", extended, test_same_as_the_tree);
	g_test_add_data_func("/erofs/no-inline", no_inline, test_same_as_the_tree);
	g_test_add_func("/erofs/find-block-ends", test_find_block_ends);
	g_test_add_data_func("/erofs/chunked", chunked, test_same_as_the_tree);
	g_test_add_data_func("/erofs/large-chunks", large_chunks, test_same_as_the_tree);
	g_test_add_data_func("/erofs/shared-xattrs", shared_xattrs, test_same_as_the_tree);
	g_test_add_func("/erofs/read-file", test_read_file);
	g_test_add_func("/erofs/by-hand", test_by_hand);
	g_test_add_func("/erofs/should-fail-lies", test_should_fail_lies);
	g_test_add_func("/erofs/should-fail-loop", test_should_fail_loop);
	g_test_add_func("/erofs/should-fail-checksum-and-truncation",
			test_should_fail_checksum_and_truncation);
	g_test_add_func("/erofs/every-byte", test_every_byte);
	return g_test_run();
}
