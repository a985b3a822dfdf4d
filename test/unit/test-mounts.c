#include "stack/xino.h"
#include "trace/mounts.h"

#include "base/error.h"

#include <sys/sysmacros.h>

/* As Linux 6.12 writes it on a node. */
static const char sample[] =
	"27 1 253:0 / / ro,nodev,relatime shared:1 - erofs /dev/mapper/varve-8b ro,user_xattr,acl\n"
	"28 26 253:0 / /run/varve/base ro,nosuid shared:17 - erofs /dev/mapper/varve-8b ro\n"
	"30 27 254:8 /var /var rw,nosuid,nodev,relatime shared:2 - ext4 /dev/vda8 rw\n"
	"33 27 0:25 / /etc rw - overlay varve-etc "
	"rw,lowerdir=/run/varve/base/etc,upperdir=/run/varve/state/etc/upper,uuid=on\n"
	"35 33 253:0 /etc/selinux /etc/selinux ro shared:3 master:1 - erofs /dev/mapper/varve-8b "
	"ro\n"
	"41 27 0:28 / /usr ro shared:4 - overlay varve "
	"ro,lowerdir+=/run/varve/layers/10/usr,lowerdir+=/run/a\\040b\\054c\\134d/usr,"
	"lowerdir+=/run/varve/base/usr,redirect_dir=nofollow,xino=on\n"
	"42 41 0:29 / /usr rw - tmpfs none rw\n"
	"43 41 0:30 /in\\040side /mnt/my\\040disk rw - ext4 /dev/sdb1 rw\n";

static GPtrArray *parse_sample(void)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *mounts = varve_mountinfo_parse(sample, &error);

	g_assert_no_error(error);
	return mounts;
}

static void test_parse(void)
{
	g_autoptr(GPtrArray) mounts = parse_sample();
	const VarveMount *mount = varve_mounts_by_id(mounts, 35);

	g_assert_cmpuint(mounts->len, ==, 8);
	g_assert_cmpstr(mount->root, ==, "/etc/selinux");
	g_assert_cmpstr(mount->point, ==, "/etc/selinux");
	g_assert_cmpstr(mount->type, ==, "erofs");
	g_assert_true(mount->device == makedev(253, 0));
	g_assert_null(varve_mounts_by_id(mounts, 1));
	mount = varve_mounts_by_id(mounts, 43);
	g_assert_cmpstr(mount->root, ==, "/in side");
	g_assert_cmpstr(mount->point, ==, "/mnt/my disk");
	/* The topmost of what is mounted at one place. */
	g_assert_cmpuint(varve_mount_topmost(mounts, "/usr")->id, ==, 42);
	g_assert_null(varve_mount_topmost(mounts, "/usr/lib"));
}

/* What a swap tucks beneath an old /usr has the higher id, and so comes last; Linux 6.18 wrote this
 * of a service with a mount of its own below /usr. */
static void test_topmost(void)
{
	static const char text[] =
		"156 155 7:0 / / ro shared:1 - erofs /dev/loop0 ro\n"
		"159 166 0:42 / /usr ro - overlay varve ro,lowerdir+=/a\n"
		"160 159 0:46 / /usr/share rw - tmpfs t rw\n"
		"166 156 0:47 / /usr ro master:5 - overlay varve ro,lowerdir+=/b\n";
	g_autoptr(GPtrArray) mounts = varve_mountinfo_parse(text, NULL);

	g_assert_cmpuint(varve_mount_topmost(mounts, "/usr")->id, ==, 159);
	g_assert_cmpuint(varve_mount_topmost(mounts, "/")->id, ==, 156);
	g_assert_null(varve_mount_topmost(mounts, "/usr/lib"));
}

static void test_options(void)
{
	g_autoptr(GPtrArray) mounts = parse_sample();
	g_auto(GStrv) lowers = varve_mount_option(varve_mounts_by_id(mounts, 41), "lowerdir+");
	g_auto(GStrv) upper = varve_mount_option(varve_mounts_by_id(mounts, 33), "upperdir");
	g_auto(GStrv) none = varve_mount_option(varve_mounts_by_id(mounts, 33), "lower");

	g_assert_cmpuint(g_strv_length(lowers), ==, 3);
	g_assert_cmpstr(lowers[0], ==, "/run/varve/layers/10/usr");
	g_assert_cmpstr(lowers[1], ==, "/run/a b,c\\d/usr");
	g_assert_cmpstr(lowers[2], ==, "/run/varve/base/usr");
	g_assert_cmpuint(g_strv_length(upper), ==, 1);
	g_assert_cmpstr(upper[0], ==, "/run/varve/state/etc/upper");
	g_assert_cmpuint(g_strv_length(none), ==, 0);
}

static void test_inside(void)
{
	static const struct {
		guint id;
		const char *path, *inside;
	} cases[] = {
		{ 27, "/", "" },
		{ 27, "/bin", "bin" },
		{ 28, "/run/varve/base/etc/hosts", "etc/hosts" },
		{ 28, "/run/varve/based", NULL },
		{ 30, "/var", "var" },
		{ 30, "/var/lib/x", "var/lib/x" },
		{ 30, "/variable", NULL },
		{ 35, "/etc/selinux/config", "etc/selinux/config" },
		{ 43, "/mnt/my disk/a", "in side/a" },
		{ 43, "/mnt", NULL },
	};
	g_autoptr(GPtrArray) mounts = parse_sample();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *inside =
			varve_mounts_inside(varve_mounts_by_id(mounts, cases[i].id), cases[i].path);

		g_assert_cmpstr(inside, ==, cases[i].inside);
	}
}

static void test_own(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) mounts = varve_mounts_read(&error);

	g_assert_no_error(error);
	g_assert_nonnull(varve_mount_topmost(mounts, "/proc"));
}

static void test_xino(void)
{
	static const struct {
		guint n, layer, shift;
	} cases[] = { { 2, 1, 62 }, { 2, 2, 62 },   { 3, 3, 62 },   { 4, 4, 61 },
		      { 7, 5, 61 }, { 16, 16, 59 }, { 64, 63, 57 }, { 500, 500, 55 } };
	guint64 inode = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint64 number = (guint64)cases[i].layer << cases[i].shift | 1407;

		g_assert_cmpuint(varve_xino_layer(number, cases[i].n, &inode), ==, cases[i].layer);
		g_assert_cmpuint(inode, ==, 1407);
		g_assert_cmpuint(varve_xino_number(1407, cases[i].layer, cases[i].n), ==, number);
	}
	/* What a node of four layers showed: /usr/bin/bash of its base, sshd of the topmost. */
	g_assert_cmpuint(varve_xino_layer(G_GUINT64_CONSTANT(9223372036854777215), 4, &inode), ==,
			 4);
	g_assert_cmpuint(inode, ==, 1407);
	g_assert_cmpuint(varve_xino_layer(G_GUINT64_CONSTANT(2305843009213834112), 4, &inode), ==,
			 1);
	g_assert_cmpuint(inode, ==, 140160);
}

static void test_should_fail_xino(void)
{
	guint64 inode = 7;

	/* An upper, or xino=off; more than there are; an inode that did not fit; no overlay. */
	g_assert_cmpuint(varve_xino_layer(1407, 4, &inode), ==, 0);
	g_assert_cmpuint(varve_xino_layer((guint64)5 << 61 | 1, 4, &inode), ==, 0);
	g_assert_cmpuint(varve_xino_layer((guint64)1 << 61 | (guint64)1 << 60, 4, &inode), ==, 0);
	g_assert_cmpuint(varve_xino_layer((guint64)1 << 62, 1, &inode), ==, 0);
	g_assert_cmpuint(varve_xino_layer((guint64)1 << 62, 0, &inode), ==, 0);
	g_assert_cmpuint(inode, ==, 7);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mounts/parse", test_parse);
	g_test_add_func("/mounts/topmost", test_topmost);
	g_test_add_func("/mounts/options", test_options);
	g_test_add_func("/mounts/inside", test_inside);
	g_test_add_func("/mounts/own", test_own);
	g_test_add_func("/xino/layer", test_xino);
	g_test_add_func("/xino/should-fail", test_should_fail_xino);
	return g_test_run();
}
