/* A SHA-256 digest as a value: hex in, hex out, compare. Computing one is crypt/sha256.h. */
#pragma once

#include <glib.h>
#include <stdint.h>

#define VARVE_DIGEST_SIZE 32
#define VARVE_DIGEST_HEX_SIZE 65 /* with the final NUL */

typedef struct {
	uint8_t bytes[VARVE_DIGEST_SIZE];
} VarveDigest;

/** varve_digest_to_hex: writes 64 lowercase digits and a NUL to @hex. */
void varve_digest_to_hex(const VarveDigest *digest, char hex[VARVE_DIGEST_HEX_SIZE]);

/** varve_digest_dup_hex: (caller frees with g_free) the same in memory of its own. */
char *varve_digest_dup_hex(const VarveDigest *digest);

/**
 * varve_digest_from_hex:
 * Accepts exactly 64 lowercase hex digits, not one more.
 *
 * Returns: FALSE, with @ret_digest untouched, for anything else.
 */
gboolean varve_digest_from_hex(const char *hex, VarveDigest *ret_digest);

gboolean varve_digest_equal(const VarveDigest *a, const VarveDigest *b);

/** varve_hex: (caller frees with g_free) @size bytes as lowercase hex. */
char *varve_hex(const void *bytes, size_t size);
