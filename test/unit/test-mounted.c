/* stack/mounted.c and stack/inspect.c: what happens before and after the mount of a layer that
 * somebody else made. Mounting itself is tested in a VM. */
#include "base/file.h"
#include "crypt/authority.h"
#include "crypt/sha256.h"
#include "ground/mount.h"
#include "layer-make.h"
#include "stack/stack.h"

#include <sched.h>
#include <string.h>
#include <sys/stat.h>

static const char policy_text[] = "[[allow]]\n"
				  "certificate = \"team.crt\"\n"
				  "layers = [\"app\"]\n"
				  "roles = [\"extension\"]\n"
				  "paths = [\"/usr/**\"]\n";

typedef struct {
	char *dir;
	char *tree;
	VarvePrivateKey *key;
	VarveCertificate *certificate;
} Fixture;

static char *below(const char *dir, const char *path)
{
	return g_build_filename(dir, path, NULL);
}

static void write_text(const char *dir, const char *path, const char *text)
{
	g_autofree char *file = below(dir, path);
	g_autofree char *parent = g_path_get_dirname(file);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void setup(Fixture *f, gconstpointer data)
{
	g_autofree char *key = NULL;
	g_autofree char *certificate = NULL;
	GError *error = NULL;

	(void)data;
	f->dir = g_dir_make_tmp("varve-mounted-XXXXXX", NULL);
	f->tree = below(f->dir, "tree");
	g_assert_true(varve_authority_make(f->dir, "team", NULL));
	key = below(f->dir, "team.key");
	certificate = below(f->dir, "team.crt");
	f->key = varve_private_key_load(key, &error);
	g_assert_no_error(error);
	f->certificate = varve_certificate_load(certificate, &error);
	g_assert_no_error(error);
	write_text(f->tree, "usr/bin/app", "app\n");
	write_text(f->tree, "usr/lib/extension-release.d/extension-release.app", "ID=varve\n");
}

static void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	varve_dir_remove(AT_FDCWD, f->dir, NULL);
	varve_private_key_free(f->key);
	varve_certificate_free(f->certificate);
	g_free(f->tree);
	g_free(f->dir);
}

/* Manifest and path table of the tree as it is, as a mount would show them. */
static void describe_tree(const Fixture *f)
{
	varve_autofd fd = open(f->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(VarveManifest) manifest = layer_manifest("app", "1");
	g_autofree char *layers = below(f->tree, VARVE_LAYERS_DIR);
	g_autofree char *table = below(layers, "app.paths");
	GStringChunk *strings = g_string_chunk_new(1024);
	g_autoptr(GPtrArray) paths = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_dir_make(layers, 0755, NULL));
	paths = varve_tree_walk(fd, strings, &error);
	g_assert_no_error(error);
	bytes = varve_path_table_write(paths, &error);
	g_assert_no_error(error);
	varve_sha256(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &manifest->paths);
	g_assert_true(g_file_set_contents(table, g_bytes_get_data(bytes, NULL),
					  (gssize)g_bytes_get_size(bytes), NULL));
	text = varve_manifest_write(manifest);
	write_text(f->tree, VARVE_LAYERS_DIR "/app.json", text);
	g_string_chunk_free(strings);
}

/* The code with which the tree is refused, "" where it is not. */
static const char *inspect(const Fixture *f)
{
	g_autoptr(VarveMounted) mounted = varve_mounted_new("app_1_x86-64.raw");
	g_autoptr(VarveRefusal) refusal = NULL;

	mounted->fd = open(f->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	refusal = varve_mounted_inspect(mounted);
	if (refusal)
		g_test_message("%s: %s", refusal->code, refusal->sentence);
	return refusal ? refusal->code : "";
}

static void test_inspect(Fixture *f, gconstpointer data)
{
	(void)data;
	describe_tree(f);
	g_assert_cmpstr(inspect(f), ==, "");
	write_text(f->tree, "usr/bin/other", "");
	g_assert_cmpstr(inspect(f), ==, "manifest-mismatch");
}

static void test_another_table(Fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	g_autofree char *table = below(f->tree, VARVE_LAYERS_DIR "/app.paths");
	g_autoptr(GBytes) bytes = varve_path_table_write(none, NULL);

	(void)data;
	describe_tree(f);
	g_assert_true(g_file_set_contents(table, g_bytes_get_data(bytes, NULL),
					  (gssize)g_bytes_get_size(bytes), NULL));
	g_assert_cmpstr(inspect(f), ==, "manifest-mismatch");
}

/* The code with which the contents of the tree are refused, where its only table has the digest of
 * @text for usr/bin/app. */
static const char *contents(const Fixture *f, const char *text)
{
	static const char release[] = "ID=varve\n";
	g_autoptr(VarveMounted) mounted = varve_mounted_new("app_1_x86-64.raw");
	VarvePath paths[] = {
		{ .path = "usr/bin/app", .mode = S_IFREG | 0644, .size = 4 },
		{ .path = "usr/lib/extension-release.d/extension-release.app",
		  .mode = S_IFREG | 0644,
		  .size = strlen(release) },
		{ .path = "usr/lib/link", .mode = S_IFLNK | 0777, .target = "app", .size = 3 },
	};
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	g_autoptr(VarveRefusal) refusal = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		paths[i].label = paths[i].package = "";
		paths[i].target = paths[i].target ?: "";
		g_ptr_array_add(list, &paths[i]);
	}
	varve_sha256(text, strlen(text), &paths[0].digest);
	varve_sha256(release, strlen(release), &paths[1].digest);
	varve_sha256("app", 3, &paths[2].digest);
	bytes = varve_path_table_write(list, &error);
	g_assert_no_error(error);
	mounted->paths = varve_path_table_open(bytes, "table", &error);
	g_assert_no_error(error);
	mounted->fd = open(f->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	refusal = varve_mounted_contents(mounted);
	return refusal ? refusal->code : "";
}

static void test_contents(Fixture *f, gconstpointer data)
{
	g_autofree char *app = below(f->tree, "usr/bin/app");

	(void)data;
	g_assert_cmpstr(contents(f, "app\n"), ==, "");
	g_assert_cmpstr(contents(f, "apq\n"), ==, "manifest-mismatch");
	/* A verified mount cannot lose a file, only fail to read it. */
	g_assert_cmpint(unlink(app), ==, 0);
	g_assert_cmpstr(contents(f, "app\n"), ==, "damaged");
}

/* A manifest outside the layer could be changed after the layer was signed. */
static void test_description_elsewhere(Fixture *f, gconstpointer data)
{
	static const char *const files[] = { VARVE_LAYERS_DIR "/app.json",
					     VARVE_LAYERS_DIR "/app.paths" };

	(void)data;
	describe_tree(f);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *inside = below(f->tree, files[i]);
		g_autofree char *outside = below(f->dir, "outside");

		g_assert_cmpint(rename(inside, outside), ==, 0);
		g_assert_cmpint(symlink(outside, inside), ==, 0);
		g_assert_cmpstr(inspect(f), ==, "manifest-invalid");
		g_assert_cmpint(rename(outside, inside), ==, 0);
		g_assert_cmpstr(inspect(f), ==, "");
	}
}

static void test_directory_elsewhere(Fixture *f, gconstpointer data)
{
	g_autofree char *inside = below(f->tree, VARVE_LAYERS_DIR);
	g_autofree char *outside = below(f->dir, "outside");

	(void)data;
	describe_tree(f);
	g_assert_cmpint(rename(inside, outside), ==, 0);
	g_assert_cmpint(symlink(outside, inside), ==, 0);
	g_assert_cmpstr(inspect(f), ==, "manifest-invalid");
}

/* Opens the layer below f->dir whose mount point is taken; returns the code (static). */
static const char *open_layer(const Fixture *f, const char *policy, const char *file,
			      const char *mounts, gboolean take, gboolean *ret_taken)
{
	VarveTrusted *trusted = g_new0(VarveTrusted, 1);
	g_autoptr(VarvePolicy) rules = varve_policy_parse(policy, strlen(policy), "policy", NULL);
	VarveOpening opening = { .policy = rules, .mounts = mounts, .device_prefix = "varve-t-" };
	varve_autofd dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *path = below(f->dir, "app.raw");
	g_autoptr(VarveLayer) layer = varve_layer_open_path(path, NULL);
	g_autofree char *root = varve_digest_dup_hex(varve_layer_root(layer));
	g_autofree char *where = below(mounts, root);
	VarveReportLayer *described = varve_report_layer_new();
	g_autoptr(VarveRefusal) refusal = NULL;
	g_autoptr(VarveMounted) mounted = NULL;

	g_assert_nonnull(rules);
	trusted->name = g_strdup("team.crt");
	trusted->certificate = f->certificate;
	g_ptr_array_set_free_func(rules->trusted, g_free);
	g_ptr_array_add(rules->trusted, trusted);
	if (take) {
		g_assert_cmpint(varve_make_dirs(where), ==, 0);
		g_assert_cmpint(varve_mount_at("tmpfs", NULL, 0, where), ==, 0);
	}
	mounted = varve_mounted_open(&opening, dirfd, file, "app", described, &refusal);
	g_assert_null(mounted);
	g_test_message("%s: %s", refusal->code, refusal->sentence);
	*ret_taken = varve_mount_is(where);
	varve_report_layer_free(described);
	g_free(trusted->name);
	return refusal->code;
}

static gboolean make_layer(const Fixture *f)
{
	g_autoptr(VarveManifest) manifest = layer_manifest("app", "1");
	g_autofree char *output = below(f->dir, "app.raw");

	if (layer_make(f->tree, manifest, f->key, f->certificate, output, NULL))
		return TRUE;
	g_test_skip("mkfs.erofs is not installed");
	return FALSE;
}

/* A second file with the bytes of a layer that is mounted must leave that mount alone: the boot
 * that merges it would fail otherwise. */
static void test_copy(Fixture *f, gconstpointer data)
{
	g_autofree char *mounts = below(f->dir, "mounts");
	gboolean taken;

	(void)data;
	if (!make_layer(f))
		return;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		g_test_skip("no mount namespace can be made: not root");
		return;
	}
	g_assert_cmpstr(open_layer(f, policy_text, "app.raw", mounts, TRUE, &taken), ==,
			"duplicate-layer");
	g_assert_true(taken);
}

static void test_another_arch(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveManifest) manifest = layer_manifest("app", "1");
	g_autofree char *output = below(f->dir, "app.raw");
	g_autoptr(VarveMounted) mounted = varve_mounted_new("app_1_arm64.raw");
	g_autoptr(VarveRefusal) refusal = NULL;

	(void)data;
	g_free(manifest->arch);
	manifest->arch = g_strdup("arm64");
	if (!layer_make(f->tree, manifest, f->key, f->certificate, output, NULL)) {
		g_test_skip("mkfs.erofs is not installed");
		return;
	}
	mounted->fd = open(f->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mounted->layer = varve_layer_open_path(output, NULL);
	refusal = varve_mounted_inspect(mounted);
	g_assert_cmpstr(refusal->code, ==, "manifest-mismatch");
	g_assert_cmpstr(refusal->sentence, ==,
			"its manifest is for arm64, its partitions are for x86-64");
}

/* The kernel gets nothing to read from who is known to be bad. */
static void test_revoked_before_mount(Fixture *f, gconstpointer data)
{
	g_autofree char *mounts = below(f->dir, "mounts");
	g_autofree char *fingerprint =
		varve_digest_dup_hex(varve_certificate_fingerprint(f->certificate));
	g_autofree char *policy =
		g_strdup_printf("%s[revoked]\ncertificates = [\"%s\"]\n", policy_text, fingerprint);
	gboolean taken;

	(void)data;
	if (!make_layer(f))
		return;
	g_assert_cmpstr(open_layer(f, policy, "app.raw", mounts, FALSE, &taken), ==, "revoked");
	g_assert_cmpint(access(mounts, F_OK), <, 0);
}

int main(int argc, char **argv)
{
#define ADD(name, function) g_test_add("/mounted/" name, Fixture, NULL, setup, function, teardown)
	g_test_init(&argc, &argv, NULL);
	ADD("inspect", test_inspect);
	ADD("another-table", test_another_table);
	ADD("another-arch", test_another_arch);
	ADD("contents", test_contents);
	ADD("description-elsewhere", test_description_elsewhere);
	ADD("directory-elsewhere", test_directory_elsewhere);
	ADD("revoked-before-mount", test_revoked_before_mount);
	ADD("copy", test_copy);
	return g_test_run();
}
