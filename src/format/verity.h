/* dm-verity hash trees (Linux, admin-guide/device-mapper/verity; cryptsetup's on-disk superblock):
 * hash type 1, SHA-256, 4096-byte data and hash blocks, empty salt, zero UUID in the superblock. */
#pragma once

#include "base/digest.h"

#include <glib.h>

#define VARVE_VERITY_BLOCK 4096

/** varve_verity_size: bytes of superblock and tree for @blocks data blocks. */
guint64 varve_verity_size(guint64 blocks);

/**
 * varve_verity_write:
 * Reads @blocks data blocks at @data_offset of @data_fd and writes superblock and tree at
 * @hash_offset of @hash_fd (may be the same file), hashing on all cores.
 *
 * Errors: SYSTEM (read, write), CORRUPT (the data is shorter than @blocks).
 */
gboolean varve_verity_write(int data_fd, guint64 data_offset, guint64 blocks, int hash_fd,
			    guint64 hash_offset, VarveDigest *ret_root, GError **error);

/**
 * varve_verity_verify:
 * Hashes all data blocks and every level, on all cores, and compares with the stored tree and
 * @root. Needs no device-mapper.
 *
 * @hash_size: bytes of the hash partition; a tree that would not fit is CORRUPT.
 * @ret_bad_block: (nullable) set also on failure: the first data block that differs where that
 * is what is wrong, else G_MAXUINT64.
 *
 * Errors: CORRUPT, naming the first block that differs; SYSTEM.
 */
gboolean varve_verity_verify(int data_fd, guint64 data_offset, guint64 data_size, int hash_fd,
			     guint64 hash_offset, guint64 hash_size, const VarveDigest *root,
			     guint64 *ret_bad_block, GError **error);

typedef struct {
	guint64 data_blocks;
	guint64 hash_blocks; /* of the tree, without the superblock's block */
} VarveVeritySuperblock;

/** varve_verity_read_superblock: reads and checks one: only the form above is taken. */
gboolean varve_verity_read_superblock(int fd, guint64 hash_offset, VarveVeritySuperblock *ret,
				      GError **error);
