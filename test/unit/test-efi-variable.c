#include "format/efi-variable.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "crypt/authority.h"
#include "crypt/sha256.h"
#include "fixed-certificate.h"
#include "format/bytes.h"

#include <string.h>

#define X509_GUID "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"
#define PKCS7_GUID "4aafd29d-68df-49ee-8aa9-347d375665a7"
#define LIST_DIGEST "5ca1566c05baeeb25a4724690df4558be90683aafe667338060610a43aaf5524"

static VarveCertificate *fixed(void)
{
	g_autoptr(GError) error = NULL;
	VarveCertificate *certificate = varve_certificate_parse(
		fixed_certificate, strlen(fixed_certificate), "fixed", &error);

	g_assert_no_error(error);
	return certificate;
}

static void assert_guid(const guint8 *at, const char *expected)
{
	VarveGuid guid = varve_guid_get(at);
	char text[37];

	varve_guid_to_text(&guid, text);
	g_assert_cmpstr(text, ==, expected);
}

static void test_list(void)
{
	g_autoptr(VarveCertificate) certificate = fixed();
	g_autoptr(GBytes) der = varve_certificate_to_der(certificate);
	g_autoptr(GBytes) list = varve_efi_signature_list(certificate);
	gsize size, der_size = g_bytes_get_size(der);
	const guint8 *data = g_bytes_get_data(list, &size);
	char hex[VARVE_DIGEST_HEX_SIZE];
	VarveDigest digest;

	g_assert_cmpuint(size, ==, 28 + 16 + der_size);
	assert_guid(data, X509_GUID);
	g_assert_cmpuint(varve_get_le32(data + 16), ==, size);
	g_assert_cmpuint(varve_get_le32(data + 20), ==, 0);
	g_assert_cmpuint(varve_get_le32(data + 24), ==, 16 + der_size);
	g_assert_cmpmem(data + 44, der_size, g_bytes_get_data(der, NULL), der_size);
	varve_sha256(data, size, &digest);
	varve_digest_to_hex(&digest, hex);
	g_assert_cmpstr(hex, ==, LIST_DIGEST);
}

static void test_time(void)
{
	static const guint8 expected[] = { 0xea, 0x07, 11, 25, 16, 25, 6 };
	static const guint8 epoch[] = { 0xb2, 0x07, 1, 1 };
	static const guint8 zeros[VARVE_EFI_TIME_SIZE];
	guint8 time[VARVE_EFI_TIME_SIZE];

	varve_efi_time(FIXED_CERTIFICATE_TIME, time);
	g_assert_cmpmem(time, 7, expected, 7);
	g_assert_cmpmem(time + 7, 9, zeros, 9);
	varve_efi_time(-1, time);
	g_assert_cmpmem(time, 4, epoch, 4);
	varve_efi_time(G_MAXINT64, time);
	g_assert_cmpmem(time, sizeof(time), zeros, sizeof(zeros));
}

static void test_name(void)
{
	gsize size;
	g_autofree guint8 *name = varve_efi_name("db", &size);

	g_assert_cmpmem(name, size, "d\0b\0\0\0", 6);
}

typedef struct {
	char *dir;
	VarvePrivateKey *key;
	VarveCertificate *certificate;
	GBytes *data;
	VarveEfiVariable variable;
} Fixture;

static void fixture_set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *key = NULL, *certificate = NULL;
	g_autoptr(GError) error = NULL;

	fixture->dir = g_dir_make_tmp("varve-variable-XXXXXX", NULL);
	varve_authority_make(fixture->dir, "KEK", &error);
	g_assert_no_error(error);
	key = g_build_filename(fixture->dir, "KEK.key", NULL);
	certificate = g_build_filename(fixture->dir, "KEK.crt", NULL);
	fixture->key = varve_private_key_load(key, &error);
	g_assert_no_error(error);
	fixture->certificate = varve_certificate_load(certificate, &error);
	g_assert_no_error(error);
	fixture->data = g_bytes_new_static("the list", 8);
	fixture->variable = (VarveEfiVariable){
		.name = "db",
		.vendor = VARVE_EFI_SECURITY_DATABASE,
		.attributes = VARVE_EFI_NON_VOLATILE | VARVE_EFI_BOOT_SERVICE | VARVE_EFI_RUNTIME |
			      VARVE_EFI_TIME_AUTHENTICATED,
		.time = FIXED_CERTIFICATE_TIME,
		.data = fixture->data,
	};
}

static void fixture_tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->dir, NULL));
	g_free(fixture->dir);
	varve_private_key_free(fixture->key);
	varve_certificate_free(fixture->certificate);
	g_bytes_unref(fixture->data);
}

static GBytes *sign(const Fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	GBytes *update = varve_efi_variable_sign(&fixture->variable, fixture->key,
						 fixture->certificate, &error);

	g_assert_no_error(error);
	return update;
}

/* What EDK2 looks at before it verifies anything (AuthService.c, VerifyTimeBasedPayload). */
static void test_update(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 sha256[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
	g_autoptr(GBytes) update = sign(fixture), again = sign(fixture);
	guint8 time[VARVE_EFI_TIME_SIZE];
	gsize size;
	const guint8 *bytes = g_bytes_get_data(update, &size);
	guint32 length = varve_get_le32(bytes + 16);

	g_assert_true(g_bytes_equal(update, again));
	varve_efi_time(FIXED_CERTIFICATE_TIME, time);
	g_assert_cmpmem(bytes, sizeof(time), time, sizeof(time));
	g_assert_cmpuint(16 + length + 8, ==, size);
	g_assert_cmpuint(varve_get_le16(bytes + 20), ==, 0x0200);
	g_assert_cmpuint(varve_get_le16(bytes + 22), ==, 0x0ef1);
	assert_guid(bytes + 24, PKCS7_GUID);
	/* SignedData itself, of two length bytes, with SHA-256 as the first digest. */
	g_assert_cmphex(bytes[40], ==, 0x30);
	g_assert_cmphex(bytes[41], ==, 0x82);
	g_assert_cmpuint((guint)(bytes[42] << 8 | bytes[43]) + 4, ==, length - 24);
	g_assert_cmpmem(bytes + 40 + 13, sizeof(sha256), sha256, sizeof(sha256));
	g_assert_cmpmem(bytes + 16 + length, 8, "the list", 8);
}

static void write_file(const Fixture *fixture, const char *name, const GByteArray *bytes)
{
	g_autofree char *path = g_build_filename(fixture->dir, name, NULL);

	g_assert_true(g_file_set_contents(path, (char *)bytes->data, bytes->len, NULL));
}

/* The ContentInfo that OpenSSL wants around SignedData. */
static GByteArray *wrap(const guint8 *signed_data, gsize size)
{
	guint8 header[] = { 0x30, 0x82, 0,    0,    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
			    0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x82, 0,    0 };
	GByteArray *wrapped = g_byte_array_new();

	header[2] = (guint8)((size + 15) >> 8);
	header[3] = (guint8)(size + 15);
	header[17] = (guint8)(size >> 8);
	header[18] = (guint8)size;
	g_byte_array_append(wrapped, header, sizeof(header));
	g_byte_array_append(wrapped, signed_data, (guint)size);
	return wrapped;
}

static int openssl_verifies(const Fixture *fixture)
{
	const char *const argv[] = { "openssl",        "cms",      "-verify", "-binary",
				     "-inform",        "der",      "-in",     "signature",
				     "-content",       "content",  "-CAfile", "KEK.crt",
				     "-partial_chain", "-purpose", "any",     NULL };
	g_autoptr(GError) error = NULL;
	int status = -1;

	varve_process_status(&(VarveProcess){ .argv = argv, .directory = fixture->dir }, NULL, NULL,
			     &status, &error);
	g_assert_no_error(error);
	return status;
}

/* By another implementation: what the specification says is signed, written down once more. */
static void test_signed_content(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 before[] = { 'd',  0,    'b',  0,    0xcb, 0xb2, 0x19, 0xd7,
					 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0,
					 0x0e, 0x67, 0x65, 0x6f, 0x27, 0,    0,    0 };
	g_autofree char *program = g_find_program_in_path("openssl");
	g_autoptr(GBytes) update = sign(fixture);
	const guint8 *bytes = g_bytes_get_data(update, NULL);
	g_autoptr(GByteArray) content = g_byte_array_new(), signature = NULL;

	if (!program) {
		g_test_skip("the program openssl is not installed");
		return;
	}
	g_byte_array_append(content, before, sizeof(before));
	g_byte_array_append(content, bytes, 16);
	g_byte_array_append(content, (const guint8 *)"the list", 8);
	signature = wrap(bytes + 40, varve_get_le32(bytes + 16) - 24);
	write_file(fixture, "content", content);
	write_file(fixture, "signature", signature);
	g_assert_cmpint(openssl_verifies(fixture), ==, 0);
	content->data[0] = 'D';
	write_file(fixture, "content", content);
	g_assert_cmpint(openssl_verifies(fixture), !=, 0);
}

static void test_should_fail_other_key(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = g_build_filename(fixture->dir, "other.crt", NULL);
	g_autoptr(VarveCertificate) other = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_authority_make(fixture->dir, "other", NULL));
	other = varve_certificate_load(path, NULL);
	g_assert_null(varve_efi_variable_sign(&fixture->variable, fixture->key, other, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/efi-variable/list", test_list);
	g_test_add_func("/efi-variable/time", test_time);
	g_test_add_func("/efi-variable/name", test_name);
	g_test_add("/efi-variable/update", Fixture, NULL, fixture_set_up, test_update,
		   fixture_tear_down);
	g_test_add("/efi-variable/signed-content", Fixture, NULL, fixture_set_up,
		   test_signed_content, fixture_tear_down);
	g_test_add("/efi-variable/should-fail-other-key", Fixture, NULL, fixture_set_up,
		   test_should_fail_other_key, fixture_tear_down);
	return g_test_run();
}
