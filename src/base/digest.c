/* A SHA-256 digest as a value. */
#include "base/digest.h"

#include <string.h>

static void hex_into(const uint8_t *bytes, size_t size, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * size] = '\0';
}

void varve_digest_to_hex(const VarveDigest *digest, char hex[VARVE_DIGEST_HEX_SIZE])
{
	hex_into(digest->bytes, VARVE_DIGEST_SIZE, hex);
}

char *varve_digest_dup_hex(const VarveDigest *digest)
{
	return varve_hex(digest->bytes, VARVE_DIGEST_SIZE);
}

gboolean varve_digest_from_hex(const char *hex, VarveDigest *ret_digest)
{
	VarveDigest digest;

	if (strlen(hex) != 2 * VARVE_DIGEST_SIZE)
		return FALSE;
	for (size_t i = 0; i < VARVE_DIGEST_SIZE; i++) {
		char high = hex[2 * i], low = hex[2 * i + 1];

		if (g_ascii_isupper(high) || g_ascii_isupper(low) || !g_ascii_isxdigit(high) ||
		    !g_ascii_isxdigit(low))
			return FALSE;
		digest.bytes[i] =
			(uint8_t)(g_ascii_xdigit_value(high) << 4 | g_ascii_xdigit_value(low));
	}
	*ret_digest = digest;
	return TRUE;
}

gboolean varve_digest_equal(const VarveDigest *a, const VarveDigest *b)
{
	return memcmp(a->bytes, b->bytes, VARVE_DIGEST_SIZE) == 0;
}

char *varve_hex(const void *bytes, size_t size)
{
	char *hex = g_malloc(2 * size + 1);

	hex_into(bytes, size, hex);
	return hex;
}
