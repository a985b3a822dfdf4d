/* dm-verity hash trees (Linux, admin-guide/device-mapper/verity; the superblock is cryptsetup's,
 * docs/on-disk-format-verity). The top level is stored first, level 0 (of the data) last. */
#include "format/verity.h"

#include "base/error.h"
#include "base/parallel.h"
#include "crypt/sha256.h"
#include "format/bytes.h"
#include "ground/fd.h"

#define BLOCK VARVE_VERITY_BLOCK
#define HASHES_PER_BLOCK (BLOCK / VARVE_DIGEST_SIZE)
#define LEVELS_MAX 8 /* 128^8 blocks are more than 2^64 bytes */
#define MAGIC "verity\0\0"

/* What one thread takes at a time, and what it reads at once: the latter stays in the second-level
 * cache between the copy out of the page cache and the hashing. Both are whole hash blocks. */
#define ITEM_BLOCKS 1024
#define READ_BLOCKS HASHES_PER_BLOCK

enum {
	SUPERBLOCK_VERSION = 8,
	SUPERBLOCK_HASH_TYPE = 12,
	SUPERBLOCK_ALGORITHM = 32,
	SUPERBLOCK_DATA_BLOCK_SIZE = 64,
	SUPERBLOCK_HASH_BLOCK_SIZE = 68,
	SUPERBLOCK_DATA_BLOCKS = 72,
	SUPERBLOCK_SALT_SIZE = 80,
};

typedef struct {
	guint levels;               /* 0 for one data block: its hash is the root */
	guint64 blocks[LEVELS_MAX]; /* hash blocks of each level, 0 is that of the data */
	guint64 start[LEVELS_MAX];  /* bytes from the superblock */
	guint64 total;              /* hash blocks */
} Tree;

/* The kernel's verity_ctr() rounds up in the same way. */
static void tree_layout(guint64 data_blocks, Tree *ret)
{
	guint64 at = BLOCK;

	*ret = (Tree){ 0 };
	for (guint64 n = data_blocks; n > 1 && ret->levels < LEVELS_MAX; ret->levels++) {
		n = n / HASHES_PER_BLOCK + (n % HASHES_PER_BLOCK != 0);
		ret->blocks[ret->levels] = n;
		ret->total += n;
	}
	for (guint i = ret->levels; i-- > 0;) {
		ret->start[i] = at;
		at += ret->blocks[i] * BLOCK;
	}
}

guint64 varve_verity_size(guint64 blocks)
{
	Tree tree;

	tree_layout(blocks, &tree);
	return (1 + tree.total) * BLOCK;
}

/* One pass over the blocks of @fd: each is hashed, and @digest is told. */
typedef struct {
	int fd;
	guint64 offset;
	guint64 blocks;
	const char *what; /* for messages */
	/* Gets the hashes of @n blocks from @first on; called from several threads. */
	gboolean (*digests)(gpointer data, guint64 first, const VarveDigest *digests, size_t n,
			    GError **error);
	gpointer data;
} Pass;

static gboolean hash_item(gsize index, gpointer data, GError **error)
{
	const Pass *pass = data;
	g_autoptr(VarveSha256) state = varve_sha256_new();
	g_autofree uint8_t *buffer = g_malloc((gsize)READ_BLOCKS * BLOCK);
	VarveDigest digests[READ_BLOCKS];
	guint64 first = (guint64)index * ITEM_BLOCKS;
	guint64 end = MIN(first + ITEM_BLOCKS, pass->blocks);

	for (; first < end; first += READ_BLOCKS) {
		size_t n = (size_t)MIN(READ_BLOCKS, end - first);
		guint64 at = pass->offset + first * BLOCK;
		ssize_t got = varve_fd_read_full(pass->fd, buffer, n * BLOCK, (off_t)at);

		if (got < 0)
			return varve_fail_errno(error, errno,
						"%s block %" G_GUINT64_FORMAT ": read", pass->what,
						first);
		if ((size_t)got != n * BLOCK)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s ends in block %" G_GUINT64_FORMAT
					  ", expected %" G_GUINT64_FORMAT
					  " blocks of 4096 bytes: it is truncated",
					  pass->what, first + (guint64)got / BLOCK, pass->blocks);
		for (size_t i = 0; i < n; i++) {
			varve_sha256_update(state, buffer + i * BLOCK, BLOCK);
			varve_sha256_finish(state, &digests[i]);
		}
		if (!pass->digests(pass->data, first, digests, n, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean run_pass(Pass *pass, GError **error)
{
	return varve_parallel((gsize)((pass->blocks + ITEM_BLOCKS - 1) / ITEM_BLOCKS), 0, hash_item,
			      pass, error);
}

typedef struct {
	int fd;
	guint64 offset; /* of the level that takes the hashes */
	VarveDigest root;
	gboolean to_root;
} Store;

static gboolean store_digests(gpointer data, guint64 first, const VarveDigest *digests, size_t n,
			      GError **error)
{
	Store *store = data;
	uint8_t block[BLOCK] = { 0 };

	if (store->to_root) {
		store->root = digests[0];
		return TRUE;
	}
	/* One read is one hash block, so the rest of the block is the padding at the level's end.
	 */
	G_STATIC_ASSERT(READ_BLOCKS == HASHES_PER_BLOCK);
	memcpy(block, digests, n * sizeof(*digests));
	if (varve_fd_pwrite_full(store->fd, block, BLOCK,
				 (off_t)(store->offset + first * VARVE_DIGEST_SIZE)) < 0)
		return varve_fail_errno(error, errno, "verity tree: write");
	return TRUE;
}

static void make_superblock(guint64 blocks, uint8_t block[BLOCK])
{
	memset(block, 0, BLOCK);
	memcpy(block, MAGIC, 8);
	varve_put_le32(block + SUPERBLOCK_VERSION, 1);
	varve_put_le32(block + SUPERBLOCK_HASH_TYPE, 1);
	memcpy(block + SUPERBLOCK_ALGORITHM, "sha256", 6);
	varve_put_le32(block + SUPERBLOCK_DATA_BLOCK_SIZE, BLOCK);
	varve_put_le32(block + SUPERBLOCK_HASH_BLOCK_SIZE, BLOCK);
	varve_put_le64(block + SUPERBLOCK_DATA_BLOCKS, blocks);
}

static gboolean write_superblock(int fd, guint64 offset, guint64 blocks, GError **error)
{
	uint8_t block[BLOCK];

	make_superblock(blocks, block);
	if (varve_fd_pwrite_full(fd, block, sizeof(block), (off_t)offset) < 0)
		return varve_fail_errno(error, errno, "verity superblock: write");
	return TRUE;
}

gboolean varve_verity_write(int data_fd, guint64 data_offset, guint64 blocks, int hash_fd,
			    guint64 hash_offset, VarveDigest *ret_root, GError **error)
{
	Pass pass = { .fd = data_fd, .offset = data_offset, .blocks = blocks, .what = "data" };
	Store store = { .fd = hash_fd };
	off_t data_end;
	Tree tree;

	if (blocks == 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity: no data, expected at least one block of 4096 bytes");
	/* Beforehand: a tree that is appended to the same file would make short data look whole. */
	data_end = lseek(data_fd, 0, SEEK_END);
	if (data_end < 0)
		return varve_fail_errno(error, errno, "verity: size of the data");
	if ((guint64)data_end < data_offset || ((guint64)data_end - data_offset) / BLOCK < blocks)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity: the data end at byte %lld, expected %" G_GUINT64_FORMAT
				  " blocks of 4096 bytes from %" G_GUINT64_FORMAT " on",
				  (long long)data_end, blocks, data_offset);
	tree_layout(blocks, &tree);
	pass.digests = store_digests;
	pass.data = &store;
	for (guint level = 0; level <= tree.levels; level++) {
		store.to_root = level == tree.levels;
		if (!store.to_root)
			store.offset = hash_offset + tree.start[level];
		if (!run_pass(&pass, error))
			return FALSE;
		pass = (Pass){ .fd = hash_fd,
			       .offset = store.offset,
			       .blocks = store.to_root ? 0 : tree.blocks[level],
			       .what = "verity tree",
			       .digests = store_digests,
			       .data = &store };
	}
	if (!write_superblock(hash_fd, hash_offset, blocks, error))
		return FALSE;
	*ret_root = store.root;
	return TRUE;
}

typedef struct {
	int fd;
	guint64 offset; /* of the level above, checked already; unused at the top */
	const VarveDigest *root;
	gboolean is_data;
	guint level;
	guint64 bad_block; /* atomic minimum: the first data block that differs */
} Check;

static gboolean fail_block(Check *check, guint64 block, GError **error)
{
	guint64 known = __atomic_load_n(&check->bad_block, __ATOMIC_RELAXED);

	if (!check->is_data)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "block %" G_GUINT64_FORMAT " of level %u of the verity tree does "
				  "not match %s: the tree was changed or damaged",
				  block, check->level,
				  check->root ? "the root hash" : "the level above");
	while (block < known &&
	       !__atomic_compare_exchange_n(&check->bad_block, &known, block, FALSE,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "data block %" G_GUINT64_FORMAT " (byte %" G_GUINT64_FORMAT
			  ") does not match %s: the data were changed or damaged",
			  block, block * BLOCK, check->root ? "the root hash" : "its verity tree");
}

static gboolean check_digests(gpointer data, guint64 first, const VarveDigest *digests, size_t n,
			      GError **error)
{
	Check *check = data;
	VarveDigest expected[HASHES_PER_BLOCK];
	guint64 at = check->offset + first * VARVE_DIGEST_SIZE;
	ssize_t got;

	if (check->root)
		return varve_digest_equal(check->root, &digests[0]) || fail_block(check, 0, error);
	got = varve_fd_read_full(check->fd, expected, n * sizeof(*expected), (off_t)at);
	if (got < 0)
		return varve_fail_errno(error, errno, "verity tree: read");
	if ((size_t)got != n * sizeof(*expected))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "verity tree: it is truncated");
	if (memcmp(expected, digests, n * sizeof(*expected)) == 0)
		return TRUE;
	for (size_t i = 0; i < n; i++) {
		if (!varve_digest_equal(&expected[i], &digests[i]))
			return fail_block(check, first + i, error);
	}
	return TRUE;
}

gboolean varve_verity_verify(int data_fd, guint64 data_offset, guint64 data_size, int hash_fd,
			     guint64 hash_offset, guint64 hash_size, const VarveDigest *root,
			     guint64 *ret_bad_block, GError **error)
{
	guint64 blocks = data_size / BLOCK;
	Tree tree;

	if (ret_bad_block)
		*ret_bad_block = G_MAXUINT64;
	if (blocks == 0 || data_size % BLOCK)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity: %" G_GUINT64_FORMAT
				  " bytes of data, expected a multiple of 4096",
				  data_size);
	tree_layout(blocks, &tree);
	if (hash_size / BLOCK < 1 + tree.total)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity: the tree of %" G_GUINT64_FORMAT
				  " data blocks has %" G_GUINT64_FORMAT
				  " bytes, its partition %" G_GUINT64_FORMAT,
				  blocks, (1 + tree.total) * BLOCK, hash_size);
	/* From the root down, so that what differs is named where it differs, not below. */
	for (guint level = tree.levels + 1; level-- > 0;) {
		gboolean is_data = level == 0, is_top = level == tree.levels;
		Check check = {
			.fd = hash_fd,
			.offset = is_top ? 0 : hash_offset + tree.start[level],
			.root = is_top ? root : NULL,
			.is_data = is_data,
			.level = is_data ? 0 : level - 1,
			.bad_block = G_MAXUINT64,
		};
		Pass pass = {
			.fd = is_data ? data_fd : hash_fd,
			.offset = is_data ? data_offset : hash_offset + tree.start[level - 1],
			.blocks = is_data ? blocks : tree.blocks[level - 1],
			.what = is_data ? "data" : "verity tree",
			.digests = check_digests,
			.data = &check,
		};

		if (!run_pass(&pass, error)) {
			if (ret_bad_block)
				*ret_bad_block = check.bad_block;
			return FALSE;
		}
	}
	return TRUE;
}

gboolean varve_verity_read_superblock(int fd, guint64 hash_offset, VarveVeritySuperblock *ret,
				      GError **error)
{
	uint8_t block[BLOCK], expected[BLOCK];
	ssize_t n = varve_fd_read_full(fd, block, sizeof(block), (off_t)hash_offset);
	char algorithm[33] = { 0 };
	guint64 blocks;
	Tree tree;

	if (n < 0)
		return varve_fail_errno(error, errno, "verity superblock: read");
	if ((size_t)n != sizeof(block) || memcmp(block, MAGIC, 8) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity superblock: not one: it does not start with 'verity'");
	memcpy(algorithm, block + SUPERBLOCK_ALGORITHM, 32);
	if (varve_get_le32(block + SUPERBLOCK_VERSION) != 1 ||
	    varve_get_le32(block + SUPERBLOCK_HASH_TYPE) != 1 || strcmp(algorithm, "sha256") != 0 ||
	    varve_get_le32(block + SUPERBLOCK_DATA_BLOCK_SIZE) != BLOCK ||
	    varve_get_le32(block + SUPERBLOCK_HASH_BLOCK_SIZE) != BLOCK ||
	    varve_get_le16(block + SUPERBLOCK_SALT_SIZE) != 0) {
		g_autofree char *shown = g_strescape(algorithm, NULL);

		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity superblock: version %u, type %u, %s, data blocks of %u, "
				  "hash blocks of %u, salt of %u bytes; expected version 1, type "
				  "1, sha256, 4096, 4096, 0",
				  varve_get_le32(block + SUPERBLOCK_VERSION),
				  varve_get_le32(block + SUPERBLOCK_HASH_TYPE), shown,
				  varve_get_le32(block + SUPERBLOCK_DATA_BLOCK_SIZE),
				  varve_get_le32(block + SUPERBLOCK_HASH_BLOCK_SIZE),
				  varve_get_le16(block + SUPERBLOCK_SALT_SIZE));
	}
	blocks = varve_get_le64(block + SUPERBLOCK_DATA_BLOCKS);
	if (blocks == 0 || blocks > G_MAXINT64 / BLOCK)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity superblock: %" G_GUINT64_FORMAT " data blocks", blocks);
	/* The root hash does not cover this block: it has one form, so that nothing hides in it. */
	make_superblock(blocks, expected);
	if (memcmp(block, expected, sizeof(block)) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity superblock: it has a UUID, or bytes in its padding; "
				  "expected zeros");
	tree_layout(blocks, &tree);
	*ret = (VarveVeritySuperblock){ .data_blocks = blocks, .hash_blocks = tree.total };
	return TRUE;
}
