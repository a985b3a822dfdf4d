/* Private keys in a PKCS#11 token: SoftHSM, where it is installed. */
#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "crypt/signature.h"

#include <string.h>

#define URI "pkcs11:token=varve-test;object=layers;type=private"

static gboolean spawn(const char *const *argv)
{
	int status = -1;

	return g_spawn_sync(NULL, (char **)argv, NULL,
			    G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
				    G_SPAWN_STDERR_TO_DEV_NULL,
			    NULL, NULL, NULL, NULL, &status, NULL) &&
	       g_spawn_check_wait_status(status, NULL);
}

static void make_token(const char *dir, const char *key)
{
	g_autofree char *conf = g_build_filename(dir, "softhsm.conf", NULL);
	g_autofree char *text =
		g_strdup_printf("directories.tokendir = %s\nobjectstore.backend = file\n", dir);

	g_assert_true(g_file_set_contents(conf, text, -1, NULL));
	g_setenv("SOFTHSM2_CONF", conf, TRUE);
	g_assert_true(
		spawn((const char *[]){ "softhsm2-util", "--init-token", "--free", "--label",
					"varve-test", "--pin", "1234", "--so-pin", "5678", NULL }));
	g_assert_true(spawn((const char *[]){ "softhsm2-util", "--import", key, "--token",
					      "varve-test", "--label", "layers", "--id", "a1",
					      "--pin", "1234", NULL }));
}

static void test_signs_as_the_file_does(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-token-XXXXXX", NULL);
	g_autofree char *key = g_build_filename(dir, "layers.key", NULL);
	g_autofree char *path = g_build_filename(dir, "layers.crt", NULL);
	g_autofree char *util = g_find_program_in_path("softhsm2-util");
	g_autoptr(VarvePrivateKey) token = NULL, file = NULL;
	g_autoptr(VarveCertificate) certificate = NULL;
	g_autoptr(GBytes) a = NULL, b = NULL;
	g_autoptr(GError) error = NULL;

	if (!util) {
		g_test_skip("softhsm2-util (package softhsm2) is not installed");
		g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
		return;
	}
	g_assert_true(varve_authority_make(dir, "layers", NULL));
	make_token(dir, key);
	token = varve_private_key_load(URI "?pin-value=1234", &error);
	if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED)) {
		g_test_skip(error->message);
		g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
		return;
	}
	g_assert_no_error(error);
	file = varve_private_key_load(key, &error);
	g_assert_no_error(error);
	certificate = varve_certificate_load(path, &error);
	g_assert_no_error(error);
	a = varve_signature_make(token, certificate, "text", 4, &error);
	g_assert_no_error(error);
	b = varve_signature_make(file, certificate, "text", 4, &error);
	g_assert_no_error(error);
	g_assert_true(g_bytes_equal(a, b));

	g_assert_null(varve_private_key_load("pkcs11:token=varve-test;object=none;type=private"
					     "?pin-value=1234",
					     &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	/* The PIN is a secret: no message repeats it. */
	g_assert_null(strstr(error->message, "1234"));
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/token/signs-as-the-file-does", test_signs_as_the_file_does);
	return g_test_run();
}
