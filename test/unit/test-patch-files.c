/* Which files of a newer package a patch carries: what files may do, which real packages of the
 * host tests do not have. */
#include "compose/patch-internal.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"

#include <string.h>
#include <sys/stat.h>

#define PING "usr/bin/ping"
#define OLD "ping-1-1.x86_64"
#define NEW "ping-2-1.x86_64"
#define BYTES "the same bytes\n"

typedef struct {
	char *dir, *content;
	VarvePatchLayer layer;
	VarvePatchPackage package;
	VarvePatchMaking making;
} Fixture;

static const VarveXattr capability = { "security.capability", "x", 1 };

/* A base with one file, and a newer package with the same bytes of it. */
static void set_up(Fixture *f, gconstpointer data)
{
	f->dir = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	f->content = g_build_filename(f->dir, "content", NULL);
	g_assert_true(varve_file_write(AT_FDCWD, f->content, BYTES, strlen(BYTES), 0644, NULL));
	f->layer.manifest = varve_manifest_new();
	g_free(f->layer.manifest->name);
	f->layer.manifest->name = g_strdup("base");
	g_free(f->layer.manifest->version);
	f->layer.manifest->version = g_strdup("1");
	f->layer.manifest->role = VARVE_ROLE_BASE;
	f->layer.users = g_hash_table_new(g_str_hash, g_str_equal);
	f->layer.groups = g_hash_table_new(g_str_hash, g_str_equal);
	g_hash_table_insert(f->layer.users, (gpointer) "root", GUINT_TO_POINTER(0));
	g_hash_table_insert(f->layer.groups, (gpointer) "root", GUINT_TO_POINTER(0));
	f->package.package = varve_package_new();
	g_free(f->package.package->nevra);
	f->package.package->nevra = g_strdup(NEW);
	f->package.old = (char *)OLD;
	f->package.layer = &f->layer;
	f->package.files = g_ptr_array_new_with_free_func((GDestroyNotify)varve_package_file_free);
	f->package.contents = g_ptr_array_new();
	f->making.tree = varve_tree_new();
	f->making.manifest = varve_manifest_new();
	f->making.notes = g_ptr_array_new_with_free_func(g_free);
	(void)data;
}

static void tear_down(Fixture *f, gconstpointer data)
{
	(void)data;
	g_ptr_array_unref(f->making.notes);
	varve_manifest_free(f->making.manifest);
	varve_tree_free(f->making.tree);
	g_ptr_array_unref(f->package.contents);
	g_ptr_array_unref(f->package.files);
	varve_package_free(f->package.package);
	g_hash_table_unref(f->layer.groups);
	g_hash_table_unref(f->layer.users);
	varve_path_table_free(f->layer.paths);
	varve_manifest_free(f->layer.manifest);
	g_assert_true(varve_dir_remove(AT_FDCWD, f->dir, NULL));
	g_free(f->content);
	g_free(f->dir);
}

/* The layer has the file, with a capability or without. */
static void have(Fixture *f, gboolean capable)
{
	VarvePath path = { .path = PING,
			   .mode = S_IFREG | 0755,
			   .size = strlen(BYTES),
			   .target = "",
			   .label = "",
			   .package = OLD,
			   .xattrs = capable ? &capability : NULL,
			   .n_xattrs = capable ? 1 : 0 };
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GBytes) bytes = NULL;

	varve_sha256(BYTES, strlen(BYTES), &path.digest);
	g_ptr_array_add(paths, &path);
	bytes = varve_path_table_write(paths, NULL);
	f->layer.paths = varve_path_table_open(bytes, "base", NULL);
	g_assert_nonnull(f->layer.paths);
}

static void bring(Fixture *f, const char *name, const char *capabilities)
{
	VarvePackageFile *file = g_new0(VarvePackageFile, 1);

	file->path = g_strdup(name);
	file->mode = S_IFREG | 0755;
	file->user = g_strdup("root");
	file->group = g_strdup("root");
	file->capabilities = g_strdup(capabilities);
	file->target = g_strdup("");
	file->digest = g_strdup("");
	file->size = strlen(BYTES);
	file->package = f->package.package;
	g_ptr_array_add(f->package.files, file);
	g_ptr_array_add(f->package.contents, f->content);
}

static void test_same(Fixture *f, gconstpointer data)
{
	GError *error = NULL;

	(void)data;
	have(f, FALSE);
	bring(f, PING, "");
	g_assert_true(varve_patch_add_files(&f->making, &f->package, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(f->making.manifest->overrides->len, ==, 0);
	g_assert_cmpuint(f->making.notes->len, ==, 0);
}

/* Nobody takes it for fixed who is not told. */
static void test_keeps_capabilities(Fixture *f, gconstpointer data)
{
	GError *error = NULL;

	(void)data;
	have(f, TRUE);
	bring(f, PING, "cap_net_raw=ep");
	g_assert_true(varve_patch_add_files(&f->making, &f->package, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(f->making.manifest->overrides->len, ==, 0);
	g_assert_cmpuint(f->making.notes->len, ==, 1);
	g_assert_cmpstr(f->making.notes->pdata[0], ==,
			"/" PING " keeps the capabilities that it has in base 1; in " NEW
			" they are 'cap_net_raw=ep'");
}

/* No node would merge it. */
static void test_new_capabilities(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	(void)data;
	have(f, FALSE);
	bring(f, "usr/bin/traceroute", "cap_net_raw=ep");
	g_assert_false(varve_patch_add_files(&f->making, &f->package, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_assert_nonnull(strstr(error->message, "which it has in no layer"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function) \
	g_test_add("/patch-files/" name, Fixture, NULL, set_up, function, tear_down)
	ADD("same", test_same);
	ADD("keeps-capabilities", test_keeps_capabilities);
	ADD("new-capabilities", test_new_capabilities);
	return g_test_run();
}
