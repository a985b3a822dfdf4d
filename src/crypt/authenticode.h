/* The signature inside a signed PE image (Windows Authenticode Portable Executable Signature
 * Format; UEFI 2.10, 32.2.4): PKCS#7 SignedData over an SPC_INDIRECT_DATA with the image's digest.
 */
#pragma once

#include "base/digest.h"
#include "crypt/signature.h"

#include <glib.h>

/**
 * varve_authenticode_make:
 * Signs @digest (the image's, as varve_pe_digest() takes it). The certificate is inside, no time:
 * with an RSA key the same input is the same bytes.
 *
 * Returns: (caller unrefs) DER.
 * Errors: CONFLICT where @key is not the certificate's, SYSTEM.
 */
GBytes *varve_authenticode_make(const VarvePrivateKey *key, const VarveCertificate *certificate,
				const VarveDigest *digest, GError **error);

/**
 * varve_authenticode_check:
 * Whether the signature @der is over an image with the digest @digest and was made with the key of
 * the certificate that it carries. Whether that one is to be believed is for others to say (the
 * firmware's db): here it is what the signature says of itself.
 *
 * @ret_signer: (nullable, caller frees) the certificate.
 *
 * Errors: CORRUPT (not such a structure), UNTRUSTED (it is for another image, or its signature is
 * not by that key).
 */
gboolean varve_authenticode_check(GBytes *der, const VarveDigest *digest,
				  VarveCertificate **ret_signer, GError **error);
