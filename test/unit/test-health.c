/* stack/overmount.c, damage.c, unit-of.c, owners.c: what a look at a running stack tells. Devices
 * and mounts are asked for real in a VM (test/vm/tampering). */
#include "stack/damage.h"
#include "stack/overmount.h"
#include "stack/unit-of.h"

#include <string.h>
#include <unistd.h>

#define ROOT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ROOT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LOWERS \
	"lowerdir+=/run/varve/layers/" ROOT_B "/usr,lowerdir+=/run/varve/layers/" ROOT_A \
	"/usr,lowerdir+=/run/varve/base/usr"
#define SLASH "22 1 254:0 / / ro - erofs /dev/mapper/varve-0 ro\n"
#define BASE "23 22 254:0 / /run/varve/base ro - erofs /dev/mapper/varve-0 ro\n"
#define LAYER_A "24 22 254:1 / /run/varve/layers/" ROOT_A " ro - erofs /dev/mapper/varve-a ro\n"
#define LAYER_B "25 22 254:2 / /run/varve/layers/" ROOT_B " ro - erofs /dev/mapper/varve-b ro\n"
#define USR "30 22 0:25 / /usr ro,nodev - overlay varve ro," LOWERS ",xino=on\n"
#define STACK SLASH BASE LAYER_A LAYER_B USR

static void add_layer(VarveReport *report, const char *name, const char *root, gboolean accepted)
{
	VarveReportLayer *layer = varve_report_layer_new();

	g_free(layer->name);
	g_free(layer->root);
	layer->name = g_strdup(name);
	layer->root = g_strdup(root);
	layer->accepted = accepted;
	g_ptr_array_add(report->layers, layer);
}

/* "PATH: SENTENCE" of each, divided by line breaks. */
static char *look(const char *mountinfo)
{
	g_autoptr(VarveReport) report = varve_report_new();
	g_autoptr(GPtrArray) found = NULL;
	g_autoptr(GError) error = NULL;
	GString *text = g_string_new(NULL);

	add_layer(report, "a", ROOT_A, TRUE);
	add_layer(report, "b", ROOT_B, TRUE);
	add_layer(report, "refused", "cc", FALSE);
	found = varve_overmounts_find(report, mountinfo, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < found->len; i++) {
		const VarveOvermount *overmount = found->pdata[i];

		g_string_append_printf(text, "%s%s", i ? "\n" : "", overmount->sentence);
	}
	return g_string_free(text, FALSE);
}

static void test_overmounts(void)
{
	static const struct {
		const char *mountinfo, *expected;
	} cases[] = {
		{ STACK, "" },
		{ STACK "40 22 8:1 / /var rw - ext4 /dev/vda8 rw\n"
			"41 22 0:9 / /usrlocal rw - tmpfs tmpfs rw\n"
			"42 22 8:1 / /run/varve/state rw - ext4 /dev/vda8 rw\n",
		  "" },
		{ STACK "40 30 8:1 /x /usr/bin/true rw - ext4 /dev/vda8 rw\n",
		  "something is mounted over /usr/bin/true: ext4 of /dev/vda8" },
		{ STACK "40 30 0:9 / /usr/share rw - tmpfs  rw\n",
		  "something is mounted over /usr/share: tmpfs of nothing" },
		/* A second of the same, and one that only looks like it. */
		{ STACK USR, "something is mounted over /usr: overlay of varve" },
		{ STACK "40 30 0:26 / /usr rw - overlay varve rw,lowerdir+=/var/x,lowerdir+=/usr\n",
		  "something is mounted over /usr: overlay of varve" },
		{ STACK "40 30 0:26 / /usr rw - overlay varve rw," LOWERS ",upperdir=/x\n",
		  "something is mounted over /usr: overlay of varve" },
		{ SLASH BASE LAYER_A LAYER_B
		  "30 22 0:25 / /usr ro - overlay varve ro,lowerdir+=/run/varve/layers/" ROOT_A
		  "/usr,lowerdir+=/run/varve/base/usr\n",
		  "something is mounted over /usr: overlay of varve\n"
		  "the merged /usr is not mounted any more: the base's alone is used" },
		{ SLASH BASE, "the merged /usr is not mounted any more: the base's alone is used" },
		{ STACK "40 22 0:9 / / rw - tmpfs tmpfs rw\n",
		  "something is mounted over /: tmpfs of tmpfs" },
		{ STACK "40 23 0:9 / /run/varve/base rw - tmpfs tmpfs rw\n",
		  "something is mounted over /run/varve/base: tmpfs of tmpfs" },
		{ STACK "40 23 0:9 / /run/varve/base/usr/lib/verity.d rw - tmpfs tmpfs rw\n",
		  "something is mounted over /run/varve/base/usr/lib/verity.d: tmpfs of tmpfs" },
		{ STACK "40 24 254:1 /usr /run/varve/layers/" ROOT_A " ro - erofs /dev/x ro\n",
		  "something is mounted over /run/varve/layers/" ROOT_A ": erofs of /dev/x" },
		{ STACK "40 24 254:9 / /run/varve/layers/cc ro - erofs /dev/x ro\n",
		  "something is mounted over /run/varve/layers/cc: erofs of /dev/x" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *found = look(cases[i].mountinfo);

		g_test_message("%s", cases[i].mountinfo);
		g_assert_cmpstr(found, ==, cases[i].expected);
	}
}

static void test_broken_mountinfo(void)
{
	g_autoptr(VarveReport) report = varve_report_new();
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_overmounts_find(report, "nonsense\n", &error));
	g_assert_nonnull(error);
}

static void test_damage(void)
{
	VarveDamage damage = { .layer = (char *)"ssh",
			       .version = (char *)"10",
			       .file = (char *)"ssh_10_x86-64.raw",
			       .known = TRUE,
			       .block = 17,
			       .path = (char *)"/usr/bin/ssh",
			       .package = (char *)"openssh-client-1:10.x86_64" };
	g_autofree char *file = varve_damage_sentence(&damage);
	g_autofree char *next = varve_damage_next(&damage);
	g_autofree char *generated = NULL, *nowhere = NULL, *tree = NULL, *unknown = NULL;
	g_autofree char *base = NULL;

	damage.package = (char *)"";
	generated = varve_damage_sentence(&damage);
	damage.path = damage.file = (char *)"";
	nowhere = varve_damage_sentence(&damage);
	base = varve_damage_next(&damage);
	damage.tree = TRUE;
	tree = varve_damage_sentence(&damage);
	damage.known = FALSE;
	unknown = varve_damage_sentence(&damage);
	g_assert_cmpstr(file, ==,
			"block 17 of /usr/bin/ssh (package openssh-client-1:10.x86_64) is not what "
			"was signed");
	g_assert_cmpstr(generated, ==, "block 17 of /usr/bin/ssh is not what was signed");
	g_assert_cmpstr(nowhere, ==,
			"block 17, of which no path can be told, is not what was signed");
	g_assert_cmpstr(tree, ==, "block 17 of its verity tree is not what was signed");
	g_assert_nonnull(strstr(unknown, "varvectl verify"));
	g_assert_nonnull(strstr(next, "ssh_10_x86-64.raw into /var/lib/varve/layers"));
	g_assert_nonnull(strstr(base, "the other entry of the boot menu"));
}

static void test_units(void)
{
	static const struct {
		const char *text, *unit;
	} cases[] = {
		{ "0::/system.slice/ssh.service\n", "ssh.service" },
		{ "0::/system.slice/containerd.service/kubepods/x.service\n",
		  "containerd.service" },
		{ "0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope" },
		{ "0::/init.scope\n", "init.scope" },
		{ "1:name=systemd:/x\n0::/system.slice/a.service\n", "a.service" },
		{ "0::/system.slice/x.service/payload\n", "x.service" },
		{ "0::/system.slice/x.service/ssh.service", "x.service" },
		{ "0::/system.slice/sshd.socket\n", "sshd.socket" },
		{ "0::/system.slice/var.mount\n", "var.mount" },
		{ "0::/system.slice/\n", NULL },
		{ "10::/system.slice/a.service\n0::/init.scope\n", "init.scope" },
		{ "0::/\n", NULL },
		{ "10::/system.slice/a.service\n", NULL },
		{ "", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *unit = varve_unit_from_cgroup(cases[i].text);

		g_assert_cmpstr(unit, ==, cases[i].unit);
	}
}

/* A pid is used again: another name or a later start is another process. */
static void test_unit_of_another(void)
{
	g_autofree char *comm = NULL;

	g_assert_true(g_file_get_contents("/proc/self/comm", &comm, NULL, NULL));
	g_strchomp(comm);
	g_assert_null(varve_unit_of((guint)getpid(), "another", g_get_real_time()));
	g_assert_null(varve_unit_of((guint)getpid(), comm,
				    g_get_real_time() - 365 * 86400 * G_GINT64_CONSTANT(1000000)));
	g_assert_null(varve_unit_of(0, comm, g_get_real_time()));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/health/overmounts", test_overmounts);
	g_test_add_func("/health/broken-mountinfo", test_broken_mountinfo);
	g_test_add_func("/health/damage", test_damage);
	g_test_add_func("/health/units", test_units);
	g_test_add_func("/health/unit-of-another", test_unit_of_another);
	return g_test_run();
}
