/* The payload of an RPM package: a cpio archive ("newc") compressed with zstd, and the digests of
 * both. */
#pragma once

#include "format/rpm-writer.h"

typedef struct {
	VarveDigest compressed;
	VarveDigest plain;
	guint64 compressed_size;
	guint64 plain_size;
} VarveRpmPayload;

/**
 * varve_rpm_payload_write:
 * Writes the archive of @files to @fd.
 *
 * @files: of const VarveRpmFile*, sorted by path. Of hard links only the last carries the bytes.
 * @inodes: one a file, the same for hard links.
 * @links: how many names each file's inode has.
 * @ret_digests: (caller allocates, one a file) SHA-256 of each regular file's bytes.
 */
gboolean varve_rpm_payload_write(const GPtrArray *files, const guint32 *inodes,
				 const guint32 *links, int fd, VarveDigest *ret_digests,
				 VarveRpmPayload *ret_payload, GError **error);
