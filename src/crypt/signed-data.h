/* The signature of an authenticated UEFI variable (UEFI 2.10, 8.2.2): a PKCS#7 SignedData that
 * carries its signer's certificate. */
#pragma once

#include "crypt/signature.h"

#include <glib.h>

/**
 * varve_signed_data_make:
 * Signs @size bytes: SignedData alone (no ContentInfo around it, which firmware need not take),
 * DER, detached, SHA-256, no attributes, @certificate inside. With an RSA key the same input is
 * the same bytes.
 *
 * Returns: (caller unrefs).
 * Errors: CONFLICT where @key is not the certificate's, SYSTEM.
 */
GBytes *varve_signed_data_make(const VarvePrivateKey *key, const VarveCertificate *certificate,
			       const void *data, size_t size, GError **error);
