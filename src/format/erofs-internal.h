/* What the files of the EROFS reader share; nobody outside includes it. */
#pragma once

#include "base/error.h"
#include "format/erofs.h"

#define EROFS_BLOCK 4096
#define EROFS_CACHE_SLOTS 256

struct VarveErofs {
	int fd;
	guint64 offset; /* of the image in @fd */
	guint64 size;   /* bytes that may be looked at */
	char *name;
	guint64 blocks;
	guint64 root_nid;
	guint64 meta_offset;  /* of inode number 0 */
	guint64 xattr_offset; /* of shared xattr number 0 */
	/* Metadata blocks, direct-mapped; not for threads. */
	guint64 cached[EROFS_CACHE_SLOTS]; /* block number + 1 */
	uint8_t *cache;
};

typedef enum {
	EROFS_FLAT_PLAIN = 0,
	EROFS_COMPRESSED_FULL = 1,
	EROFS_FLAT_INLINE = 2,
	EROFS_COMPRESSED_COMPACT = 3,
	EROFS_CHUNK_BASED = 4,
} ErofsLayout;

/* An inode whose extents were checked: whatever is read through it lies in the image. */
typedef struct {
	guint64 nid;
	guint64 at;   /* bytes from the start of the image */
	guint64 tail; /* the same of what follows inode and xattrs: inline data, chunk table */
	ErofsLayout layout;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	guint32 nlink;
	guint64 size;
	guint32 data; /* first block, device number or chunk format */
	guint32 head_size;
	guint32 xattr_size;
} ErofsInode;

typedef struct {
	char *name;
	guint64 nid;
	guint8 type; /* EROFS_FT_… */
} ErofsEntry;

/* Reads @size bytes at @at from the image; not past its end. Thread-safe. */
gboolean varve_erofs_read_raw(const VarveErofs *erofs, guint64 at, void *buffer, size_t size,
			      GError **error);
/* The same through the cache, for small and near pieces; not thread-safe. */
gboolean varve_erofs_read_meta(VarveErofs *erofs, guint64 at, void *buffer, size_t size,
			       GError **error);

gboolean varve_erofs_inode(VarveErofs *erofs, guint64 nid, ErofsInode *ret, GError **error);

/* Reads @size bytes at @from of the file @inode; the caller stays within its size. Thread-safe. */
gboolean varve_erofs_read_data(const VarveErofs *erofs, const ErofsInode *inode, guint64 from,
			       void *buffer, size_t size, GError **error);

/* Entries without "." and "..", which are checked; an array of ErofsEntry that frees its names. */
GArray *varve_erofs_read_dir(const VarveErofs *erofs, const ErofsInode *dir, guint64 parent,
			     GError **error);

/* The extended attributes of @inode, sorted by name, in one block of memory (caller frees). */
gboolean varve_erofs_read_xattrs(VarveErofs *erofs, const ErofsInode *inode,
				 VarveXattr **ret_xattrs, size_t *ret_n, GError **error);

/* Whether block @block of the image holds data of @inode, inline ones not counted.
 * @lookups: how many chunks may still be looked up; FALSE when none is left. */
gboolean varve_erofs_inode_has_block(const VarveErofs *erofs, const ErofsInode *inode,
				     guint64 block, guint64 *lookups);
