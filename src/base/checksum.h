/* Checksums of the kinds that upstreams publish, from MD5 to SHA-512. What Varve itself makes has
 * SHA-256 (crypt/sha256.h); MD5 and SHA-1 are read because old `sources` files have nothing else.
 */
#pragma once

#include <glib.h>

/** varve_checksum_type: "MD5", "sha512", … in any case; FALSE for what is not known. */
gboolean varve_checksum_type(const char *name, GChecksumType *ret);
/** varve_checksum_name: (static) "SHA512". */
const char *varve_checksum_name(GChecksumType type);
/** varve_checksum_valid: whether @hex has the length that @type asks for and only hex digits. */
gboolean varve_checksum_valid(GChecksumType type, const char *hex);
/** varve_checksum_fd: (caller frees) the checksum of the whole file behind @fd, lowercase hex;
 *  @name for messages. */
char *varve_checksum_fd(int fd, GChecksumType type, const char *name, GError **error);
