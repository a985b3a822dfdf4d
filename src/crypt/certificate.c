/* X.509 certificates as pinned public keys: read, named, fingerprinted (RFC 5280, RFC 7468). */
#include "crypt/openssl.h"
#include "crypt/sha256.h"

#include "base/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define CERTIFICATE_MAX (64 * 1024)

gboolean varve_fail_openssl(GError **error, VarveError code, const char *format, ...)
{
	g_autofree char *message = NULL;
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	varve_fail(error, code, "%s%s%s", message, reason ? ": " : "", reason ?: "");
	ERR_clear_error();
	return FALSE;
}

static char *common_name(X509 *x509)
{
	X509_NAME *subject = X509_get_subject_name(x509);
	int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	g_autoptr(GString) text = g_string_new(NULL);
	unsigned char *utf8 = NULL;
	int size;

	if (index < 0)
		return g_strdup("");
	size = ASN1_STRING_to_UTF8(&utf8,
				   X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
	if (size < 0) {
		ERR_clear_error();
		return g_strdup("");
	}
	/* It ends up on terminals and in logs: one line of characters that can be seen. */
	for (const char *at = (char *)utf8, *end = at + size; at < end;) {
		gunichar c = g_utf8_get_char_validated(at, end - at);

		if (c == (gunichar)-1 || c == (gunichar)-2) {
			g_string_append_c(text, '?');
			at++;
			continue;
		}
		g_string_append_unichar(text, g_unichar_isprint(c) ? c : '?');
		at += c ? g_unichar_to_utf8(c, NULL) : 1;
	}
	OPENSSL_free(utf8);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean is_pem(const char *data, size_t size)
{
	return g_strstr_len(data, (gssize)size, "-----BEGIN ") != NULL;
}

static X509 *read_pem(const void *data, size_t size, const char *name, GError **error)
{
	g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int)size);
	g_autoptr(X509) x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	g_autoptr(X509) second = NULL;

	if (!x509) {
		varve_fail_openssl(error, VARVE_ERROR_CORRUPT, "%s: not a PEM certificate", name);
		return NULL;
	}
	second = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ERR_clear_error();
	if (second) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: holds more than one certificate, expected one: a trusted key is "
			   "one file; split it",
			   name);
		return NULL;
	}
	return g_steal_pointer(&x509);
}

static X509 *read_der(const void *data, size_t size, const char *name, GError **error)
{
	const unsigned char *at = data;
	g_autoptr(X509) x509 = d2i_X509(NULL, &at, (long)size);

	if (!x509) {
		varve_fail_openssl(error, VARVE_ERROR_CORRUPT,
				   "%s: neither a PEM nor a DER certificate", name);
		return NULL;
	}
	if (at != (const unsigned char *)data + size) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: %zu bytes follow the DER certificate, expected none", name,
			   (size_t)((const unsigned char *)data + size - at));
		return NULL;
	}
	return g_steal_pointer(&x509);
}

VarveCertificate *varve_certificate_parse(const void *data, size_t size, const char *name,
					  GError **error)
{
	VarveCertificate *certificate;
	g_autoptr(X509) x509 = NULL;
	g_autofree unsigned char *der = NULL;
	unsigned char *end;
	int der_size;

	if (size == 0 || size > CERTIFICATE_MAX) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: %zu bytes, expected a certificate of 1 to %d", name, size,
			   CERTIFICATE_MAX);
		return NULL;
	}
	x509 = is_pem(data, size) ? read_pem(data, size, name, error)
				  : read_der(data, size, name, error);
	if (!x509)
		return NULL;
	if (!X509_get0_pubkey(x509)) {
		varve_fail_openssl(error, VARVE_ERROR_CORRUPT, "%s: its public key cannot be read",
				   name);
		return NULL;
	}
	der_size = i2d_X509(x509, NULL);
	if (der_size <= 0) {
		varve_fail_openssl(error, VARVE_ERROR_CORRUPT, "%s: cannot be written as DER",
				   name);
		return NULL;
	}
	end = der = g_malloc((size_t)der_size);
	i2d_X509(x509, &end);

	certificate = g_new0(VarveCertificate, 1);
	varve_sha256(der, (size_t)der_size, &certificate->fingerprint);
	certificate->subject = common_name(x509);
	certificate->name = g_strdup(name);
	certificate->x509 = g_steal_pointer(&x509);
	return certificate;
}

VarveCertificate *varve_certificate_load(const char *path, GError **error)
{
	g_autofree char *data = NULL;
	size_t size;

	if (!varve_file_read(AT_FDCWD, path, CERTIFICATE_MAX, &data, &size, error))
		return NULL;
	return varve_certificate_parse(data, size, path, error);
}

GPtrArray *varve_certificates_load_dir(int dirfd, const char *path, GError **error)
{
	g_autoptr(GPtrArray) certificates =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_certificate_free);
	varve_autofd dir = varve_dir_open(dirfd, path, error);
	g_auto(GStrv) names = NULL;

	if (dir < 0 || !varve_dir_list(dir, ".", &names, error))
		return NULL;
	for (char **name = names; *name; name++) {
		g_autofree char *data = NULL;
		VarveCertificate *certificate;
		size_t size;

		if (!g_str_has_suffix(*name, ".crt"))
			continue;
		if (!varve_file_read(dir, *name, CERTIFICATE_MAX, &data, &size, error))
			return NULL;
		certificate = varve_certificate_parse(data, size, *name, error);
		if (!certificate) {
			g_prefix_error(error, "%s: ", path);
			return NULL;
		}
		g_ptr_array_add(certificates, certificate);
	}
	if (certificates->len == 0) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "'%s': no certificate (*.crt) in it",
			   path);
		return NULL;
	}
	return g_steal_pointer(&certificates);
}

const char *varve_certificate_name(const VarveCertificate *certificate)
{
	return certificate->name;
}

void varve_certificate_free(VarveCertificate *certificate)
{
	if (!certificate)
		return;
	X509_free(certificate->x509);
	g_free(certificate->name);
	g_free(certificate->subject);
	g_free(certificate);
}

const VarveDigest *varve_certificate_fingerprint(const VarveCertificate *certificate)
{
	return &certificate->fingerprint;
}

void varve_certificate_key_digest(const VarveCertificate *certificate, VarveDigest *ret_digest)
{
	X509_PUBKEY *key = X509_get_X509_PUBKEY(certificate->x509);
	unsigned char *der = NULL;
	int size = i2d_X509_PUBKEY(key, &der);

	if (size <= 0)
		g_error("OpenSSL cannot write a public key that it has read");
	varve_sha256(der, (size_t)size, ret_digest);
	OPENSSL_free(der);
}

const char *varve_certificate_subject(const VarveCertificate *certificate)
{
	return certificate->subject;
}

static gint64 to_seconds(const ASN1_TIME *time)
{
	g_autoptr(GDateTime) date = NULL;
	struct tm tm = { 0 };

	if (ASN1_TIME_to_tm(time, &tm) != 1) {
		ERR_clear_error();
		return 0;
	}
	date = g_date_time_new_utc(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
				   tm.tm_min, tm.tm_sec);
	return date ? g_date_time_to_unix(date) : 0;
}

void varve_certificate_validity(const VarveCertificate *certificate, gint64 *ret_from,
				gint64 *ret_to)
{
	*ret_from = to_seconds(X509_get0_notBefore(certificate->x509));
	*ret_to = to_seconds(X509_get0_notAfter(certificate->x509));
}

gboolean varve_certificate_is_development(const VarveCertificate *certificate)
{
	g_autoptr(ASN1_OBJECT) mark = OBJ_txt2obj(VARVE_OID_DEVELOPMENT, 1);

	return mark && X509_get_ext_by_OBJ(certificate->x509, mark, -1) >= 0;
}

gboolean varve_certificate_same_key(const VarveCertificate *a, const VarveCertificate *b)
{
	gboolean same = EVP_PKEY_eq(X509_get0_pubkey(a->x509), X509_get0_pubkey(b->x509)) == 1;

	ERR_clear_error();
	return same;
}

char *varve_certificate_to_pem(const VarveCertificate *certificate)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long size;

	if (!bio || PEM_write_bio_X509(bio, certificate->x509) != 1)
		g_error("OpenSSL cannot write a certificate that it has read");
	size = BIO_get_mem_data(bio, &text);
	return g_strndup(text, (size_t)size);
}

GBytes *varve_certificate_to_der(const VarveCertificate *certificate)
{
	unsigned char *der = NULL;
	int size = i2d_X509(certificate->x509, &der);
	GBytes *bytes;

	if (size <= 0)
		g_error("OpenSSL cannot write a certificate that it has read");
	bytes = g_bytes_new(der, (gsize)size);
	OPENSSL_free(der);
	return bytes;
}
