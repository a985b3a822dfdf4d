/* "newc" archives as the kernel unpacks them. */
#include "format/cpio.h"

#include "base/error.h"
#include "format/path.h"
#include "ground/fd.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <zstd.h>

#define TRAILER "TRAILER!!!"
#define CHUNK (128 * 1024)

/* How an entry came in, by path. */
typedef struct {
	mode_t mode; /* with the type */
	gboolean implied;
} Entry;

struct VarveCpio {
	int fd;
	ZSTD_CCtx *zstd; /* NULL: plain */
	guint8 *buffer;  /* of zstd's output */
	gint64 mtime;
	guint32 n_entries;
	guint64 written; /* to the fd */
	GHashTable *entries;
};

VarveCpio *varve_cpio_new(int fd, VarveCpioCompression compression, int level, gint64 mtime,
			  GError **error)
{
	g_autoptr(VarveCpio) cpio = g_new0(VarveCpio, 1);

	cpio->fd = fd;
	cpio->mtime = mtime;
	cpio->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (mtime < 0 || mtime > G_MAXUINT32) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "cpio archive: the format has no time %" G_GINT64_FORMAT, mtime);
		return NULL;
	}
	if (compression == VARVE_CPIO_PLAIN)
		return g_steal_pointer(&cpio);

	cpio->zstd = ZSTD_createCCtx();
	cpio->buffer = g_malloc(CHUNK);
	if (!cpio->zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cpio->zstd, ZSTD_c_compressionLevel,
						level ? level : VARVE_CPIO_ZSTD_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cpio->zstd, ZSTD_c_checksumFlag, 1))) {
		varve_fail(error, VARVE_ERROR_SYSTEM, "cpio archive: libzstd refuses level %d",
			   level);
		return NULL;
	}
	return g_steal_pointer(&cpio);
}

void varve_cpio_free(VarveCpio *cpio)
{
	if (!cpio)
		return;
	ZSTD_freeCCtx(cpio->zstd);
	g_free(cpio->buffer);
	g_hash_table_unref(cpio->entries);
	g_free(cpio);
}

static gboolean flush(VarveCpio *cpio, const void *data, size_t size, GError **error)
{
	if (varve_fd_write_full(cpio->fd, data, size) < 0)
		return varve_fail_errno(error, errno, "cannot write the cpio archive");
	cpio->written += size;
	return TRUE;
}

static gboolean emit(VarveCpio *cpio, const void *data, size_t size, gboolean last, GError **error)
{
	ZSTD_inBuffer input = { .src = data, .size = size };
	size_t left;

	if (!cpio->zstd)
		return flush(cpio, data, size, error);
	do {
		ZSTD_outBuffer output = { .dst = cpio->buffer, .size = CHUNK };

		left = ZSTD_compressStream2(cpio->zstd, &output, &input,
					    last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return varve_fail(error, VARVE_ERROR_SYSTEM,
					  "cannot compress the cpio archive: %s",
					  ZSTD_getErrorName(left));
		if (output.pos && !flush(cpio, cpio->buffer, output.pos, error))
			return FALSE;
	} while (input.pos < input.size || (last && left != 0));
	return TRUE;
}

/* Names (behind a header of 110 bytes) and contents end at a multiple of four. */
static gboolean emit_padding(VarveCpio *cpio, guint64 size, GError **error)
{
	return emit(cpio, "\0\0", (size_t)(-size & 3), FALSE, error);
}

static gboolean emit_header(VarveCpio *cpio, const char *path, mode_t mode, guint64 size,
			    dev_t device, GError **error)
{
	g_autofree char *header = NULL;
	guint32 inode = ++cpio->n_entries;
	size_t length = strlen(path) + 1;

	/* c_magic, ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor,
	 * rdevminor, namesize, check. */
	header = g_strdup_printf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
				 inode, (guint32)mode, 0u, 0u, S_ISDIR(mode) ? 2u : 1u,
				 (guint32)cpio->mtime, (guint32)size, 0u, 0u, major(device),
				 minor(device), (guint32)length, 0u);
	return emit(cpio, header, strlen(header), FALSE, error) &&
	       emit(cpio, path, length, FALSE, error) &&
	       emit_padding(cpio, strlen(header) + length, error);
}

static gboolean add_parents(VarveCpio *cpio, const char *path, GError **error)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		g_autofree char *parent = g_strndup(path, (gsize)(slash - path));
		const Entry *known = g_hash_table_lookup(cpio->entries, parent);
		Entry *entry;

		if (known && S_ISDIR(known->mode))
			continue;
		if (known)
			return varve_fail(
				error, VARVE_ERROR_CONFLICT,
				"cpio archive: '/%s' cannot be added: '/%s' is no directory", path,
				parent);
		if (!emit_header(cpio, parent, S_IFDIR | 0755, 0, 0, error))
			return FALSE;
		entry = g_new0(Entry, 1);
		*entry = (Entry){ .mode = S_IFDIR | 0755, .implied = TRUE };
		g_hash_table_insert(cpio->entries, g_steal_pointer(&parent), entry);
	}
	return TRUE;
}

/* Everything of an entry but its content. */
static gboolean add_entry(VarveCpio *cpio, const char *path, mode_t mode, guint64 size,
			  dev_t device, GError **error)
{
	Entry *entry = g_hash_table_lookup(cpio->entries, path);

	if (!*path || !varve_path_is_canonical(path) || strlen(path) >= PATH_MAX ||
	    strcmp(path, TRAILER) == 0)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "cpio archive: '%s' is no path relative to the root", path);
	if (size > G_MAXUINT32)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "cpio archive: '/%s' has %" G_GUINT64_FORMAT
				  " bytes; the format ends at 4 GiB",
				  path, size);
	if (entry && entry->implied && entry->mode == mode) {
		entry->implied = FALSE;
		return TRUE;
	}
	if (entry)
		return varve_fail(
			error, VARVE_ERROR_CONFLICT, "cpio archive: '/%s' was added before%s", path,
			entry->implied ? " as the parent of another path, with mode 0755" : "");
	if (!add_parents(cpio, path, error) || !emit_header(cpio, path, mode, size, device, error))
		return FALSE;
	entry = g_new0(Entry, 1);
	entry->mode = mode;
	g_hash_table_insert(cpio->entries, g_strdup(path), entry);
	return TRUE;
}

static gboolean add_content(VarveCpio *cpio, const char *path, mode_t mode, const void *data,
			    size_t size, GError **error)
{
	return add_entry(cpio, path, mode, size, 0, error) &&
	       emit(cpio, data, size, FALSE, error) && emit_padding(cpio, size, error);
}

gboolean varve_cpio_add_directory(VarveCpio *cpio, const char *path, mode_t mode, GError **error)
{
	return add_entry(cpio, path, S_IFDIR | (mode & 07777), 0, 0, error);
}

gboolean varve_cpio_add_file(VarveCpio *cpio, const char *path, mode_t mode, const void *data,
			     size_t size, GError **error)
{
	return add_content(cpio, path, S_IFREG | (mode & 07777), data, size, error);
}

gboolean varve_cpio_add_link(VarveCpio *cpio, const char *path, const char *target, GError **error)
{
	if (!*target || strlen(target) >= PATH_MAX)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "cpio archive: the link '/%s' has no target, or one that is too "
				  "long",
				  path);
	return add_content(cpio, path, S_IFLNK | 0777, target, strlen(target), error);
}

gboolean varve_cpio_add_node(VarveCpio *cpio, const char *path, mode_t mode, dev_t device,
			     GError **error)
{
	if (!S_ISCHR(mode) && !S_ISBLK(mode))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "cpio archive: '/%s' has mode %o, expected a device", path,
				  (unsigned)mode);
	return add_entry(cpio, path, mode & (S_IFMT | 07777), 0, device, error);
}

gboolean varve_cpio_add_fd(VarveCpio *cpio, const char *path, mode_t mode, int fd, GError **error)
{
	g_autofree char *buffer = g_malloc(CHUNK);
	struct stat status;

	if (fstat(fd, &status) < 0)
		return varve_fail_errno(error, errno, "cannot read what becomes '/%s'", path);
	if (!S_ISREG(status.st_mode))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "cpio archive: '/%s' does not come from a regular file", path);
	if (!add_entry(cpio, path, S_IFREG | (mode & 07777), (guint64)status.st_size, 0, error))
		return FALSE;
	for (off_t offset = 0; offset < status.st_size;) {
		size_t size = (size_t)MIN(status.st_size - offset, CHUNK);
		ssize_t got = varve_fd_read_full(fd, buffer, size, offset);

		if (got < 0)
			return varve_fail_errno(error, errno, "cannot read what becomes '/%s'",
						path);
		if ((size_t)got != size)
			return varve_fail(
				error, VARVE_ERROR_CORRUPT,
				"cpio archive: what becomes '/%s' shrank while it was read", path);
		if (!emit(cpio, buffer, size, FALSE, error))
			return FALSE;
		offset += got;
	}
	return emit_padding(cpio, (guint64)status.st_size, error);
}

gboolean varve_cpio_end(VarveCpio *cpio, guint64 *ret_size, GError **error)
{
	/* cpio(1) gives the trailer inode 0 (the next after this) and time 0: so do we. */
	cpio->n_entries = G_MAXUINT32;
	cpio->mtime = 0;
	if (!emit_header(cpio, TRAILER, 0, 0, 0, error) || !emit(cpio, "", 0, TRUE, error))
		return FALSE;
	if (ret_size)
		*ret_size = cpio->written;
	return TRUE;
}
