/* cpio "newc" through zstd. Names are "./usr/bin/x", as rpm writes them. */
#include "format/rpm-payload.h"

#include "base/error.h"
#include "crypt/sha256.h"
#include "ground/fd.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#define CHUNK_SIZE (256 * 1024)
/* Level 3 is what a repository on the builder's own disk wants: the payload is read once or twice,
 * and what travels to nodes is compressed anew. */
#define COMPRESSION_LEVEL 3

typedef struct {
	ZSTD_CCtx *zstd;
	VarveSha256 *compressed, *plain;
	guint8 *out;
	size_t out_size;
	int fd;
	VarveRpmPayload *payload;
} Stream;

static void clear_stream(Stream *stream)
{
	ZSTD_freeCCtx(stream->zstd);
	varve_sha256_free(stream->compressed);
	varve_sha256_free(stream->plain);
	g_free(stream->out);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stream, clear_stream)

static gboolean put(Stream *stream, const void *data, size_t size, ZSTD_EndDirective end,
		    GError **error)
{
	ZSTD_inBuffer in = { data, size, 0 };
	size_t left;

	if (size)
		varve_sha256_update(stream->plain, data, size);
	stream->payload->plain_size += size;
	do {
		ZSTD_outBuffer out = { stream->out, stream->out_size, 0 };

		left = ZSTD_compressStream2(stream->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return varve_fail(error, VARVE_ERROR_SYSTEM, "zstd: %s",
					  ZSTD_getErrorName(left));
		if (varve_fd_write_full(stream->fd, out.dst, out.pos) < 0)
			return varve_fail_errno(error, errno, "payload: cannot write");
		varve_sha256_update(stream->compressed, out.dst, out.pos);
		stream->payload->compressed_size += out.pos;
	} while (in.pos < in.size || (end == ZSTD_e_end && left));
	return TRUE;
}

static gboolean put_padding(Stream *stream, GError **error)
{
	static const char zeros[4] = { 0 };
	size_t over = stream->payload->plain_size % 4;

	return over ? put(stream, zeros, 4 - over, ZSTD_e_continue, error) : TRUE;
}

typedef struct {
	guint32 inode, mode, links, mtime, size, device;
} CpioEntry;

static gboolean put_header(Stream *stream, const char *name, const CpioEntry *entry, GError **error)
{
	char header[111];

	/* magic ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor
	 * namesize check: owners are named in the package's header, not here. */
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", entry->inode,
		 entry->mode, 0U, 0U, entry->links, entry->mtime, entry->size, 0U, 0U,
		 entry->device >> 8, entry->device & 0xff, (guint32)strlen(name) + 1, 0U);
	return put(stream, header, 110, ZSTD_e_continue, error) &&
	       put(stream, name, strlen(name) + 1, ZSTD_e_continue, error) &&
	       put_padding(stream, error);
}

/* Hashes the bytes of @file and, where @carries, puts them into the archive. */
static gboolean put_content(Stream *stream, const VarveRpmFile *file, gboolean carries,
			    VarveSha256 *sha, GError **error)
{
	g_autofree guint8 *chunk = g_malloc(CHUNK_SIZE);

	for (guint64 done = 0; done < file->size;) {
		size_t want = MIN(file->size - done, CHUNK_SIZE);
		ssize_t got =
			varve_fd_read_full(file->fd, chunk, want, (off_t)(file->offset + done));

		if (got < 0)
			return varve_fail_errno(error, errno, "%s: cannot read", file->path);
		if ((size_t)got < want)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: ends after %" G_GUINT64_FORMAT
					  " bytes, expected %" G_GUINT64_FORMAT,
					  file->path, done + (guint64)got, file->size);
		varve_sha256_update(sha, chunk, want);
		if (carries && !put(stream, chunk, want, ZSTD_e_continue, error))
			return FALSE;
		done += want;
	}
	return !carries || put_padding(stream, error);
}

static gboolean put_file(Stream *stream, const VarveRpmFile *file, guint32 inode, guint32 links,
			 gboolean carries, VarveSha256 *sha, VarveDigest *ret_digest,
			 GError **error)
{
	g_autofree char *name = g_strconcat(".", file->path, NULL);
	CpioEntry entry = { inode, file->mode, links, (guint32)file->mtime, 0, file->device };

	if (S_ISLNK(file->mode)) {
		entry.size = (guint32)strlen(file->target);
		return put_header(stream, name, &entry, error) &&
		       put(stream, file->target, entry.size, ZSTD_e_continue, error) &&
		       put_padding(stream, error);
	}
	if (S_ISREG(file->mode) && carries)
		entry.size = (guint32)file->size;
	if (!put_header(stream, name, &entry, error))
		return FALSE;
	if (!S_ISREG(file->mode))
		return TRUE;
	if (!put_content(stream, file, carries, sha, error))
		return FALSE;
	varve_sha256_finish(sha, ret_digest);
	return TRUE;
}

gboolean varve_rpm_payload_write(const GPtrArray *files, const guint32 *inodes,
				 const guint32 *links, int fd, VarveDigest *ret_digests,
				 VarveRpmPayload *ret_payload, GError **error)
{
	VarveRpmPayload payload = { 0 };
	g_autoptr(VarveSha256) sha = varve_sha256_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	g_auto(Stream) stream = { .zstd = ZSTD_createCCtx(),
				  .compressed = varve_sha256_new(),
				  .plain = varve_sha256_new(),
				  .out_size = ZSTD_CStreamOutSize(),
				  .fd = fd,
				  .payload = &payload };
	CpioEntry trailer = { .links = 1 };

	stream.out = g_malloc(stream.out_size);
	ZSTD_CCtx_setParameter(stream.zstd, ZSTD_c_compressionLevel, COMPRESSION_LEVEL);
	for (guint i = 0; i < files->len; i++) {
		const VarveRpmFile *file = g_ptr_array_index(files, i);
		gpointer inode = GUINT_TO_POINTER(inodes[i]);
		guint names = GPOINTER_TO_UINT(g_hash_table_lookup(seen, inode)) + 1;

		g_hash_table_insert(seen, inode, GUINT_TO_POINTER(names));
		if (!put_file(&stream, file, inodes[i], links[i], names == links[i], sha,
			      &ret_digests[i], error))
			return FALSE;
	}
	if (!put_header(&stream, "TRAILER!!!", &trailer, error) ||
	    !put(&stream, NULL, 0, ZSTD_e_end, error))
		return FALSE;
	varve_sha256_finish(stream.compressed, &payload.compressed);
	varve_sha256_finish(stream.plain, &payload.plain);
	*ret_payload = payload;
	return TRUE;
}
