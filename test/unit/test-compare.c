/* Layers compared with each other, and what they say with what is in them. */
#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "layer-make.h"
#include "layer/compare.h"
#include "tree-compare.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *dir, *tree;
	VarvePrivateKey *key;
	VarveCertificate *certificate;
} Fixture;

static void fixture_make(Fixture *f)
{
	g_autofree char *key = NULL, *certificate = NULL;
	g_autoptr(GError) error = NULL;

	f->dir = g_dir_make_tmp("varve-compare-XXXXXX", NULL);
	f->tree = g_build_filename(f->dir, "tree", NULL);
	g_assert_cmpint(mkdir(f->tree, 0755), ==, 0);
	tree_make(f->tree);
	varve_authority_make(f->dir, "layers", &error);
	g_assert_no_error(error);
	key = g_build_filename(f->dir, "layers.key", NULL);
	certificate = g_build_filename(f->dir, "layers.crt", NULL);
	f->key = varve_private_key_load(key, NULL);
	f->certificate = varve_certificate_load(certificate, NULL);
	g_assert_true(f->key && f->certificate);
}

static void fixture_clear(Fixture *f)
{
	varve_private_key_free(f->key);
	varve_certificate_free(f->certificate);
	g_assert_true(varve_dir_remove(AT_FDCWD, f->dir, NULL));
	g_free(f->dir);
	g_free(f->tree);
}

static VarveLayer *make(const Fixture *f, const char *version, LayerTamper tamper)
{
	g_autoptr(VarveManifest) manifest = layer_manifest("test", version);
	g_autofree char *path = g_strdup_printf("%s/test_%s.raw", f->dir, version);
	g_autoptr(GError) error = NULL;
	VarveLayer *layer;

	if (!layer_make(f->tree, manifest, f->key, f->certificate, path, tamper)) {
		g_test_skip("mkfs.erofs is not installed");
		return NULL;
	}
	layer = varve_layer_open_path(path, &error);
	g_assert_no_error(error);
	return layer;
}

static gboolean check(const VarveLayer *layer, GError **error)
{
	g_autoptr(VarveManifest) manifest = NULL;
	g_autoptr(VarvePathTable) paths = NULL;

	if (!varve_layer_check_data(layer, error))
		return FALSE;
	manifest = varve_layer_read_manifest(layer, error);
	if (!manifest)
		return FALSE;
	paths = varve_layer_read_paths(layer, manifest, error);
	return paths && varve_layer_check_tree(layer, manifest, paths, NULL, error);
}

static void test_says_what_is_in_it(gconstpointer data)
{
	g_autoptr(VarveLayer) layer = make(data, "1.0", NULL);
	g_autoptr(GError) error = NULL;

	if (!layer)
		return;
	check(layer, &error);
	g_assert_no_error(error);
}

static VarvePath *find(GPtrArray *paths, const char *path)
{
	for (guint i = 0; i < paths->len; i++) {
		VarvePath *at = paths->pdata[i];

		if (strcmp(at->path, path) == 0)
			return at;
	}
	g_assert_not_reached();
}

static void lie_mode(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "sparse")->mode ^= 04000;
}

static void lie_owner(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "a.b")->uid++;
}

static void lie_size(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "a.b")->size++;
}

static void lie_digest(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "a/b/c/d/e/bottom")->digest.bytes[31] ^= 1;
}

static void lie_label(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "a.b")->label = "system_u:object_r:bin_t:s0";
}

static void lie_xattrs(GPtrArray *paths, VarveManifest *manifest)
{
	static const VarveXattr xattr = { "user.lie", "x", 1 };

	(void)manifest;
	find(paths, "a.b")->xattrs = &xattr;
	find(paths, "a.b")->n_xattrs = 1;
}

static void lie_hardlink(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "sub/hard-b")->hardlink = 0;
}

static void lie_hidden(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	g_ptr_array_remove(paths, find(paths, "hard-a"));
}

static void lie_missing(GPtrArray *paths, VarveManifest *manifest)
{
	VarvePath *more = varve_path_copy(find(paths, "a.b"));

	(void)manifest;
	more->path = "zzz";
	g_ptr_array_add(paths, more);
}

static void lie_arch(GPtrArray *paths, VarveManifest *manifest)
{
	(void)paths;
	g_free(manifest->arch);
	manifest->arch = g_strdup("arm64");
}

static void test_should_fail_mismatch(gconstpointer data)
{
	static const struct {
		LayerTamper tamper;
		const char *words;
	} lies[] = {
		{ lie_mode, "'/sparse' (mode)" },
		{ lie_owner, "'/a.b' (owner)" },
		{ lie_size, "'/a.b' (size)" },
		{ lie_digest, "'/a/b/c/d/e/bottom' (content)" },
		{ lie_label, "'/a.b' (label)" },
		{ lie_xattrs, "'/a.b' (xattrs)" },
		{ lie_hardlink, "(hard links)" },
		{ lie_hidden, "'/hard-a' (is there, but not in the table)" },
		{ lie_missing, "'/zzz' (is in the table, but not there)" },
		{ lie_arch, "arm64" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
		g_autoptr(VarveLayer) layer = make(data, "2.0", lies[i].tamper);
		g_autoptr(GError) error = NULL;

		if (!layer)
			return;
		g_assert_false(check(layer, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		g_assert_true(g_str_has_prefix(error->message, "manifest-mismatch: "));
		if (!strstr(error->message, lies[i].words))
			g_error("'%s' is not in: %s", lies[i].words, error->message);
	}
}

static guint change_of(const GArray *changes, const char *path)
{
	for (guint i = 0; i < changes->len; i++) {
		const VarvePathChange *change = &g_array_index(changes, VarvePathChange, i);

		if (strcmp((change->after ?: change->before)->path, path) == 0)
			return change->what;
	}
	return 0;
}

static void test_two_versions(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarveLayer) old = make(f, "3.0", NULL), new = NULL;
	g_autofree char *mode = g_build_filename(f->tree, "a.b", NULL);
	g_autofree char *removed = g_build_filename(f->tree, "fifo", NULL);
	g_autofree char *added = g_build_filename(f->tree, "added", NULL);
	g_autofree char *content = g_build_filename(f->tree, "sub", "x2", NULL);
	g_autoptr(GPtrArray) before = NULL, after = NULL;
	g_autoptr(VarveManifest) m1 = NULL, m2 = NULL;
	g_autoptr(GArray) changes = NULL, packages = NULL;
	const VarvePackageChange *package;

	if (!old)
		return;
	g_assert_cmpint(chmod(mode, 0700), ==, 0);
	g_assert_cmpint(unlink(removed), ==, 0);
	g_assert_true(g_file_set_contents(added, "new", 3, NULL));
	g_assert_cmpint(truncate(content, 10), ==, 0);
	new = make(f, "3.1", NULL);
	before = varve_layer_read_tree(old, TRUE, NULL);
	after = varve_layer_read_tree(new, TRUE, NULL);
	g_assert_true(before && after);
	changes = varve_paths_compare(before, after);
	g_assert_cmpuint(change_of(changes, "a.b"), ==, VARVE_CHANGE_MODE);
	g_assert_cmpuint(change_of(changes, "fifo"), ==, VARVE_CHANGE_REMOVED);
	g_assert_cmpuint(change_of(changes, "added"), ==, VARVE_CHANGE_ADDED);
	g_assert_cmpuint(change_of(changes, "sub/x2"), ==,
			 VARVE_CHANGE_SIZE | VARVE_CHANGE_CONTENT);
	g_assert_cmpuint(change_of(changes, "sub/x3"), ==, 0);
	m1 = varve_layer_read_manifest(old, NULL);
	m2 = varve_layer_read_manifest(new, NULL);
	packages = varve_packages_compare(m1, m2);
	g_assert_cmpuint(packages->len, ==, 1);
	package = &g_array_index(packages, VarvePackageChange, 0);
	g_assert_cmpstr(package->before->version, ==, "3.0");
	g_assert_cmpstr(package->after->version, ==, "3.1");
}

static void name_package(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	for (guint i = 0; i < paths->len; i++) {
		VarvePath *path = paths->pdata[i];

		if (strcmp(path->path, "size-5000000") == 0)
			path->package = "test-4.0-1.x86_64";
	}
}

/* A flipped bit is told with the file that it is in, and with that file's package. */
static void test_names_the_damaged_file(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarveLayer) layer = make(f, "4.0", name_package), damaged = NULL;
	g_autofree char *path = g_strdup_printf("%s/test_4.0.raw", f->dir);
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	gsize size, at;
	char *found;

	if (!layer)
		return;
	/* The start of the file of 5,000,000 bytes, whose contents are known. */
	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	found = memmem(bytes, size, "\x09\x28\x47\x66\x85\xa4\xc3\xe2", 8);
	g_assert_nonnull(found);
	at = (gsize)(found - bytes) + 4096 * 1000;
	bytes[at] ^= 1;
	g_assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
	damaged = varve_layer_open_path(path, &error);
	g_assert_no_error(error);
	g_assert_false(varve_layer_check_data(damaged, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_nonnull(strstr(error->message,
				"'/size-5000000' (package test-4.0-1.x86_64) is stored there"));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		GTestDataFunc function;
	} tests[] = {
		{ "/compare/says-what-is-in-it", test_says_what_is_in_it },
		{ "/compare/should-fail-mismatch", test_should_fail_mismatch },
		{ "/compare/two-versions", test_two_versions },
		{ "/compare/names-the-damaged-file", test_names_the_damaged_file },
	};
	Fixture fixture = { 0 };
	int status;

	g_test_init(&argc, &argv, NULL);
	fixture_make(&fixture);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add_data_func(tests[i].path, &fixture, tests[i].function);
	status = g_test_run();
	fixture_clear(&fixture);
	return status;
}
