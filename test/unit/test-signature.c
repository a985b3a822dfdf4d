#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "crypt/signature.h"

#include <string.h>
#include <sys/stat.h>

#define TEXT "1ac64c70a387d73f16387262dff83d51893b68880a0fe15c4f23851860061026"

typedef struct {
	char *dir;
	VarvePrivateKey *key;
	VarveCertificate *certificate, *stranger;
} Keys;

/* One pair of keys for all tests: making one takes up to a second. */
static void keys_make(Keys *keys)
{
	g_autofree char *key = NULL, *certificate = NULL, *stranger = NULL;
	g_autoptr(GError) error = NULL;

	keys->dir = g_dir_make_tmp("varve-signature-XXXXXX", &error);
	g_assert_no_error(error);
	varve_authority_make(keys->dir, "team", &error);
	g_assert_no_error(error);
	varve_authority_make(keys->dir, "stranger", &error);
	g_assert_no_error(error);
	key = g_build_filename(keys->dir, "team.key", NULL);
	certificate = g_build_filename(keys->dir, "team.crt", NULL);
	stranger = g_build_filename(keys->dir, "stranger.crt", NULL);
	keys->key = varve_private_key_load(key, &error);
	g_assert_no_error(error);
	keys->certificate = varve_certificate_load(certificate, &error);
	g_assert_no_error(error);
	keys->stranger = varve_certificate_load(stranger, &error);
	g_assert_no_error(error);
}

static void keys_clear(Keys *keys)
{
	varve_private_key_free(keys->key);
	varve_certificate_free(keys->certificate);
	varve_certificate_free(keys->stranger);
	g_assert_true(varve_dir_remove(AT_FDCWD, keys->dir, NULL));
	g_free(keys->dir);
}

static void test_development_certificate(gconstpointer data)
{
	const Keys *keys = data;
	g_autofree char *path = g_build_filename(keys->dir, "team.key", NULL);
	g_autofree char *pem = varve_certificate_to_pem(keys->certificate);
	g_autoptr(VarveCertificate) again = NULL;
	g_autoptr(GError) error = NULL;
	struct stat st;
	gint64 from, to;

	g_assert_cmpstr(varve_certificate_subject(keys->certificate), ==, "team");
	g_assert_true(varve_certificate_is_development(keys->certificate));
	varve_certificate_validity(keys->certificate, &from, &to);
	g_assert_cmpint(from, <=, g_get_real_time() / G_USEC_PER_SEC);
	g_assert_cmpint(to - from, >, 3650LL * 86400);
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
	again = varve_certificate_parse(pem, strlen(pem), "again", &error);
	g_assert_no_error(error);
	g_assert_true(varve_digest_equal(varve_certificate_fingerprint(again),
					 varve_certificate_fingerprint(keys->certificate)));
	g_assert_false(varve_authority_make(keys->dir, "team", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
}

static GBytes *sign(const Keys *keys)
{
	g_autoptr(GError) error = NULL;
	GBytes *signature =
		varve_signature_make(keys->key, keys->certificate, TEXT, strlen(TEXT), &error);

	g_assert_no_error(error);
	return signature;
}

static gboolean verify(const Keys *keys, gboolean trusted, const char *text, const void *bytes,
		       size_t size, const VarveCertificate **ret_signer, GError **error)
{
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();

	g_ptr_array_add(certificates, keys->stranger);
	if (trusted)
		g_ptr_array_add(certificates, keys->certificate);
	return varve_signature_verify(certificates, text, strlen(text), bytes, size, ret_signer,
				      error);
}

static void test_signed_by_one_of_them(gconstpointer data)
{
	const Keys *keys = data;
	g_autoptr(GBytes) signature = sign(keys), again = sign(keys);
	const VarveCertificate *signer = NULL;
	g_autoptr(GError) error = NULL;
	gsize size;
	const void *bytes = g_bytes_get_data(signature, &size);

	g_assert_true(g_bytes_equal(signature, again));
	g_assert_true(verify(keys, TRUE, TEXT, bytes, size, &signer, &error));
	g_assert_true(signer == keys->certificate);
	g_assert_false(verify(keys, FALSE, TEXT, bytes, size, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED);
	g_clear_error(&error);
	g_assert_false(verify(keys, TRUE, TEXT "0", bytes, size, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED);
}

/* Whatever single bit is changed, or byte cut or added: never accepted, never a crash. */
static void test_should_fail_every_changed_bit(gconstpointer data)
{
	const Keys *keys = data;
	g_autoptr(GBytes) signature = sign(keys);
	gsize size;
	const guint8 *bytes = g_bytes_get_data(signature, &size);
	g_autofree guint8 *copy = g_malloc(size + 1);

	for (gsize i = 0; i < size; i++) {
		for (guint bit = 0; bit < 8; bit++) {
			memcpy(copy, bytes, size);
			copy[i] ^= (guint8)(1 << bit);
			g_assert_false(verify(keys, TRUE, TEXT, copy, size, NULL, NULL));
		}
		g_assert_false(verify(keys, TRUE, TEXT, bytes, i, NULL, NULL));
	}
	memcpy(copy, bytes, size);
	copy[size] = 0;
	g_assert_false(verify(keys, TRUE, TEXT, copy, size + 1, NULL, NULL));
	g_assert_true(verify(keys, TRUE, TEXT, copy, size, NULL, NULL));
}

static void test_key_of_another_certificate(gconstpointer data)
{
	const Keys *keys = data;
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_signature_make(keys->key, keys->stranger, TEXT, strlen(TEXT), &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
}

static void test_refuses_key_that_others_read(gconstpointer data)
{
	const Keys *keys = data;
	g_autofree char *path = g_build_filename(keys->dir, "stranger.key", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(chmod(path, 0640), ==, 0);
	g_assert_null(varve_private_key_load(path, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_REFUSED);
	g_assert_cmpint(chmod(path, 0600), ==, 0);
}

/* Runs `openssl`; skips where it is not installed. */
static gboolean openssl(const char *const *arguments)
{
	g_autofree char *program = g_find_program_in_path("openssl");
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	int status = -1;

	g_ptr_array_add(argv, program);
	for (; *arguments; arguments++)
		g_ptr_array_add(argv, (gpointer)*arguments);
	g_ptr_array_add(argv, NULL);
	g_assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL,
				   G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
				   NULL, NULL, NULL, &status, NULL));
	return g_spawn_check_wait_status(status, NULL);
}

static void test_same_as_openssl_smime(gconstpointer data)
{
	const Keys *keys = data;
	g_autofree char *program = g_find_program_in_path("openssl");
	g_autofree char *text = g_build_filename(keys->dir, "text", NULL);
	g_autofree char *ours = g_build_filename(keys->dir, "ours", NULL);
	g_autofree char *theirs = g_build_filename(keys->dir, "theirs", NULL);
	g_autofree char *key = g_build_filename(keys->dir, "team.key", NULL);
	g_autofree char *certificate = g_build_filename(keys->dir, "team.crt", NULL);
	g_autoptr(GBytes) signature = sign(keys);
	g_autofree char *made = NULL;
	gsize made_size, size;
	const void *bytes = g_bytes_get_data(signature, &size);
	const char *attributes[] = { "smime",   "-sign",     "-nocerts", "-binary", "-outform",
				     "der",     "-in",       text,       "-inkey",  key,
				     "-signer", certificate, "-out",     theirs,    NULL };

	if (!program) {
		g_test_skip("the program openssl is not installed");
		return;
	}
	g_assert_true(g_file_set_contents(text, TEXT, -1, NULL));
	g_assert_true(g_file_set_contents(ours, bytes, (gssize)size, NULL));
	g_assert_true(openssl((const char *[]){ "smime", "-sign", "-nocerts", "-noattr", "-binary",
						"-outform", "der", "-in", text, "-inkey", key,
						"-signer", certificate, "-out", theirs, NULL }));
	g_assert_true(g_file_get_contents(theirs, &made, &made_size, NULL));
	g_assert_cmpmem(made, made_size, bytes, size);
	g_assert_true(openssl((const char *[]){ "smime", "-verify", "-inform", "der", "-in", ours,
						"-content", text, "-certfile", certificate,
						"-CAfile", certificate, "-binary", NULL }));
	/* Signed attributes are not what the kernel's dm-verity takes from us. */
	g_assert_true(openssl(attributes));
	g_free(g_steal_pointer(&made));
	g_assert_true(g_file_get_contents(theirs, &made, &made_size, NULL));
	g_assert_false(verify(keys, TRUE, TEXT, made, made_size, NULL, NULL));
}

static void test_should_fail_certificates(gconstpointer data)
{
	const Keys *keys = data;
	g_autofree char *one = varve_certificate_to_pem(keys->certificate);
	g_autofree char *two = g_strconcat(one, one, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_certificate_parse(two, strlen(two), "two", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_null(varve_certificate_parse(one, strlen(one) / 2, "half", NULL));
	g_assert_null(varve_certificate_parse("", 0, "empty", NULL));
	g_assert_null(varve_certificate_parse("\x30\x82\x01", 3, "start of DER", NULL));
}

int main(int argc, char **argv)
{
	Keys keys = { 0 };
	int status;

	g_test_init(&argc, &argv, NULL);
	keys_make(&keys);
	g_test_add_data_func("/signature/development-certificate", &keys,
			     test_development_certificate);
	g_test_add_data_func("/signature/signed-by-one-of-them", &keys, test_signed_by_one_of_them);
	g_test_add_data_func("/signature/should-fail-every-changed-bit", &keys,
			     test_should_fail_every_changed_bit);
	g_test_add_data_func("/signature/key-of-another-certificate", &keys,
			     test_key_of_another_certificate);
	g_test_add_data_func("/signature/refuses-key-that-others-read", &keys,
			     test_refuses_key_that_others_read);
	g_test_add_data_func("/signature/same-as-openssl-smime", &keys, test_same_as_openssl_smime);
	g_test_add_data_func("/signature/should-fail-certificates", &keys,
			     test_should_fail_certificates);
	status = g_test_run();
	keys_clear(&keys);
	return status;
}
