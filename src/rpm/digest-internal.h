/* Digests of whole files, by librpm's own cryptography (src/rpm may not use src/crypt). */
#pragma once

#include "base/digest.h"

#include <glib.h>

/** varve_rpm_digest_fd: SHA-256 and size of what is left to read of @fd. */
gboolean varve_rpm_digest_fd(int fd, VarveDigest *ret_digest, guint64 *ret_size, GError **error);

/** varve_rpm_digest_file: the same of the file @path. */
gboolean varve_rpm_digest_file(const char *path, VarveDigest *ret_digest, guint64 *ret_size,
			       GError **error);

/** varve_rpm_file_matches: whether @path exists with this size and the digest @hex of @algorithm
 *  ("sha256", "sha512", "sha1", "md5" …: what librpm knows). @size 0: any. */
gboolean varve_rpm_file_matches(const char *path, const char *algorithm, const char *hex,
				guint64 size);
