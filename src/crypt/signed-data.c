/* PKCS#7 SignedData (RFC 2315, 9.1) for UEFI variables. */
#include "crypt/signed-data.h"

#include "crypt/openssl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS7, PKCS7_free)

GBytes *varve_signed_data_make(const VarvePrivateKey *key, const VarveCertificate *certificate,
			       const void *data, size_t size, GError **error)
{
	const int flags = PKCS7_DETACHED | PKCS7_BINARY | PKCS7_NOATTR;
	g_autoptr(BIO) bio = NULL;
	g_autoptr(PKCS7) pkcs7 = NULL;
	unsigned char *der = NULL;
	GBytes *bytes;
	int der_size = -1;

	g_return_val_if_fail(size <= INT_MAX, NULL);
	if (!varve_private_key_check(key, certificate, error))
		return NULL;
	ERR_clear_error();
	bio = BIO_new_mem_buf(data, (int)size);
	pkcs7 = PKCS7_sign(NULL, NULL, NULL, bio, flags | PKCS7_PARTIAL);
	if (pkcs7 &&
	    PKCS7_sign_add_signer(pkcs7, certificate->x509, key->pkey, EVP_sha256(), flags) &&
	    PKCS7_final(pkcs7, bio, flags) == 1)
		der_size = i2d_PKCS7_SIGNED(pkcs7->d.sign, &der);
	if (der_size <= 0) {
		varve_fail_openssl(error, VARVE_ERROR_SYSTEM, "private key '%s': cannot sign",
				   key->name);
		return NULL;
	}
	bytes = g_bytes_new(der, (gsize)der_size);
	OPENSSL_free(der);
	return bytes;
}
