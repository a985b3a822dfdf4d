/* stack/ on real mounts: EROFS images through loop devices (no device-mapper: dm-verity is what the
 * tests in a VM have), their inspection, and the overlay. In a mount namespace of its own. */
#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "device/loop.h"
#include "ground/mount.h"
#include "node-fixture.h"
#include "stack/stack.h"
#include "unit/layer-make.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

typedef struct {
	char *dir;
	VarvePrivateKey *key;
	VarveCertificate *certificate;
} Host;

static char *inside(const Host *host, const char *name)
{
	return g_build_filename(host->dir, name, NULL);
}

/* The layer @name, sealed and mounted at DIR/NAME; its tree holds usr/share/NAME. */
static VarveMounted *make_mounted(const Host *host, const char *name, LayerTamper tamper)
{
	const unsigned strict = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	g_autofree char *tree = inside(host, "tree");
	g_autofree char *file = g_strdup_printf("%s/%s_1_x86-64.raw", host->dir, name);
	g_autofree char *own = g_strconcat("usr/share/", name, NULL);
	g_autofree char *release =
		g_strconcat("usr/lib/extension-release.d/extension-release.", name, NULL);
	g_autofree char *release_path = g_build_filename(tree, release, NULL);
	g_autofree char *device = NULL;
	VarveMounted *mounted = varve_mounted_new(name);
	g_autoptr(VarveManifest) manifest = layer_manifest(name, "1");
	guint64 offset, size, hash_offset, hash_size;
	g_autoptr(GError) error = NULL;
	varve_autofd loop = -1;

	g_assert_true(varve_dir_remove(AT_FDCWD, tree, NULL));
	layer_put(tree, own, name, 0644);
	layer_put(tree, "usr/bin/app", "#!/bin/sh\n", 0755);
	layer_put(tree, release, "ID=varve\nVERSION_ID=1\n", 0644);
	g_assert_cmpint(setxattr(release_path, "user.extension-release.strict", "0", 1, 0), ==, 0);
	g_assert_true(layer_make(tree, manifest, host->key, host->certificate, file, tamper));

	mounted->layer = varve_layer_open_path(file, &error);
	g_assert_no_error(error);
	varve_layer_extents(mounted->layer, &offset, &size, &hash_offset, &hash_size);
	loop = varve_loop_attach(varve_layer_fd(mounted->layer), offset, size, name, &device,
				 &error);
	g_assert_no_error(error);
	mounted->where = inside(host, name);
	g_assert_cmpint(varve_make_dirs(mounted->where), ==, 0);
	{
		const VarveMountOption options[] = { { "source", device },
						     { "ro", NULL },
						     { NULL, NULL } };

		g_assert_cmpint(varve_mount_at("erofs", options, strict, mounted->where), ==, 0);
	}
	mounted->fd = varve_dir_open(AT_FDCWD, mounted->where, &error);
	g_assert_no_error(error);
	return mounted;
}

static void test_inspect(gconstpointer data)
{
	g_autoptr(VarveMounted) mounted = make_mounted(data, "good", NULL);
	g_autoptr(VarveRefusal) refusal = varve_mounted_inspect(mounted);

	if (refusal)
		g_error("%s: %s", refusal->code, refusal->sentence);
	g_assert_cmpstr(mounted->facts.manifest->name, ==, "good");
	g_assert_false(mounted->facts.extension_release_strict);
	g_assert_cmpstr(mounted->facts.extension_release, ==, "ID=varve\nVERSION_ID=1\n");
	/* Root, usr, bin, app, share, good, lib, extension-release.d, its file, varve, layers and
	 * the two files that describe it. */
	g_assert_cmpuint(mounted->facts.tree->len, ==, 13);
}

static VarvePath *find(GPtrArray *paths, const char *name)
{
	for (guint i = 0; i < paths->len; i++) {
		VarvePath *path = paths->pdata[i];

		if (strcmp(path->path, name) == 0)
			return path;
	}
	g_assert_not_reached();
}

static void lie_about_mode(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "usr/bin/app")->mode |= S_ISUID;
}

static void lie_about_owner(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "usr/bin/app")->uid = 1000;
}

static void lie_about_size(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "usr/bin/app")->size++;
}

static void lie_about_label(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "usr/bin/app")->label = "system_u:object_r:bin_t:s0";
}

static void leave_out(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	g_ptr_array_remove(paths, find(paths, "usr/bin/app"));
}

static void leave_out_last(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	g_ptr_array_set_size(paths, (gint)paths->len - 1);
}

static void make_up(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	find(paths, "usr/bin/app")->path = "usr/bin/other";
}

static void test_mismatch(gconstpointer data)
{
	static const LayerTamper lies[] = { lie_about_mode,  lie_about_owner, lie_about_size,
					    lie_about_label, leave_out,       leave_out_last,
					    make_up };

	for (gsize i = 0; i < G_N_ELEMENTS(lies); i++) {
		g_autofree char *name = g_strdup_printf("lie%zu", i);
		g_autoptr(VarveMounted) mounted = make_mounted(data, name, lies[i]);
		g_autoptr(VarveRefusal) refusal = varve_mounted_inspect(mounted);

		g_assert_nonnull(refusal);
		g_test_message("%s", refusal->sentence);
		g_assert_cmpstr(refusal->code, ==, "manifest-mismatch");
	}
}

static void assert_content(const char *dir, const char *name, const char *expected)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, expected);
}

static int merge(const Host *host, const GPtrArray *layers, const char *where)
{
	g_autofree char *base = inside(host, "base/usr");
	g_autofree char *empty = inside(host, "empty");
	g_auto(GStrv) lowers = varve_stack_lowers(layers, base);
	g_autoptr(GError) error = NULL;
	varve_autofd mount_fd = -1;

	layer_put(base, "share/base", "base", 0644);
	g_assert_cmpint(varve_make_dirs(empty), ==, 0);
	g_assert_cmpint(varve_make_dirs(where), ==, 0);
	mount_fd = varve_stack_merge_usr((const char *const *)lowers, empty, &error);
	g_assert_no_error(error);
	return varve_mount_attach(mount_fd, where);
}

static void test_merge(gconstpointer data)
{
	const Host *host = data;
	g_autoptr(GPtrArray) layers =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_mounted_free);
	g_autofree char *where = inside(host, "merged");
	g_autofree char *probe = g_build_filename(where, "probe", NULL);
	int fd;

	g_ptr_array_add(layers, make_mounted(host, "one", NULL));
	g_ptr_array_add(layers, make_mounted(host, "two", NULL));
	g_assert_cmpint(merge(host, layers, where), ==, 0);
	assert_content(where, "share/one", "one");
	assert_content(where, "share/two", "two");
	assert_content(where, "share/base", "base");
	fd = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	g_assert_cmpint(fd, ==, -1);
	g_assert_cmpint(errno, ==, EROFS);
	/* The layers' own mounts may go; what was merged of them stays. */
	g_ptr_array_set_size(layers, 0);
	assert_content(where, "share/one", "one");
	g_assert_cmpint(umount2(where, 0), ==, 0);
}

/* Also a base alone is an overlay: only that can be swapped. */
static void test_merge_alone(gconstpointer data)
{
	const Host *host = data;
	g_autoptr(GPtrArray) layers = g_ptr_array_new();
	g_autofree char *where = inside(host, "alone");

	g_assert_cmpint(merge(host, layers, where), ==, 0);
	g_assert_true(varve_mount_is(where));
	assert_content(where, "share/base", "base");
	g_assert_cmpint(umount2(where, 0), ==, 0);
}

static void test_merge_failure_says_why(gconstpointer data)
{
	const Host *host = data;
	g_autofree char *missing = inside(host, "missing");
	const char *const lowers[] = { missing, missing, NULL };
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(varve_stack_merge_usr(lowers, host->dir, &error), ==, -1);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

/* A mount inside the tree and links out of it are not followed. */
static void test_walk_stays_inside(gconstpointer data)
{
	const Host *host = data;
	static const VarveMountOption options[] = { { "source", "test" }, { NULL, NULL } };
	g_autofree char *tree = inside(host, "walk");
	g_autofree char *link = g_build_filename(tree, "link", NULL);
	g_autofree char *mount_point = g_build_filename(tree, "mnt", NULL);
	g_autoptr(GStringChunk) strings = g_string_chunk_new(64);
	g_autoptr(GPtrArray) paths = NULL;
	g_autoptr(GError) error = NULL;
	varve_autofd fd = -1;

	layer_put(tree, "file", "x", 0644);
	g_assert_cmpint(symlink("/", link), ==, 0);
	fd = varve_dir_open(AT_FDCWD, tree, NULL);
	paths = varve_tree_walk(fd, strings, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(paths->len, ==, 3);
	g_assert_cmpstr(((VarvePath *)paths->pdata[2])->target, ==, "/");
	g_assert_cmpint(varve_make_dirs(mount_point), ==, 0);
	g_assert_cmpint(varve_mount_at("tmpfs", options, 0, mount_point), ==, 0);
	g_assert_null(varve_tree_walk(fd, strings, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_cmpint(umount2(mount_point, 0), ==, 0);
}

/* What was let go leaves no loop device behind. */
static void test_nothing_stays(gconstpointer data)
{
	VarveMounted *mounted = make_mounted(data, "brief", NULL);
	g_autofree char *where = g_strdup(mounted->where);
	struct stat st;
	int left = 1;

	g_assert_cmpint(fstat(mounted->fd, &st), ==, 0);
	varve_mounted_free(mounted);
	g_assert_cmpint(access(where, F_OK), ==, -1);
	for (int i = 0; i < 100 && left > 0; i++) {
		g_autofree char *path = g_strdup_printf("/sys/dev/block/%u:%u/loop/backing_file",
							(unsigned)(st.st_dev >> 8 & 0xfff),
							(unsigned)(st.st_dev & 0xff));

		left = access(path, F_OK) == 0;
		g_usleep(10000);
	}
	g_assert_cmpint(left, ==, 0);
}

int main(int argc, char **argv)
{
	const char *why = node_fixture_obstacle();
	g_autofree char *key = NULL;
	g_autofree char *certificate = NULL;
	Host host = { NULL };
	int result;

	g_test_init(&argc, &argv, NULL);
	if (why) {
		g_print("1..0 # SKIP %s\n", why);
		return 77;
	}
	host.dir = g_dir_make_tmp("varve-stack-XXXXXX", NULL);
	key = inside(&host, "team.key");
	certificate = inside(&host, "team.crt");
	g_assert_true(varve_authority_make(host.dir, "team", NULL));
	host.key = varve_private_key_load(key, NULL);
	host.certificate = varve_certificate_load(certificate, NULL);
	g_test_add_data_func("/stack/inspect", &host, test_inspect);
	g_test_add_data_func("/stack/mismatch", &host, test_mismatch);
	g_test_add_data_func("/stack/merge", &host, test_merge);
	g_test_add_data_func("/stack/merge-alone", &host, test_merge_alone);
	g_test_add_data_func("/stack/merge-failure-says-why", &host, test_merge_failure_says_why);
	g_test_add_data_func("/stack/walk-stays-inside", &host, test_walk_stays_inside);
	g_test_add_data_func("/stack/nothing-stays", &host, test_nothing_stays);
	result = g_test_run();
	varve_private_key_free(host.key);
	varve_certificate_free(host.certificate);
	varve_dir_remove(AT_FDCWD, host.dir, NULL);
	g_free(host.dir);
	return result;
}
