#include "base/error.h"
#include "crypt/sha256.h"
#include "format/verity.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK VARVE_VERITY_BLOCK

/* @blocks blocks, the first byte pair of each its number: what `veritysetup` was fed with too. */
static int make_data(guint64 blocks)
{
	int fd = memfd_create("verity", MFD_CLOEXEC);

	g_assert_cmpint(ftruncate(fd, (off_t)(blocks * BLOCK)), ==, 0);
	for (guint64 i = 0; i < blocks; i++) {
		guint8 number[2] = { i & 0xff, (i >> 8) & 0xff };

		g_assert_cmpint(pwrite(fd, number, 2, (off_t)(i * BLOCK)), ==, 2);
	}
	return fd;
}

static guint64 append_tree(int fd, guint64 blocks, VarveDigest *ret_root)
{
	g_autoptr(GError) error = NULL;

	varve_verity_write(fd, 0, blocks, fd, blocks * BLOCK, ret_root, &error);
	g_assert_no_error(error);
	return varve_verity_size(blocks);
}

static gboolean verify(int fd, guint64 blocks, guint64 size, const VarveDigest *root,
		       guint64 *ret_bad, GError **error)
{
	return varve_verity_verify(fd, 0, blocks * BLOCK, fd, blocks * BLOCK, size, root, ret_bad,
				   error);
}

/* Root hashes and SHA-256 of superblock and tree as `veritysetup format --salt=-
 * --uuid=00000000-0000-0000-0000-000000000000` (cryptsetup 2.6.1) makes them. */
static void test_golden(void)
{
	static const struct {
		guint64 blocks;
		const char *root, *tree;
	} cases[] = {
		{ 1, "ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85dabd8b48892ca7",
		  "25826ee5bc85f026eacfaa63ef944655ac26bc99ddb8a6b4bc435afc07f61e05" },
		{ 2, "f92ee626c329ac6003c22a70a104bf89d8d1a326ff913e648a44698b9ed65195",
		  "647fafcfacf04b2948268d43be254fb8e0430bfc4969a2650b6b74a00eaae858" },
		{ 128, "2c7b230a3e5d3960d3aa7ba13cf085b94af1280aa4e96fb5e799fd0d642abb0c",
		  "4f904788e0944a543c53800d3b32a572e6d57c66a71a171fe29f6af0dde0803d" },
		{ 129, "89cc567fe951297b2c88cc2ebdbf35afabdf58c8129bef1981b5cd3137fb6e51",
		  "a656f2acd967f84e61de27739f8eeec7c2763c13120d7445189fbe2bc4772534" },
		{ 16384, "ffc6c05d8a35a865e8d0496331cfb4cf04c65b9e38f908e81d75a4e925fdd59f",
		  "988dc2a79fc8c9104c1f09ab9c381799ec246a481244353ccb8e9336c5d0f86a" },
		{ 16385, "3a47772a5ddbd8d1d86d62c8e1134d1d9edc3c00014cc6cd2175fa12ff5736ed",
		  "046795ce8e78d3056690879f4cdfeca1fa68ad7fb30c865245c2bf9faca72ed3" },
		{ 40000, "d184e3c6ac043c657cdd33c89c7cc3a64fa369746ed3580cd00d54ead3f75cd5",
		  "8e5fab891432b4c891f9c2ca2607bea26582a02b75b978452a188c2ceee32a06" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint64 blocks = cases[i].blocks, size;
		int fd = make_data(blocks);
		g_autofree char *hex = NULL, *tree_hex = NULL, *tree = NULL;
		g_autoptr(GError) error = NULL;
		VarveVeritySuperblock superblock;
		VarveDigest root, digest;

		size = append_tree(fd, blocks, &root);
		hex = varve_digest_dup_hex(&root);
		g_assert_cmpstr(hex, ==, cases[i].root);
		tree = g_malloc0(size);
		/* One data block has no tree: only the superblock was written. */
		g_assert_cmpint(pread(fd, tree, size, (off_t)(blocks * BLOCK)), ==, (ssize_t)size);
		varve_sha256(tree, size, &digest);
		tree_hex = varve_digest_dup_hex(&digest);
		g_assert_cmpstr(tree_hex, ==, cases[i].tree);
		g_assert_true(verify(fd, blocks, size, &root, NULL, &error));
		g_assert_no_error(error);
		g_assert_true(varve_verity_read_superblock(fd, blocks * BLOCK, &superblock, NULL));
		g_assert_cmpuint(superblock.data_blocks, ==, blocks);
		g_assert_cmpuint((superblock.hash_blocks + 1) * BLOCK, ==, size);
		close(fd);
	}
}

static void flip(int fd, guint64 at)
{
	guint8 byte;

	g_assert_cmpint(pread(fd, &byte, 1, (off_t)at), ==, 1);
	byte ^= 0x10;
	g_assert_cmpint(pwrite(fd, &byte, 1, (off_t)at), ==, 1);
}

static void test_names_the_first_block_that_differs(void)
{
	const guint64 blocks = 3000;
	int fd = make_data(blocks);
	g_autoptr(GError) error = NULL;
	guint64 bad = 0, size;
	VarveDigest root;

	size = append_tree(fd, blocks, &root);
	flip(fd, 2999 * BLOCK + 4095);
	flip(fd, 1234 * BLOCK + 17);
	g_assert_false(verify(fd, blocks, size, &root, &bad, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_nonnull(strstr(error->message, "data block 1234 "));
	g_assert_cmpuint(bad, ==, 1234);
	flip(fd, 2999 * BLOCK + 4095);
	flip(fd, 1234 * BLOCK + 17);
	g_assert_true(verify(fd, blocks, size, &root, &bad, NULL));
	close(fd);
}

/* Every byte of every hash block counts, the padding at a level's end too. */
static void test_should_fail_changed_tree(void)
{
	const guint64 blocks = 300;
	int fd = make_data(blocks);
	guint64 bad = 0, size;
	VarveDigest root;

	size = append_tree(fd, blocks, &root);
	for (guint64 at = BLOCK; at < size; at += 31) {
		g_autoptr(GError) error = NULL;

		flip(fd, blocks * BLOCK + at);
		g_assert_false(verify(fd, blocks, size, &root, &bad, &error));
		g_assert_nonnull(strstr(error->message, "verity tree"));
		g_assert_cmpuint(bad, ==, G_MAXUINT64);
		flip(fd, blocks * BLOCK + at);
	}
	root.bytes[31] ^= 1;
	g_assert_false(verify(fd, blocks, size, &root, NULL, NULL));
	close(fd);
}

static void test_should_fail_truncated(void)
{
	const guint64 blocks = 300;
	int fd = make_data(blocks);
	g_autoptr(GError) error = NULL;
	VarveDigest root;
	guint64 size = append_tree(fd, blocks, &root);

	g_assert_false(verify(fd, blocks, size - BLOCK, &root, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_cmpint(ftruncate(fd, (off_t)(blocks * BLOCK + size - 1)), ==, 0);
	g_assert_false(verify(fd, blocks, size, &root, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_false(
		varve_verity_write(fd, 0, blocks * 2, fd, 4 * blocks * BLOCK, &root, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_false(varve_verity_write(fd, 0, 0, fd, 0, &root, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	close(fd);
}

static void test_should_fail_superblocks(void)
{
	/* version, hash type, UUID, algorithm, block sizes, number of blocks, salt, padding */
	static const guint64 offsets[] = { 0, 8, 12, 16, 31, 32, 65, 69, 79, 80, 88, 4095 };
	int fd = make_data(2);
	VarveVeritySuperblock superblock;
	VarveDigest root;

	append_tree(fd, 2, &root);
	for (size_t i = 0; i < G_N_ELEMENTS(offsets); i++) {
		flip(fd, 2 * BLOCK + offsets[i]);
		g_assert_false(varve_verity_read_superblock(fd, 2 * BLOCK, &superblock, NULL));
		flip(fd, 2 * BLOCK + offsets[i]);
	}
	g_assert_true(varve_verity_read_superblock(fd, 2 * BLOCK, &superblock, NULL));
	g_assert_false(varve_verity_read_superblock(fd, 100 * BLOCK, &superblock, NULL));
	close(fd);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verity/golden", test_golden);
	g_test_add_func("/verity/names-the-first-block-that-differs",
			test_names_the_first_block_that_differs);
	g_test_add_func("/verity/should-fail-changed-tree", test_should_fail_changed_tree);
	g_test_add_func("/verity/should-fail-truncated", test_should_fail_truncated);
	g_test_add_func("/verity/should-fail-superblocks", test_should_fail_superblocks);
	return g_test_run();
}
