/* The lock file as a file: what is read, what is refused with its line, what a save leaves. What it
 * pins is tested with repositories (test/host/test-packages.c). */
#include "base/error.h"
#include "package/lock.h"

#include <glib/gstdio.h>
#include <string.h>

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static VarveLock *open_text(const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "varve-test.lock", NULL);
	VarveLock *lock;

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	lock = varve_lock_open(path, error);
	g_unlink(path);
	return lock;
}

static void test_reads(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveLock) lock = open_text(
		"version = 1\n\n[layers.\"base\".x86-64]\n"
		"\"bash-5.2-1.x86_64\" = { repository = \"fedora\", sha256 = \"" DIGEST "\" }\n"
		"\"varvectl\" = { repository = \"local\" }\n[layers.ssh.arm64]\n",
		&error);

	g_assert_no_error(error);
	g_assert_true(varve_lock_has(lock, "base", varve_arch_find("x86-64")));
	g_assert_false(varve_lock_has(lock, "base", varve_arch_find("arm64")));
	g_assert_true(varve_lock_has(lock, "ssh", varve_arch_find("arm64")));
	g_assert_false(varve_lock_has(lock, "nothing", varve_arch_find("x86-64")));
}

static void test_missing_is_empty(void)
{
	g_autofree char *directory = g_dir_make_tmp("varve-lock-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "varve.lock", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveLock) lock = varve_lock_open(path, &error);

	g_assert_no_error(error);
	g_assert_false(varve_lock_has(lock, "base", varve_arch_find("x86-64")));
	/* Nothing was recorded, so nothing is written. */
	g_assert_true(varve_lock_save(lock, &error));
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	g_rmdir(directory);
}

static void refuses(const char *text, VarveError code, const char *says)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveLock) lock = open_text(text, &error);

	g_assert_null(lock);
	g_assert_error(error, VARVE_ERROR, (int)code);
	if (!strstr(error->message, says))
		g_error("expected '%s' in: %s", says, error->message);
}

static void test_refuses(void)
{
	refuses("", VARVE_ERROR_UNSUPPORTED, "--update-lock");
	refuses("version = 2\n", VARVE_ERROR_UNSUPPORTED, "--update-lock");
	refuses("version = \"1\"\n", VARVE_ERROR_UNSUPPORTED, "--update-lock");
	refuses("version = 1\nnonsense\n", VARVE_ERROR_CORRUPT, ":2:");
	refuses("version = 1\nlayers = 3\n", VARVE_ERROR_CORRUPT, ":2:");
	refuses("version = 1\n[layers]\nbase = 3\n", VARVE_ERROR_CORRUPT, ":3:");
	refuses("version = 1\n[layers.base]\nx86-64 = []\n", VARVE_ERROR_CORRUPT, ":3:");
	refuses("version = 1\n[layers.base.x86-64]\n\"a\" = \"b\"\n", VARVE_ERROR_CORRUPT, ":3:");
	refuses("version = 1\n[layers.base.x86-64]\n\"a\" = { sha256 = \"" DIGEST "\" }\n",
		VARVE_ERROR_CORRUPT, "repository");
	refuses("version = 1\n[layers.base.x86-64]\n\"a\" = { repository = 3 }\n",
		VARVE_ERROR_CORRUPT, "string");
	refuses("version = 1\n[layers.base.x86-64]\n\"a\" = { repository = \"r\", sha256 = \"E3\" "
		"}\n",
		VARVE_ERROR_CORRUPT, "sha256");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lock/reads", test_reads);
	g_test_add_func("/lock/missing-is-empty", test_missing_is_empty);
	g_test_add_func("/lock/refuses", test_refuses);
	return g_test_run();
}
