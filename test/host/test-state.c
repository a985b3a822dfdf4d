/* stack/state.c on a real ext4: what is laid out oddly makes the state volatile, never the boot
 * fail. In a mount namespace of its own. */
#include "base/file.h"
#include "base/process.h"
#include "ground/mount.h"
#include "stack/state.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define SYSROOT VARVE_RUN_DIR "/sysroot"

/* mkfs.ext4 of a tree; FALSE where it is not installed. */
static gboolean make_image(const char *image, const char *tree)
{
	const char *argv[] = { "mkfs.ext4", "-q", "-F", "-d", tree, image, "16M", NULL };

	return g_spawn_sync(NULL, (char **)argv, NULL,
			    G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
			    NULL, NULL, NULL);
}

/* Mounts the state that lies in @image; returns "ok" or "volatile" (static). */
static const char *mount_state(const char *image)
{
	g_autoptr(VarveReport) report = varve_report_new();
	const char *argv[] = { "losetup", "--find", "--show", image, NULL };
	const char *detach[] = { "losetup", "--detach", NULL, NULL };
	g_autofree char *device = NULL;
	g_autoptr(GError) error = NULL;
	gboolean volatile_state;

	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &device, NULL,
		     NULL, &error);
	g_assert_no_error(error);
	detach[2] = g_strstrip(device);
	varve_state_mount(device, SYSROOT, -1, NULL, report, &error);
	g_assert_no_error(error);
	g_test_message("%s: %s", report->state, report->state_detail);
	volatile_state = strcmp(report->state, "volatile") == 0;
	g_assert_true(varve_mount_is(SYSROOT "/etc"));
	g_assert_true(varve_mount_is(SYSROOT "/var"));
	g_assert_true(varve_mount_is(SYSROOT "/etc/selinux"));
	g_assert_cmpint(access(SYSROOT "/etc/base-file", F_OK), ==, 0);
	g_assert_cmpint(access(SYSROOT "/var/lib/varve/layers", F_OK), ==, 0);
	umount2(SYSROOT "/etc/selinux", MNT_DETACH);
	umount2(SYSROOT "/etc", MNT_DETACH);
	umount2(SYSROOT "/var", MNT_DETACH);
	umount2(VARVE_STATE_MOUNT, MNT_DETACH);
	g_spawn_sync(NULL, (char **)detach, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
		     NULL);
	return volatile_state ? "volatile" : "ok";
}

static void test_layouts(void)
{
	static const struct {
		const char *file, *link, *state;
	} cases[] = {
		{ NULL, NULL, "ok" },
		{ "etc/upper", NULL, "volatile" },
		{ NULL, "etc/upper", "volatile" },
		{ "etc/upper/selinux", NULL, "volatile" }, /* hides the base's directory */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *dir = g_dir_make_tmp("varve-state-XXXXXX", NULL);
		g_autofree char *tree = g_build_filename(dir, "tree", NULL);
		g_autofree char *image = g_build_filename(dir, "image", NULL);
		const char *name = cases[i].file ? cases[i].file : cases[i].link;
		g_autofree char *path = g_build_filename(tree, name ? name : "x", NULL);
		g_autofree char *parent = g_path_get_dirname(path);

		g_assert_true(varve_dir_make(parent, 0755, NULL));
		if (cases[i].file)
			g_assert_true(g_file_set_contents(path, "", 0, NULL));
		if (cases[i].link)
			g_assert_cmpint(symlink("/tmp", path), ==, 0);
		if (!make_image(image, tree)) {
			g_test_skip("mkfs.ext4 is not installed");
			return;
		}
		g_assert_cmpstr(mount_state(image), ==, cases[i].state);
		varve_dir_remove(AT_FDCWD, dir, NULL);
	}
}

/* What the label of @path is, or "none". */
static char *label_of(const char *path)
{
	char label[256];
	ssize_t n = lgetxattr(path, "security.selinux", label, sizeof(label) - 1);

	return n < 0 ? g_strdup("none") : g_strndup(label, (gsize)n);
}

static void assert_label(const char *path, const char *expected)
{
	g_autofree char *full = g_strconcat(VARVE_STATE_MOUNT "/", path, NULL);
	g_autofree char *found = label_of(full);

	g_assert_cmpstr(found, ==, expected);
}

static void put(const char *path, const char *text)
{
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* On an ext4 of its own: everything is labelled when it is seeded; later what came without a label,
 * and nothing that somebody gave another one. */
static void test_labels(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-state-XXXXXX", NULL);
	g_autofree char *tree = g_build_filename(dir, "tree", NULL);
	g_autofree char *image = g_build_filename(dir, "image", NULL);
	g_autofree char *seed = g_build_filename(dir, "seed/lib/thing", NULL);
	g_autofree char *policy = g_build_filename(dir, "policy", NULL);
	g_autofree char *config = g_build_filename(policy, "etc/selinux/config", NULL);
	g_autofree char *contexts =
		g_build_filename(policy, "etc/selinux/x/contexts/files/file_contexts", NULL);
	g_autofree char *from = g_build_filename(dir, "seed", NULL);
	g_autofree char *layer = g_build_filename(tree, "var/lib/varve/layers/a.raw", NULL);
	g_autoptr(VarveLabels) labels = NULL;
	varve_autofd seed_fd = -1, fd = -1;

	put(seed, "x");
	put(layer, "x");
	put(config, "SELINUXTYPE=x\n");
	put(contexts, "/.* u:r:default_t:s0\n/etc(/.*)? u:r:etc_t:s0\n"
		      "/run/varve/state(/.*)? u:r:state_t:s0\n/var(/.*)? u:r:var_t:s0\n"
		      "/var/lib/varve(/.*)? u:r:varve_t:s0\n");
	if (!make_image(image, tree)) {
		g_test_skip("mkfs.ext4 is not installed");
		return;
	}
	g_assert_true(varve_labels_open(policy, &labels, NULL));
	g_assert_true(varve_run(NULL, "mount", "-o", "loop", image, VARVE_STATE_MOUNT, NULL));
	seed_fd = varve_dir_open(AT_FDCWD, from, NULL);
	fd = varve_dir_open(AT_FDCWD, VARVE_STATE_MOUNT, NULL);
	g_assert_true(varve_state_prepare(fd, seed_fd, labels, NULL));
	assert_label("", "u:r:state_t:s0");
	assert_label("etc/work", "u:r:state_t:s0");
	assert_label("etc/upper", "u:r:etc_t:s0");
	assert_label("var", "u:r:var_t:s0");
	assert_label("var/lib/thing", "u:r:var_t:s0");
	assert_label("var/lib/varve/layers/a.raw", "u:r:varve_t:s0");

	put(VARVE_STATE_MOUNT "/etc/upper/ssh/keys", "x");
	put(VARVE_STATE_MOUNT "/etc/upper/own", "x");
	put(VARVE_STATE_MOUNT "/var/lib/varve/layers/b.raw", "x");
	g_assert_cmpint(setxattr(VARVE_STATE_MOUNT "/etc/upper/own", "security.selinux",
				 "u:r:own_t:s0", 13, 0),
			==, 0);
	g_assert_cmpint(symlink("/tmp", VARVE_STATE_MOUNT "/etc/upper/link"), ==, 0);
	g_assert_true(varve_state_prepare(fd, seed_fd, labels, NULL));
	assert_label("etc/upper/ssh/keys", "u:r:etc_t:s0");
	assert_label("etc/upper/own", "u:r:own_t:s0");
	assert_label("etc/upper/link", "u:r:etc_t:s0");
	assert_label("var/lib/varve/layers/b.raw", "u:r:varve_t:s0");
	umount2(VARVE_STATE_MOUNT, MNT_DETACH);
	varve_dir_remove(AT_FDCWD, dir, NULL);
}

int main(int argc, char **argv)
{
	const VarveMountOption options[] = { { "mode", "0755" }, { NULL, NULL } };

	g_test_init(&argc, &argv, NULL);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    access("/dev/loop-control", W_OK) < 0) {
		printf("1..0 # SKIP needs root, mount namespaces and loop devices\n");
		return 0;
	}
	g_assert_cmpint(varve_mount_at("tmpfs", options, 0, "/run"), ==, 0);
	g_assert_cmpint(varve_make_dirs(VARVE_BASE_MOUNT "/etc/selinux"), ==, 0);
	g_assert_cmpint(varve_make_dirs(SYSROOT "/etc"), ==, 0);
	g_assert_cmpint(varve_make_dirs(SYSROOT "/var"), ==, 0);
	g_assert_true(g_file_set_contents(VARVE_BASE_MOUNT "/etc/base-file", "", 0, NULL));
	g_assert_cmpint(varve_make_dirs(VARVE_STATE_MOUNT), ==, 0);
	g_test_add_func("/state/layouts", test_layouts);
	g_test_add_func("/state/labels", test_labels);
	return g_test_run();
}
