/* Detached PKCS#7 signatures (RFC 2315) in the one form that the kernel's dm-verity, systemd and
 * veritysetup all take. */
#include "crypt/openssl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#define SIGNATURE_MAX (64 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS7, PKCS7_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS7_SIGNER_INFO, PKCS7_SIGNER_INFO_free)

static GBytes *make(const VarvePrivateKey *key, const VarveCertificate *certificate,
		    const void *data, size_t size, int detached, GError **error)
{
	const int flags = detached | PKCS7_BINARY | PKCS7_NOATTR | PKCS7_NOCERTS;
	g_autoptr(BIO) bio = NULL;
	g_autoptr(PKCS7) pkcs7 = NULL;
	unsigned char *der = NULL;
	GBytes *bytes;
	int der_size;

	g_return_val_if_fail(size <= INT_MAX, NULL);
	if (!varve_private_key_check(key, certificate, error))
		return NULL;
	ERR_clear_error();
	bio = BIO_new_mem_buf(data, (int)size);
	pkcs7 = PKCS7_sign(NULL, NULL, NULL, bio, flags | PKCS7_PARTIAL);
	if (!pkcs7 ||
	    !PKCS7_sign_add_signer(pkcs7, certificate->x509, key->pkey, EVP_sha256(), flags) ||
	    PKCS7_final(pkcs7, bio, flags) != 1) {
		varve_fail_openssl(error, VARVE_ERROR_SYSTEM, "private key '%s': cannot sign",
				   key->name);
		return NULL;
	}
	der_size = i2d_PKCS7(pkcs7, &der);
	if (der_size <= 0) {
		varve_fail_openssl(error, VARVE_ERROR_SYSTEM,
				   "private key '%s': its signature cannot be written as DER",
				   key->name);
		return NULL;
	}
	bytes = g_bytes_new(der, (gsize)der_size);
	OPENSSL_free(der);
	return bytes;
}

GBytes *varve_signature_make(const VarvePrivateKey *key, const VarveCertificate *certificate,
			     const void *data, size_t size, GError **error)
{
	return make(key, certificate, data, size, PKCS7_DETACHED, error);
}

GBytes *varve_signature_make_around(const VarvePrivateKey *key, const VarveCertificate *certificate,
				    const void *data, size_t size, GError **error)
{
	return make(key, certificate, data, size, 0, error);
}

/* Why @pkcs7 cannot be of our form, whoever made it; NULL where nothing speaks against it. */
static const char *why_not_our_form(PKCS7 *pkcs7)
{
	STACK_OF(PKCS7_SIGNER_INFO) * signers;
	PKCS7_SIGNER_INFO *signer;
	X509_ALGOR *algorithm;
	const ASN1_OBJECT *oid;

	if (!PKCS7_type_is_signed(pkcs7) || !pkcs7->d.sign)
		return "not SignedData";
	if (!PKCS7_get_detached(pkcs7))
		return "it has content inside, expected a detached one";
	if (sk_X509_num(pkcs7->d.sign->cert) > 0)
		return "it has certificates inside, expected none";
	signers = PKCS7_get_signer_info(pkcs7);
	if (sk_PKCS7_SIGNER_INFO_num(signers) != 1)
		return "it has not exactly one signer";
	signer = sk_PKCS7_SIGNER_INFO_value(signers, 0);
	if (sk_X509_ATTRIBUTE_num(signer->auth_attr) > 0 ||
	    sk_X509_ATTRIBUTE_num(signer->unauth_attr) > 0)
		return "it has attributes, expected none";
	PKCS7_SIGNER_INFO_get0_algs(signer, NULL, &algorithm, NULL);
	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	return OBJ_obj2nid(oid) == NID_sha256 ? NULL : "its digest is not SHA-256";
}

/* Whether the signer's issuer and serial number are @certificate's. */
static gboolean names(PKCS7 *pkcs7, const VarveCertificate *certificate)
{
	PKCS7_SIGNER_INFO *signer = sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(pkcs7), 0);
	const PKCS7_ISSUER_AND_SERIAL *named = signer->issuer_and_serial;

	return X509_NAME_cmp(named->issuer, X509_get_issuer_name(certificate->x509)) == 0 &&
	       ASN1_INTEGER_cmp(named->serial, X509_get0_serialNumber(certificate->x509)) == 0;
}

/* OpenSSL verifies with many fields read loosely or not at all: versions, parameters, the content's
 * type. So the one encoding that this signer's signature has is made anew and compared first:
 * nothing is accepted here that another decoder, the kernel's, could understand differently. */
static gboolean is_canonical(PKCS7 *pkcs7, const VarveCertificate *certificate,
			     const void *signature, size_t size)
{
	PKCS7_SIGNER_INFO *made = sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(pkcs7), 0);
	EVP_PKEY *pkey = X509_get0_pubkey(certificate->x509);
	g_autoptr(PKCS7) again = PKCS7_new();
	g_autoptr(PKCS7_SIGNER_INFO) signer = PKCS7_SIGNER_INFO_new();
	unsigned char *der = NULL;
	gboolean same;
	int der_size;

	if (!again || !signer || PKCS7_set_type(again, NID_pkcs7_signed) != 1 ||
	    PKCS7_content_new(again, NID_pkcs7_data) != 1 || PKCS7_set_detached(again, 1) != 1 ||
	    PKCS7_SIGNER_INFO_set(signer, certificate->x509, pkey, EVP_sha256()) != 1 ||
	    ASN1_STRING_copy(signer->enc_digest, made->enc_digest) != 1 ||
	    PKCS7_add_signer(again, signer) != 1)
		return FALSE;
	g_steal_pointer(&signer);
	der_size = i2d_PKCS7(again, &der);
	same = der_size > 0 && (size_t)der_size == size && memcmp(der, signature, size) == 0;
	OPENSSL_free(der);
	return same;
}

static gboolean made_by(PKCS7 *pkcs7, const VarveCertificate *certificate, const void *data,
			size_t size)
{
	g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int)size);
	STACK_OF(X509) *candidates = sk_X509_new_null();
	int result = 0;

	if (bio && candidates && sk_X509_push(candidates, certificate->x509) > 0)
		result = PKCS7_verify(pkcs7, candidates, NULL, bio, NULL,
				      PKCS7_NOINTERN | PKCS7_NOVERIFY | PKCS7_NOCHAIN |
					      PKCS7_BINARY);
	sk_X509_free(candidates);
	ERR_clear_error();
	return result == 1;
}

gboolean varve_signature_verify(const GPtrArray *certificates, const void *data, size_t size,
				const void *signature, size_t signature_size,
				const VarveCertificate **ret_signer, GError **error)
{
	const unsigned char *at = signature;
	g_autoptr(PKCS7) pkcs7 = NULL;
	gboolean changed = FALSE;
	const char *why;

	g_return_val_if_fail(size <= INT_MAX, FALSE);
	if (signature_size == 0 || signature_size > SIGNATURE_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "signature of %zu bytes, expected 1 to %d", signature_size,
				  SIGNATURE_MAX);
	pkcs7 = d2i_PKCS7(NULL, &at, (long)signature_size);
	if (!pkcs7)
		return varve_fail_openssl(error, VARVE_ERROR_CORRUPT,
					  "signature of %zu bytes is not PKCS#7 in DER",
					  signature_size);
	why = why_not_our_form(pkcs7);
	if (why) {
		ERR_clear_error();
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "signature is PKCS#7, but not of the form that the kernel takes: "
				  "%s",
				  why);
	}
	for (guint i = 0; i < certificates->len; i++) {
		const VarveCertificate *certificate = g_ptr_array_index(certificates, i);

		if (!names(pkcs7, certificate))
			continue;
		if (!is_canonical(pkcs7, certificate, signature, signature_size)) {
			changed = TRUE;
			continue;
		}
		if (made_by(pkcs7, certificate, data, size)) {
			if (ret_signer)
				*ret_signer = certificate;
			return TRUE;
		}
	}
	ERR_clear_error();
	if (changed)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "signature is encoded in another way than it was made: it was "
				  "changed");
	return varve_fail(error, VARVE_ERROR_UNTRUSTED,
			  "signature is by none of the %u trusted certificates, or for other data",
			  certificates->len);
}
