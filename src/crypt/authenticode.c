/* Authenticode signatures. Their signed content is a few fixed structures around one digest, so it
 * is written down here as DER instead of through templates. */
#include "crypt/authenticode.h"

#include "crypt/openssl.h"
#include "crypt/sha256.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <string.h>

#define SPC_INDIRECT_DATA "1.3.6.1.4.1.311.2.1.4"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS7, PKCS7_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS7_SIGNER_INFO, PKCS7_SIGNER_INFO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_TYPE, ASN1_TYPE_free)

/* SpcIndirectDataContent: all but the digest, which ends it. */
static const guint8 indirect_data[] = {
	0x30, 0x4c, /* SEQUENCE: what the signature covers is what follows */
	0x30, 0x17, /* data: SEQUENCE */
	0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x0f, /* SPC_PE_IMAGE_DATA
										 */
	0x30, 0x09,                                                             /* SpcPeImageData */
	0x03, 0x01, 0x00,                   /* flags: BIT STRING, none */
	0xa0, 0x04, 0xa2, 0x02, 0x80, 0x00, /* file: an empty name */
	0x30, 0x31,                         /* messageDigest: DigestInfo */
	0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, /* SHA-256 */
	0x05, 0x00,                                                                   /* NULL */
	0x04, 0x20, /* OCTET STRING */
};
#define CONTENT_SIZE (sizeof indirect_data + VARVE_DIGEST_SIZE)
#define CONTENT_HEADER 2

static PKCS7 *make_content(const guint8 *content)
{
	g_autoptr(PKCS7) pkcs7 = PKCS7_new();
	g_autoptr(ASN1_TYPE) value = ASN1_TYPE_new();
	ASN1_STRING *sequence = ASN1_STRING_new();

	if (!pkcs7 || !value || !sequence ||
	    ASN1_STRING_set(sequence, content, CONTENT_SIZE) != 1) {
		ASN1_STRING_free(sequence);
		return NULL;
	}
	ASN1_TYPE_set(value, V_ASN1_SEQUENCE, sequence);
	pkcs7->type = OBJ_txt2obj(SPC_INDIRECT_DATA, 1);
	pkcs7->d.other = g_steal_pointer(&value);
	return pkcs7->type ? g_steal_pointer(&pkcs7) : NULL;
}

/* What is really signed: two attributes, the content's type and its digest. */
static PKCS7_SIGNER_INFO *make_signer(const VarvePrivateKey *key,
				      const VarveCertificate *certificate, const guint8 *content)
{
	g_autoptr(PKCS7_SIGNER_INFO) signer = PKCS7_SIGNER_INFO_new();
	g_autoptr(ASN1_OBJECT) type = OBJ_txt2obj(SPC_INDIRECT_DATA, 1);
	VarveDigest digest;

	varve_sha256(content + CONTENT_HEADER, CONTENT_SIZE - CONTENT_HEADER, &digest);
	if (!signer || !type ||
	    PKCS7_SIGNER_INFO_set(signer, certificate->x509, key->pkey, EVP_sha256()) != 1 ||
	    PKCS7_add_signed_attribute(signer, NID_pkcs9_contentType, V_ASN1_OBJECT, type) != 1)
		return NULL;
	g_steal_pointer(&type);
	if (PKCS7_add1_attrib_digest(signer, digest.bytes, VARVE_DIGEST_SIZE) != 1 ||
	    PKCS7_SIGNER_INFO_sign(signer) != 1)
		return NULL;
	return g_steal_pointer(&signer);
}

static PKCS7 *make_signed(const VarvePrivateKey *key, const VarveCertificate *certificate,
			  const guint8 *content)
{
	g_autoptr(PKCS7) pkcs7 = PKCS7_new(), inner = make_content(content);
	g_autoptr(PKCS7_SIGNER_INFO) signer = make_signer(key, certificate, content);

	if (!pkcs7 || !inner || !signer || PKCS7_set_type(pkcs7, NID_pkcs7_signed) != 1 ||
	    PKCS7_set_content(pkcs7, inner) != 1)
		return NULL;
	g_steal_pointer(&inner);
	if (PKCS7_add_certificate(pkcs7, certificate->x509) != 1 ||
	    PKCS7_add_signer(pkcs7, signer) != 1)
		return NULL;
	g_steal_pointer(&signer);
	return g_steal_pointer(&pkcs7);
}

GBytes *varve_authenticode_make(const VarvePrivateKey *key, const VarveCertificate *certificate,
				const VarveDigest *digest, GError **error)
{
	guint8 content[CONTENT_SIZE];
	g_autoptr(PKCS7) pkcs7 = NULL;
	unsigned char *der = NULL;
	GBytes *bytes;
	int size;

	if (!varve_private_key_check(key, certificate, error))
		return NULL;
	memcpy(content, indirect_data, sizeof indirect_data);
	memcpy(content + sizeof indirect_data, digest->bytes, VARVE_DIGEST_SIZE);
	ERR_clear_error();
	pkcs7 = make_signed(key, certificate, content);
	size = pkcs7 ? i2d_PKCS7(pkcs7, &der) : -1;
	if (size <= 0) {
		varve_fail_openssl(error, VARVE_ERROR_SYSTEM, "private key '%s': cannot sign",
				   key->name);
		return NULL;
	}
	bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	return bytes;
}

/* What DigestInfo has before the digest, which ends the content. */
#define DIGEST_INFO (indirect_data + sizeof indirect_data - DIGEST_INFO_SIZE)
#define DIGEST_INFO_SIZE 19

/* The signed content: what is covered by the signature is without its outermost header. */
static gboolean find_content(const PKCS7 *pkcs7, const guint8 **ret_content, gsize *ret_size,
			     GError **error)
{
	const PKCS7 *inner = pkcs7->d.sign ? pkcs7->d.sign->contents : NULL;
	g_autoptr(ASN1_OBJECT) type = OBJ_txt2obj(SPC_INDIRECT_DATA, 1);
	const ASN1_TYPE *value =
		inner && type && OBJ_cmp(inner->type, type) == 0 ? inner->d.other : NULL;
	const unsigned char *at;
	long length;
	int tag, class;

	if (!value || value->type != V_ASN1_SEQUENCE || !value->value.sequence)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "signature of an image: its content is no SPC_INDIRECT_DATA");
	at = value->value.sequence->data;
	if (ASN1_get_object(&at, &length, &tag, &class, value->value.sequence->length) & 0x80) {
		ERR_clear_error();
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "signature of an image: its content is no sequence");
	}
	*ret_content = at;
	*ret_size = (gsize)length;
	return TRUE;
}

static gboolean take_signer(PKCS7 *pkcs7, VarveCertificate **ret_signer, GError **error)
{
	STACK_OF(X509) *signers = PKCS7_get0_signers(pkcs7, NULL, 0);
	unsigned char *der = NULL;
	int size = sk_X509_num(signers) == 1 ? i2d_X509(sk_X509_value(signers, 0), &der) : -1;

	sk_X509_free(signers);
	if (size <= 0)
		return varve_fail_openssl(error, VARVE_ERROR_CORRUPT,
					  "signature of an image: not by exactly one certificate");
	*ret_signer = varve_certificate_parse(der, (gsize)size, "signature of an image", error);
	OPENSSL_free(der);
	return *ret_signer != NULL;
}

typedef BIO Chain;
static void chain_free(Chain *chain)
{
	BIO_free_all(chain);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Chain, chain_free)

/* Behind a filter that does nothing: of a plain memory BIO PKCS7_verify() makes a copy, which it
 * loses where the signature names a digest that it does not know. */
static Chain *open_content(const guint8 *content, gsize size)
{
	BIO *memory = BIO_new_mem_buf(content, (int)size);
	BIO *filter = memory ? BIO_new(BIO_f_null()) : NULL;

	if (!filter) {
		BIO_free(memory);
		return NULL;
	}
	return BIO_push(filter, memory);
}

gboolean varve_authenticode_check(GBytes *der, const VarveDigest *digest,
				  VarveCertificate **ret_signer, GError **error)
{
	gsize size, content_size = 0;
	const unsigned char *at = g_bytes_get_data(der, &size);
	g_autoptr(VarveCertificate) signer = NULL;
	g_autoptr(PKCS7) pkcs7 = NULL;
	g_autoptr(Chain) bio = NULL;
	const guint8 *content = NULL;

	ERR_clear_error();
	pkcs7 = size > 0 && size <= G_MAXINT32 ? d2i_PKCS7(NULL, &at, (long)size) : NULL;
	if (!pkcs7 || !PKCS7_type_is_signed(pkcs7))
		return varve_fail_openssl(error, VARVE_ERROR_CORRUPT,
					  "signature of an image: not PKCS#7 signed data in DER");
	if (!find_content(pkcs7, &content, &content_size, error) ||
	    !take_signer(pkcs7, &signer, error))
		return FALSE;
	if (content_size < DIGEST_INFO_SIZE + VARVE_DIGEST_SIZE ||
	    memcmp(content + content_size - DIGEST_INFO_SIZE - VARVE_DIGEST_SIZE, DIGEST_INFO,
		   DIGEST_INFO_SIZE) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "signature of an image: it has no SHA-256 digest");
	if (memcmp(content + content_size - VARVE_DIGEST_SIZE, digest->bytes, VARVE_DIGEST_SIZE) !=
	    0)
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "signature of an image: it is for another image: this one was "
				  "changed after it was signed");
	bio = open_content(content, content_size);
	if (!bio || PKCS7_verify(pkcs7, NULL, NULL, bio, NULL, PKCS7_NOVERIFY | PKCS7_NOCHAIN) != 1)
		return varve_fail_openssl(error, VARVE_ERROR_UNTRUSTED,
					  "signature of an image: it was not made with the key of "
					  "its certificate (CN=%s)",
					  varve_certificate_subject(signer));
	if (ret_signer)
		*ret_signer = g_steal_pointer(&signer);
	return TRUE;
}
