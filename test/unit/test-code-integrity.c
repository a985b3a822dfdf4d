/* image/code-integrity.c: the policy that the kernel is given, to the byte. */
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "crypt/authority.h"
#include "image/code-integrity.h"

#include <string.h>

static void test_golden(void)
{
	g_assert_cmpstr(varve_code_integrity_policy(), ==,
			"policy_name=varve policy_version=1.0.0\n"
			"DEFAULT action=ALLOW\n"
			"DEFAULT op=EXECUTE action=DENY\n"
			"op=EXECUTE dmverity_signature=TRUE action=ALLOW\n");
	g_assert_cmpstr(varve_code_integrity_word(VARVE_CODE_INTEGRITY_OFF), ==, "off");
	g_assert_cmpstr(varve_code_integrity_word(VARVE_CODE_INTEGRITY_AUDIT), ==, "audit");
	g_assert_cmpstr(varve_code_integrity_word(VARVE_CODE_INTEGRITY_ENFORCE), ==, "enforce");
}

/* The kernel's reader wants the content inside and no attributes: what openssl writes so is what
 * we write. */
static void test_signed(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-integrity-XXXXXX", NULL);
	g_autofree char *key_path = g_build_filename(dir, "platform.key", NULL);
	g_autofree char *certificate_path = g_build_filename(dir, "platform.crt", NULL);
	g_autofree char *text = g_build_filename(dir, "policy", NULL);
	g_autofree char *out = g_build_filename(dir, "policy.p7b", NULL);
	g_autofree char *program = g_find_program_in_path("openssl");
	g_autoptr(VarvePrivateKey) key = NULL;
	g_autoptr(VarveCertificate) certificate = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *expected = NULL;
	gsize size, expected_size;
	const void *data;

	if (!program) {
		g_test_skip("openssl is not installed");
		g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
		return;
	}
	varve_authority_make(dir, "platform", &error);
	g_assert_no_error(error);
	key = varve_private_key_load(key_path, &error);
	g_assert_no_error(error);
	certificate = varve_certificate_load(certificate_path, &error);
	g_assert_no_error(error);
	bytes = varve_code_integrity_sign(key, certificate, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_set_contents(text, varve_code_integrity_policy(), -1, NULL));
	varve_run(&error, program, "smime", "-sign", "-in", text, "-signer", certificate_path,
		  "-inkey", key_path, "-outform", "der", "-noattr", "-nocerts", "-nodetach",
		  "-nosmimecap", "-binary", "-out", out, NULL);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(out, &expected, &expected_size, NULL));
	data = g_bytes_get_data(bytes, &size);
	g_assert_cmpmem(data, size, expected, expected_size);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/code-integrity/golden", test_golden);
	g_test_add_func("/code-integrity/signed", test_signed);
	return g_test_run();
}
