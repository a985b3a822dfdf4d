/* EROFS: superblock, inodes and file data (Linux, filesystems/erofs; fs/erofs/erofs_fs.h is the
 * layout's definition). Directories, xattrs and the walk are in files of their own. */
#include "format/erofs-internal.h"

#include "format/bytes.h"
#include "format/crc32.h"
#include "ground/fd.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SUPERBLOCK_OFFSET 1024
#define SUPERBLOCK_SIZE 128
#define MAGIC 0xe0f5e1e2
#define COMPAT_CHECKSUM 0x1
/* Zero padding says something of compressed files only; chunks are read here. */
#define INCOMPAT_ZERO_PADDING 0x1
#define INCOMPAT_CHUNKED_FILE 0x4
#define INCOMPAT_KNOWN (INCOMPAT_ZERO_PADDING | INCOMPAT_CHUNKED_FILE)
#define SLOT 32 /* inodes lie at multiples of it */
#define COMPACT_SIZE 32
#define EXTENDED_SIZE 64
#define XATTR_HEADER_SIZE 12
#define LINK_MAX_SIZE 4095
#define CHUNK_BITS 0x1f
#define CHUNK_INDEXES 0x20
#define CHUNK_HOLE 0xffffffff

enum {
	SUPERBLOCK_CHECKSUM = 4,
	SUPERBLOCK_COMPAT = 8,
	SUPERBLOCK_BLOCK_BITS = 12,
	SUPERBLOCK_ROOT_NID = 14,
	SUPERBLOCK_BLOCKS = 36,
	SUPERBLOCK_META = 40,
	SUPERBLOCK_XATTR = 44,
	SUPERBLOCK_INCOMPAT = 80,
	SUPERBLOCK_EXTRA_DEVICES = 86,
	SUPERBLOCK_DIR_BLOCK_BITS = 90,
};

gboolean varve_erofs_read_raw(const VarveErofs *erofs, guint64 at, void *buffer, size_t size,
			      GError **error)
{
	guint64 end;
	ssize_t n;

	if (__builtin_add_overflow(at, size, &end) || end > erofs->size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: EROFS: %zu bytes at %" G_GUINT64_FORMAT
				  " lie outside of the image of %" G_GUINT64_FORMAT,
				  erofs->name, size, at, erofs->size);
	n = varve_fd_read_full(erofs->fd, buffer, size, (off_t)(erofs->offset + at));
	if (n < 0)
		return varve_fail_errno(error, errno, "%s: read at byte %" G_GUINT64_FORMAT,
					erofs->name, erofs->offset + at);
	if ((size_t)n != size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: EROFS: the file ends at byte %" G_GUINT64_FORMAT
				  ", the image needs more: it is truncated",
				  erofs->name, erofs->offset + at + (guint64)n);
	return TRUE;
}

gboolean varve_erofs_read_meta(VarveErofs *erofs, guint64 at, void *buffer, size_t size,
			       GError **error)
{
	uint8_t *to = buffer;

	while (size > 0) {
		guint64 block = at / EROFS_BLOCK;
		size_t within = at % EROFS_BLOCK, n = MIN(size, EROFS_BLOCK - within);
		guint slot = (guint)(block % EROFS_CACHE_SLOTS);
		uint8_t *cached = erofs->cache + (size_t)slot * EROFS_BLOCK;

		if (erofs->cached[slot] != block + 1) {
			erofs->cached[slot] = 0;
			if (block >= erofs->blocks)
				return varve_fail(error, VARVE_ERROR_CORRUPT,
						  "%s: EROFS: metadata in block %" G_GUINT64_FORMAT
						  ", the image has %" G_GUINT64_FORMAT,
						  erofs->name, block, erofs->blocks);
			if (!varve_erofs_read_raw(erofs, block * EROFS_BLOCK, cached, EROFS_BLOCK,
						  error))
				return FALSE;
			erofs->cached[slot] = block + 1;
		}
		memcpy(to, cached + within, n);
		to += n;
		at += n;
		size -= n;
	}
	return TRUE;
}

/* The checksum covers the rest of the superblock's block, with its own field as zero. */
static gboolean check_checksum(const VarveErofs *erofs, uint8_t *rest, GError **error)
{
	guint32 stored = varve_get_le32(rest + SUPERBLOCK_CHECKSUM), found;

	varve_put_le32(rest + SUPERBLOCK_CHECKSUM, 0);
	found = varve_crc32c(UINT32_MAX, rest, EROFS_BLOCK - SUPERBLOCK_OFFSET);
	if (stored == found)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "%s: EROFS superblock: its checksum is %08x, expected %08x: it was "
			  "changed or damaged",
			  erofs->name, stored, found);
}

static gboolean check_features(const VarveErofs *erofs, const uint8_t *superblock, GError **error)
{
	guint32 incompat = varve_get_le32(superblock + SUPERBLOCK_INCOMPAT);

	if (superblock[SUPERBLOCK_BLOCK_BITS] != 12 || superblock[SUPERBLOCK_DIR_BLOCK_BITS] != 0)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: EROFS superblock: blocks of 2^%u bytes, directory blocks of "
				  "2^%u of them; expected 4096 bytes and one",
				  erofs->name, superblock[SUPERBLOCK_BLOCK_BITS],
				  superblock[SUPERBLOCK_DIR_BLOCK_BITS]);
	if (incompat & ~(guint32)INCOMPAT_KNOWN)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: EROFS superblock: features %#x that are not read here "
				  "(compression, long xattr prefixes, 48-bit addresses); make the "
				  "image without them, or mount it",
				  erofs->name, incompat & ~(guint32)INCOMPAT_KNOWN);
	if (varve_get_le16(superblock + SUPERBLOCK_EXTRA_DEVICES) != 0)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: EROFS superblock: its data are spread over other devices",
				  erofs->name);
	return TRUE;
}

VarveErofs *varve_erofs_open(int fd, guint64 offset, guint64 size, const char *name, GError **error)
{
	g_autoptr(VarveErofs) erofs = g_new0(VarveErofs, 1);
	uint8_t rest[EROFS_BLOCK - SUPERBLOCK_OFFSET];
	guint64 end;

	erofs->fd = fd;
	erofs->offset = offset;
	erofs->size = size;
	erofs->name = g_strdup(name);
	if (__builtin_add_overflow(offset, size, &end) || end > G_MAXINT64) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: EROFS: an image of %" G_GUINT64_FORMAT
			   " bytes at %" G_GUINT64_FORMAT " cannot be in a file",
			   name, size, offset);
		return NULL;
	}
	if (!varve_erofs_read_raw(erofs, SUPERBLOCK_OFFSET, rest, sizeof(rest), error))
		return NULL;
	if (varve_get_le32(rest) != MAGIC) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: no EROFS image: its magic number is missing at byte %d", name,
			   SUPERBLOCK_OFFSET);
		return NULL;
	}
	if ((varve_get_le32(rest + SUPERBLOCK_COMPAT) & COMPAT_CHECKSUM &&
	     !check_checksum(erofs, rest, error)) ||
	    !check_features(erofs, rest, error))
		return NULL;
	erofs->blocks = varve_get_le32(rest + SUPERBLOCK_BLOCKS);
	if (erofs->blocks == 0 || erofs->blocks > size / EROFS_BLOCK) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: EROFS superblock: %" G_GUINT64_FORMAT
			   " blocks, the image has %" G_GUINT64_FORMAT " bytes: it is truncated",
			   name, erofs->blocks, size);
		return NULL;
	}
	erofs->root_nid = varve_get_le16(rest + SUPERBLOCK_ROOT_NID);
	erofs->meta_offset = (guint64)varve_get_le32(rest + SUPERBLOCK_META) * EROFS_BLOCK;
	erofs->xattr_offset = (guint64)varve_get_le32(rest + SUPERBLOCK_XATTR) * EROFS_BLOCK;
	erofs->cache = g_malloc((gsize)EROFS_CACHE_SLOTS * EROFS_BLOCK);
	return g_steal_pointer(&erofs);
}

void varve_erofs_free(VarveErofs *erofs)
{
	if (!erofs)
		return;
	g_free(erofs->name);
	g_free(erofs->cache);
	g_free(erofs);
}

static guint64 n_blocks(guint64 size)
{
	return size / EROFS_BLOCK + (size % EROFS_BLOCK != 0);
}

/* Blocks before the inline part, which is what the last block would hold. */
static guint64 plain_blocks(const ErofsInode *inode)
{
	guint64 blocks = n_blocks(inode->size);

	return inode->layout == EROFS_FLAT_INLINE && blocks > 0 ? blocks - 1 : blocks;
}

static gboolean fail_inode(const VarveErofs *erofs, guint64 nid, GError **error, const char *what)
{
	return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: EROFS inode %" G_GUINT64_FORMAT ": %s",
			  erofs->name, nid, what);
}

static guint64 chunk_size(const ErofsInode *inode)
{
	return (guint64)EROFS_BLOCK << (inode->data & CHUNK_BITS);
}

static gboolean check_chunks(const VarveErofs *erofs, ErofsInode *inode, GError **error)
{
	guint unit = inode->data & CHUNK_INDEXES ? 8 : 4;
	guint64 chunks, end;

	if ((inode->data & 0xffff) & ~(CHUNK_BITS | CHUNK_INDEXES))
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: EROFS inode %" G_GUINT64_FORMAT ": chunk format %#x",
				  erofs->name, inode->nid, inode->data & 0xffff);
	inode->data &= 0xffff;
	inode->tail = (inode->tail + unit - 1) / unit * unit;
	chunks = inode->size / chunk_size(inode) + (inode->size % chunk_size(inode) != 0);
	if (__builtin_mul_overflow(chunks, unit, &end) ||
	    __builtin_add_overflow(end, inode->tail, &end) || end > erofs->size)
		return fail_inode(erofs, inode->nid, error,
				  "its table of chunks does not fit the image");
	return TRUE;
}

static gboolean check_extents(const VarveErofs *erofs, ErofsInode *inode, GError **error)
{
	guint64 blocks = plain_blocks(inode), end;

	if (inode->size > G_MAXINT64)
		return fail_inode(erofs, inode->nid, error, "it has more than 2^63 bytes");
	if (inode->layout == EROFS_CHUNK_BASED)
		return check_chunks(erofs, inode, error);
	if (blocks > 0 &&
	    (__builtin_add_overflow(blocks, inode->data, &end) || end > erofs->blocks))
		return fail_inode(erofs, inode->nid, error, "its data lie outside of the image");
	if (inode->layout == EROFS_FLAT_INLINE &&
	    inode->tail % EROFS_BLOCK + (inode->size - blocks * EROFS_BLOCK) > EROFS_BLOCK)
		return fail_inode(erofs, inode->nid, error, "its inline data cross a block");
	return TRUE;
}

static gboolean check_type(const VarveErofs *erofs, ErofsInode *inode, GError **error)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		break;
	case S_IFDIR:
		break;
	case S_IFLNK:
		if (inode->size == 0 || inode->size > LINK_MAX_SIZE)
			return fail_inode(erofs, inode->nid, error,
					  "a symbolic link without a target, or with one of more "
					  "than 4095 bytes");
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		inode->size = 0;
		return TRUE;
	default:
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: EROFS inode %" G_GUINT64_FORMAT ": mode %06o is of no type",
				  erofs->name, inode->nid, inode->mode);
	}
	return check_extents(erofs, inode, error);
}

static void parse_inode(const uint8_t *raw, gboolean extended, ErofsInode *ret)
{
	ret->mode = varve_get_le16(raw + 4);
	ret->data = varve_get_le32(raw + 16);
	if (extended) {
		ret->size = varve_get_le64(raw + 8);
		ret->uid = varve_get_le32(raw + 24);
		ret->gid = varve_get_le32(raw + 28);
		ret->nlink = varve_get_le32(raw + 44);
	} else {
		ret->nlink = varve_get_le16(raw + 6);
		ret->size = varve_get_le32(raw + 8);
		ret->uid = varve_get_le16(raw + 24);
		ret->gid = varve_get_le16(raw + 26);
	}
}

gboolean varve_erofs_inode(VarveErofs *erofs, guint64 nid, ErofsInode *ret, GError **error)
{
	ErofsInode inode = { .nid = nid };
	uint8_t raw[EXTENDED_SIZE];
	gboolean extended;
	guint16 format, count;

	if (nid > erofs->size / SLOT)
		return fail_inode(erofs, nid, error, "it lies outside of the image");
	inode.at = erofs->meta_offset + nid * SLOT;
	if (!varve_erofs_read_meta(erofs, inode.at, raw, COMPACT_SIZE, error))
		return FALSE;
	format = varve_get_le16(raw);
	extended = format & 1;
	inode.layout = format >> 1 & 7;
	if (format >> 4 || inode.layout > EROFS_CHUNK_BASED)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: EROFS inode %" G_GUINT64_FORMAT ": format %#x is unknown",
				  erofs->name, nid, format);
	inode.head_size = extended ? EXTENDED_SIZE : COMPACT_SIZE;
	if (extended && !varve_erofs_read_meta(erofs, inode.at, raw, EXTENDED_SIZE, error))
		return FALSE;
	if (inode.layout == EROFS_COMPRESSED_FULL || inode.layout == EROFS_COMPRESSED_COMPACT)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: EROFS inode %" G_GUINT64_FORMAT
				  ": compressed, which is read only by mounting",
				  erofs->name, nid);
	parse_inode(raw, extended, &inode);
	count = varve_get_le16(raw + 2);
	inode.xattr_size = count ? XATTR_HEADER_SIZE + (count - 1u) * 4 : 0;
	inode.tail = inode.at + inode.head_size + inode.xattr_size;
	if (!check_type(erofs, &inode, error))
		return FALSE;
	*ret = inode;
	return TRUE;
}

/* Where byte @from of a chunked file lies, or @ret_hole; @ret_left: bytes to the chunk's end. */
static gboolean find_chunk(const VarveErofs *erofs, const ErofsInode *inode, guint64 from,
			   guint64 *ret_at, gboolean *ret_hole, guint64 *ret_left, GError **error)
{
	gboolean indexes = (inode->data & CHUNK_INDEXES) != 0;
	guint unit = indexes ? 8 : 4;
	guint64 within = from % chunk_size(inode), block;
	uint8_t raw[8];

	if (!varve_erofs_read_raw(erofs, inode->tail + from / chunk_size(inode) * unit, raw, unit,
				  error))
		return FALSE;
	if (indexes && varve_get_le16(raw + 2) != 0)
		return fail_inode(erofs, inode->nid, error, "a chunk of another device");
	block = varve_get_le32(raw + (indexes ? 4 : 0));
	*ret_left = chunk_size(inode) - within;
	*ret_hole = block == CHUNK_HOLE;
	*ret_at = block * EROFS_BLOCK + within;
	return TRUE;
}

gboolean varve_erofs_read_data(const VarveErofs *erofs, const ErofsInode *inode, guint64 from,
			       void *buffer, size_t size, GError **error)
{
	guint64 plain = plain_blocks(inode) * EROFS_BLOCK;
	char *to = buffer;

	while (size > 0) {
		guint64 at, left;
		gboolean hole = FALSE;
		size_t n;

		if (inode->layout == EROFS_CHUNK_BASED) {
			if (!find_chunk(erofs, inode, from, &at, &hole, &left, error))
				return FALSE;
		} else if (from < plain) {
			at = (guint64)inode->data * EROFS_BLOCK + from;
			left = plain - from;
		} else {
			at = inode->tail + (from - plain);
			left = inode->size - from;
		}
		n = (size_t)MIN(size, left);
		if (hole)
			memset(to, 0, n);
		else if (!varve_erofs_read_raw(erofs, at, to, n, error))
			return FALSE;
		to += n;
		from += n;
		size -= n;
	}
	return TRUE;
}

gboolean varve_erofs_inode_has_block(const VarveErofs *erofs, const ErofsInode *inode,
				     guint64 block, guint64 *lookups)
{
	guint64 blocks = plain_blocks(inode);

	if (inode->size == 0)
		return FALSE;
	if (inode->layout != EROFS_CHUNK_BASED)
		return block >= inode->data && block - inode->data < blocks;
	for (guint64 from = 0; from < inode->size; from += chunk_size(inode)) {
		guint64 at, left;
		gboolean hole;

		if (*lookups == 0)
			return FALSE;
		(*lookups)--;
		if (!find_chunk(erofs, inode, from, &at, &hole, &left, NULL))
			return FALSE;
		at /= EROFS_BLOCK;
		if (!hole && block >= at &&
		    block - at < n_blocks(MIN(chunk_size(inode), inode->size - from)))
			return TRUE;
	}
	return FALSE;
}
