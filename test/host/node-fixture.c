/* Making a node of loop devices. */
#include "node-fixture.h"

#include "base/file.h"
#include "crypt/authority.h"
#include "device/loop.h"
#include "ground/mount.h"
#include "stack/report.h"
#include "stack/stack.h"

#include <sched.h>
#include <string.h>

const char *node_fixture_obstacle(void)
{
	g_autofree char *program = g_find_program_in_path("mkfs.erofs");
	g_autofree char *filesystems = NULL;

	if (getuid() != 0)
		return "mounts need root";
	if (!program)
		return "mkfs.erofs is not installed (erofs-utils)";
	if (access("/dev/loop-control", F_OK) < 0)
		return "there are no loop devices";
	if (!g_file_get_contents("/proc/filesystems", &filesystems, NULL, NULL) ||
	    !strstr(filesystems, "\terofs\n") || !strstr(filesystems, "\toverlay\n"))
		return "the kernel has no EROFS or no overlayfs";
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "no mount namespace can be made";
	return NULL;
}

static void make_dirs(const char *root, const char *const *names)
{
	for (; *names; names++) {
		g_autofree char *path = g_build_filename(root, *names, NULL);

		g_assert_cmpint(varve_make_dirs(path), ==, 0);
	}
}

/* Seals a layer of @tree; its file lies in @node->dir/layers. Returns: the loop device's path. */
static char *make_layer(NodeFixture *node, const char *name, VarveRole role, const char *tree,
			LayerTamper tamper, int *ret_loop)
{
	g_autofree char *file = g_strdup_printf("%s/layers/%s_1_x86-64.raw", node->dir, name);
	g_autoptr(VarveManifest) manifest = layer_manifest(name, "1");
	g_autoptr(VarveLayer) layer = NULL;
	guint64 offset, size, hash_offset, hash_size;
	char *device = NULL;

	manifest->role = role;
	g_assert_true(layer_make(tree, manifest, node->key, node->certificate, file, tamper));
	layer = varve_layer_open_path(file, NULL);
	varve_layer_extents(layer, &offset, &size, &hash_offset, &hash_size);
	*ret_loop = varve_loop_attach(varve_layer_fd(layer), offset, size, name, &device, NULL);
	g_assert_cmpint(*ret_loop, >=, 0);
	g_ptr_array_add(node->hashes, varve_digest_dup_hex(varve_layer_root(layer)));
	return device;
}

static void mount_erofs(const char *device, const char *where)
{
	const VarveMountOption options[] = { { "source", device }, { "ro", NULL }, { NULL, NULL } };

	g_assert_cmpint(varve_make_dirs(where), ==, 0);
	g_assert_cmpint(varve_mount_at("erofs", options, NODE_READ_ONLY, where), ==, 0);
}

static void mount_tmpfs(const char *where)
{
	static const VarveMountOption options[] = { { "source", "tmpfs" }, { NULL, NULL } };

	g_assert_cmpint(varve_mount_at("tmpfs", options, 0, where), ==, 0);
}

/* At the root, with memory at /run and what a boot makes there. */
void node_fixture_base(NodeFixture *node, const char *tree, LayerTamper tamper)
{
	g_autofree char *run = g_build_filename(node->root, "run", NULL);
	g_autofree char *base = g_build_filename(node->root, "run/varve/base", NULL);
	g_autofree char *state = g_build_filename(node->root, "run/varve/state", NULL);
	static const char *const run_dirs[] = { "varve/base", "varve/state", "varve/layers",
						"varve/empty", NULL };
	static const char *const state_dirs[] = { "etc/upper", "etc/work", "var/lib/varve/layers",
						  NULL };
	g_autofree char *device = NULL;
	varve_autofd loop = -1;

	device = make_layer(node, "base", VARVE_ROLE_BASE, tree, tamper, &loop);
	mount_erofs(device, node->root);
	mount_tmpfs(run);
	make_dirs(run, run_dirs);
	g_assert_cmpint(varve_mount_bind(node->root, base, NODE_READ_ONLY), ==, 0);
	mount_tmpfs(state);
	make_dirs(state, state_dirs);
}

void node_fixture_layer(NodeFixture *node, const char *name, const char *tree, LayerTamper tamper,
			gboolean keep_file)
{
	g_autofree char *from = g_strdup_printf("%s/layers/%s_1_x86-64.raw", node->dir, name);
	g_autofree char *to = g_strdup_printf(
		"%s/run/varve/state/var/lib/varve/layers/%s_1_x86-64.raw", node->root, name);
	g_autofree char *where = NULL, *device = NULL;
	varve_autofd loop = -1;

	device = make_layer(node, name, VARVE_ROLE_EXTENSION, tree, tamper, &loop);
	where = g_strdup_printf("%s/run/varve/layers/%s", node->root,
				(char *)node->hashes->pdata[node->hashes->len - 1]);
	mount_erofs(device, where);
	if (keep_file)
		g_assert_true(varve_file_copy(from, to, 0644, NULL));
}

static void mount_overlay(const char *where, const VarveMountOption *options)
{
	char log[512];
	varve_autofd fd = varve_mount_make("overlay", options, 0, log, sizeof(log));

	if (fd < 0)
		g_error("%s: %s %s", where, g_strerror(errno), log);
	g_assert_cmpint(varve_mount_attach(fd, where), ==, 0);
}

/* Inside: what has to have the names that a node has. */
static void merge(const NodeFixture *node)
{
	const VarveMountOption etc[] = { { "source", "varve-etc" },
					 { "lowerdir", "/run/varve/base/etc" },
					 { "upperdir", "/run/varve/state/etc/upper" },
					 { "workdir", "/run/varve/state/etc/work" },
					 { NULL, NULL } };
	static const VarveMountOption proc[] = { { "source", "proc" }, { NULL, NULL } };
	g_autoptr(VarveReport) report = varve_report_new();
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) lowers = NULL;
	varve_autofd fd = -1;

	for (guint i = node->hashes->len; i-- > 1;) {
		g_autofree char *lower =
			g_strdup_printf("/run/varve/layers/%s/usr", (char *)node->hashes->pdata[i]);

		g_strv_builder_add(builder, lower);
	}
	g_strv_builder_add(builder, "/run/varve/base/usr");
	lowers = g_strv_builder_end(builder);
	fd = varve_stack_merge_usr((const char *const *)lowers, "/run/varve/empty", NULL);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(varve_mount_attach(fd, "/usr"), ==, 0);
	mount_overlay("/etc", etc);
	g_assert_cmpint(varve_mount_bind("/run/varve/state/var", "/var", 0), ==, 0);
	g_assert_cmpint(varve_mount_at("proc", proc, 0, "/proc"), ==, 0);
	g_free(report->base->root);
	report->base->root = g_strdup(node->hashes->pdata[0]);
	g_assert_true(varve_report_save(report, VARVE_REPORT_FILE, NULL));
}

void node_fixture_init(NodeFixture *node)
{
	g_autofree char *key = NULL, *certificate = NULL, *layers = NULL;

	node->dir = g_dir_make_tmp("varve-node-XXXXXX", NULL);
	node->root = g_build_filename(node->dir, "root", NULL);
	node->hashes = g_ptr_array_new_with_free_func(g_free);
	node->outside = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	key = g_build_filename(node->dir, "team.key", NULL);
	certificate = g_build_filename(node->dir, "team.crt", NULL);
	layers = g_build_filename(node->dir, "layers", NULL);
	g_assert_true(varve_dir_make(layers, 0755, NULL));
	g_assert_true(varve_authority_make(node->dir, "team", NULL));
	node->key = varve_private_key_load(key, NULL);
	node->certificate = varve_certificate_load(certificate, NULL);
}

void node_fixture_enter(NodeFixture *node)
{
	g_assert_cmpint(chroot(node->root), ==, 0);
	g_assert_cmpint(chdir("/"), ==, 0);
	merge(node);
}

void node_fixture_clear(NodeFixture *node)
{
	g_assert_cmpint(fchdir(node->outside), ==, 0);
	g_assert_cmpint(chroot("."), ==, 0);
	close(node->outside);
	umount2(node->root, MNT_DETACH);
	varve_private_key_free(node->key);
	varve_certificate_free(node->certificate);
	varve_dir_remove(AT_FDCWD, node->dir, NULL);
	g_ptr_array_unref(node->hashes);
	g_free(node->root);
	g_free(node->dir);
}
