/* OpenPGP keys and what is checked against them, with the keys and packages of the corpus. */
#include "base/error.h"
#include "rpm/keys.h"
#include "rpm/reader.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

static char *corpus(const char *path)
{
	const char *given = g_getenv("VARVE_CORPUS");
	g_autofree char *root = given ? g_strdup(given)
				      : g_build_filename(g_test_get_dir(G_TEST_DIST), "..", "..",
							 "..", "shared", "corpus", NULL);

	if (!g_file_test(root, G_FILE_TEST_IS_DIR)) {
		g_test_skip("there is no corpus (VARVE_CORPUS)");
		return NULL;
	}
	return g_build_filename(root, path, NULL);
}

static VarvePackageKeys *load(const char *path, GError **error)
{
	return varve_package_keys_load((const char *[]){ path, NULL }, error);
}

/* Every key of the corpus is taken or refused as rpm's own import does it, but for binary ones,
 * which are taken here too. */
static void test_corpus(void)
{
	g_autofree char *list = corpus("rpms/keys/import-with-rpm-4.18.json");
	json_t *expected;
	const char *name;
	json_t *result;

	if (!list)
		return;
	expected = json_load_file(list, 0, NULL);
	g_assert_nonnull(expected);
	json_object_foreach (expected, name, result) {
		g_autofree char *below = g_strconcat("rpms/", name, NULL);
		g_autofree char *path = corpus(below);
		g_autoptr(GError) error = NULL;
		g_autoptr(VarvePackageKeys) keys = load(path, &error);
		const char *said = json_string_value(result);
		gboolean taken = strcmp(said, "ok") == 0 || strstr(said, "not an armored");

		g_test_message("%s: %s", name,
			       keys ? varve_package_keys_describe(keys) : error->message);
		if (!!keys != taken)
			g_error("%s: rpm says '%s'", name, said);
		if (!keys)
			g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
	json_decref(expected);
}

static void test_not_keys(void)
{
	static const char *const texts[] = {
		"",
		"not a key\n",
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY "
		"BLOCK-----\n",
		"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n=AAAA\n-----END PGP PUBLIC KEY "
		"BLOCK-----\n",
		"\x99\xff\xff\x04",
		"\xc6\xff\xff\xff\xff\xff",
	};
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "varve-not-a-key", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_true(g_file_set_contents(path, texts[i], -1, NULL));
		g_assert_null(load(path, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		g_assert_nonnull(strstr(error->message, path));
	}
	g_unlink(path);
}

static void test_missing(void)
{
	const char *none[] = { NULL };
	g_autoptr(GError) error = NULL;

	g_assert_null(load("/nonexistent/key.asc", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(varve_package_keys_load(none, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
}

static void refuses(const char *package, const char *key, const char *says)
{
	g_autofree char *package_below =
		g_strconcat("rpms/fixtures/createrepo_c/packages/", package, NULL);
	g_autofree char *key_below = g_strconcat("rpms/keys/rpm-rs/", key, NULL);
	g_autofree char *package_path = corpus(package_below), *key_path = corpus(key_below);
	g_autoptr(VarvePackageKeys) keys = load(key_path, NULL);
	g_autoptr(VarvePackage) found = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_nonnull(keys);
	g_assert_false(varve_rpm_verify(package_path, keys, &found, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED);
	g_assert_null(found);
	g_assert_nonnull(strstr(error->message, "empty-0-0"));
	g_assert_nonnull(strstr(error->message, key));
	if (!strstr(error->message, says))
		g_error("expected '%s' in: %s", says, error->message);
}

/* Good signatures by keys that are not among these; and none. (By the right key, and changed:
 * test/host/test-packages.c.) */
static void test_strangers(void)
{
	g_autofree char *there = corpus("rpms");

	if (!there)
		return;
	refuses("empty-signed-rsa-0-0.x86_64.rpm", "rpm-testkey-v4-rsa4096.asc", "719ce7a5");
	refuses("empty-signed-eddsa-0-0.x86_64.rpm", "rpm-testkey-v4-ed25519.asc", "1f1d8f8a");
	refuses("empty-signed-rsa-0-0.x86_64.rpm", "rpm-testkey-v4-keyring.asc", "719ce7a5");
	refuses("empty-0-0.x86_64.rpm", "rpm-testkey-v4-keyring.asc", "not signed");
}

static void test_facts(void)
{
	g_autofree char *path =
		corpus("rpms/fixtures/createrepo_c/packages/Archer-3.4.5-6.x86_64.rpm");
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(VarvePackage) package = NULL;
	g_autoptr(GError) error = NULL;
	const VarvePackageFile *file;

	if (!path)
		return;
	g_assert_true(varve_rpm_read(path, &package, &files, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(package->nevra, ==, "Archer-2:3.4.5-6.x86_64");
	g_assert_cmpuint(package->epoch, ==, 2);
	g_assert_cmpstr(package->version, ==, "3.4.5");
	g_assert_cmpstr(package->release, ==, "6");
	g_assert_true(g_strv_contains((const char *const *)package->requires, "fooa <= 2"));
	g_assert_true(g_strv_contains((const char *const *)package->requires, "foob >= 1.0.0-1"));
	g_assert_true(g_strv_contains((const char *const *)package->provides, "bara <= 22"));
	for (char **name = package->requires; *name; name++)
		g_assert_false(g_str_has_prefix(*name, "rpmlib("));
	g_assert_cmpuint(files->len, ==, 3);
	file = g_ptr_array_index(files, 0);
	g_assert_true(file->path[0] != '/');
	g_assert_true(file->package == package);
}

static void test_not_a_package(void)
{
	g_autofree char *path = g_build_filename(g_get_tmp_dir(), "varve-not-an.rpm", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(
		path, "not a package, and long enough to be looked at twice", -1, NULL));
	g_assert_false(varve_rpm_read(path, NULL, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_unlink(path);
	g_assert_false(varve_rpm_read(path, NULL, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/package-keys/corpus", test_corpus);
	g_test_add_func("/package-keys/not-keys", test_not_keys);
	g_test_add_func("/package-keys/missing", test_missing);
	g_test_add_func("/package-keys/strangers", test_strangers);
	g_test_add_func("/package-keys/facts", test_facts);
	g_test_add_func("/package-keys/not-a-package", test_not_a_package);
	return g_test_run();
}
