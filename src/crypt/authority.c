/* Development keys: self-signed certificates that say of themselves what they are. */
#include "crypt/authority.h"

#include "crypt/openssl.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#define VALID_DAYS 3653 /* ten years */
#define RSA_BITS 3072

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_EXTENSION, X509_EXTENSION_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_UTF8STRING, ASN1_UTF8STRING_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)

static gboolean add_extension(X509 *x509, int nid, const char *value)
{
	X509V3_CTX context;
	g_autoptr(X509_EXTENSION) extension = NULL;

	X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
	return extension && X509_add_ext(x509, extension, -1) == 1;
}

static gboolean add_development_mark(X509 *x509)
{
	static const char text[] = "Varve development key: not for production";
	g_autoptr(ASN1_OBJECT) oid = OBJ_txt2obj(VARVE_OID_DEVELOPMENT, 1);
	g_autoptr(ASN1_UTF8STRING) value = ASN1_UTF8STRING_new();
	g_autoptr(ASN1_OCTET_STRING) octets = ASN1_OCTET_STRING_new();
	g_autoptr(X509_EXTENSION) extension = NULL;
	unsigned char *der = NULL;
	gboolean added;
	int size;

	if (!oid || !value || !octets || ASN1_STRING_set(value, text, (int)sizeof(text) - 1) != 1)
		return FALSE;
	size = i2d_ASN1_UTF8STRING(value, &der);
	added = size > 0 && ASN1_OCTET_STRING_set(octets, der, size) == 1;
	OPENSSL_free(der);
	if (!added)
		return FALSE;
	extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets);
	return extension && X509_add_ext(x509, extension, -1) == 1;
}

static gboolean set_serial(X509 *x509)
{
	g_autoptr(BIGNUM) serial = BN_new();

	/* RFC 5280, 4.1.2.2: positive, at most 20 bytes. */
	return serial && BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	       BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509));
}

static X509 *make_certificate(EVP_PKEY *pkey, const char *name)
{
	g_autoptr(X509) x509 = X509_new();
	X509_NAME *subject;

	if (!x509 || X509_set_version(x509, X509_VERSION_3) != 1 || !set_serial(x509))
		return NULL;
	subject = X509_get_subject_name(x509);
	/* No extended key usage: firmware, kernel, sbsign and `openssl smime` each want another. */
	if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name,
				       -1, -1, 0) != 1 ||
	    X509_set_issuer_name(x509, subject) != 1 ||
	    !X509_gmtime_adj(X509_getm_notBefore(x509), 0) ||
	    !X509_time_adj_ex(X509_getm_notAfter(x509), VALID_DAYS, 0, NULL) ||
	    X509_set_pubkey(x509, pkey) != 1 ||
	    !add_extension(x509, NID_basic_constraints, "critical,CA:FALSE") ||
	    !add_extension(x509, NID_key_usage, "critical,digitalSignature") ||
	    !add_extension(x509, NID_subject_key_identifier, "hash") ||
	    !add_development_mark(x509) || X509_sign(x509, pkey, EVP_sha256()) <= 0)
		return NULL;
	return g_steal_pointer(&x509);
}

/* Writes what is in @bio to a file that must not exist yet; removes it again if that ends early. */
static gboolean write_new(const char *path, BIO *bio, mode_t mode, GError **error)
{
	varve_autofd fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode & 0600);
	char *text = NULL;
	long size = BIO_get_mem_data(bio, &text);

	if (fd < 0 && errno == EEXIST)
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "'%s' exists: keys are never overwritten; name another "
				  "directory, or move the old keys away",
				  path);
	if (fd < 0)
		return varve_fail_errno(error, errno, "'%s'", path);
	if (varve_fd_write_full(fd, text, (size_t)size) < 0 || fchmod(fd, mode) < 0 ||
	    fsync(fd) < 0) {
		int errnum = errno;

		unlink(path);
		return varve_fail_errno(error, errnum, "'%s': write", path);
	}
	return TRUE;
}

gboolean varve_authority_make(const char *dir, const char *name, GError **error)
{
	g_autofree char *key_path = g_strdup_printf("%s/%s.key", dir, name);
	g_autofree char *certificate_path = g_strdup_printf("%s/%s.crt", dir, name);
	g_autoptr(BIO) key_bio = BIO_new(BIO_s_secmem());
	g_autoptr(BIO) certificate_bio = BIO_new(BIO_s_mem());
	g_autoptr(EVP_PKEY) pkey = NULL;
	g_autoptr(X509) x509 = NULL;
	struct stat st;

	/* Before the seconds that a key takes; O_EXCL below is what decides. */
	if (lstat(certificate_path, &st) == 0)
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "'%s' exists: keys are never overwritten; name another "
				  "directory, or move the old keys away",
				  certificate_path);
	pkey = EVP_RSA_gen(RSA_BITS);
	x509 = pkey ? make_certificate(pkey, name) : NULL;
	if (!x509 || !key_bio || !certificate_bio ||
	    PEM_write_bio_PKCS8PrivateKey(key_bio, pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_X509(certificate_bio, x509) != 1)
		return varve_fail_openssl(error, VARVE_ERROR_SYSTEM,
					  "key '%s': cannot make an RSA key and certificate", name);
	if (!write_new(key_path, key_bio, 0600, error))
		return FALSE;
	if (!write_new(certificate_path, certificate_bio, 0644, error)) {
		unlink(key_path);
		return FALSE;
	}
	return TRUE;
}
