/* SHA-256 (FIPS 180-4) by OpenSSL, with the processor's instructions where it has them. */
#pragma once

#include "base/digest.h"

#include <stddef.h>

/** varve_sha256: digest of @size bytes at @data. Cannot fail. */
void varve_sha256(const void *data, size_t size, VarveDigest *ret_digest);

/** A digest taken in pieces. Not thread-safe; one a thread. */
typedef struct VarveSha256 VarveSha256;
VarveSha256 *varve_sha256_new(void);
void varve_sha256_update(VarveSha256 *state, const void *data, size_t size);
/** varve_sha256_finish: gives the digest and makes @state ready for the next one. */
void varve_sha256_finish(VarveSha256 *state, VarveDigest *ret_digest);
void varve_sha256_free(VarveSha256 *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveSha256, varve_sha256_free)

/** varve_sha256_fd: digest of the whole file behind @fd, from offset 0, and its size. */
gboolean varve_sha256_fd(int fd, VarveDigest *ret_digest, guint64 *ret_size, GError **error);
