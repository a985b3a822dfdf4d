#include "format/maps.h"
#include "trace/accounts.h"
#include "trace/drift.h"

#include <string.h>
#include <sys/sysmacros.h>

static GHashTable *declared(void)
{
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	varve_accounts_declare("# users\nu sshd 74:74 \"x\" /run/sshd\n\tg \tkvm 36\nm sshd kvm\n"
			       "u! locked -\nr - 500-900\nu\n",
			       names);
	return names;
}

static void test_declare(void)
{
	g_autoptr(GHashTable) names = declared();

	g_assert_cmpuint(g_hash_table_size(names), ==, 3);
	g_assert_true(g_hash_table_contains(names, "sshd"));
	g_assert_true(g_hash_table_contains(names, "kvm"));
	g_assert_true(g_hash_table_contains(names, "locked"));
}

static void test_accounts(void)
{
	static const struct {
		const char *file, *before, *after;
		gboolean explained;
	} cases[] = {
		{ "passwd", "root:x:0:0::/:/bin/sh\n", "root:x:0:0::/:/bin/sh\n", TRUE },
		{ "passwd", "root:x:0:0::/:/bin/sh\n",
		  "root:x:0:0::/:/bin/sh\nsshd:x:74:74:x:/run/sshd:/usr/sbin/nologin\n", TRUE },
		{ "passwd", "a:x:1:1::/:\nb:x:2:2::/:\n", "b:x:2:2::/:\na:x:1:1::/:\n", TRUE },
		/* One that nobody declares; a declared name that is root; one without a password;
		 * a line that is gone, or another. */
		{ "passwd", "root:x:0:0::/:/bin/sh\n", "root:x:0:0::/:/bin/sh\neve:x:9:9::/:\n",
		  FALSE },
		{ "passwd", "", "sshd:x:0:0::/:\n", FALSE },
		{ "passwd", "", "sshd:x:00:0::/:\n", FALSE },
		{ "passwd", "", "sshd:x:zero:0::/:\n", FALSE },
		{ "passwd", "", "sshd::74:74::/:\n", FALSE },
		{ "passwd", "", "sshd:x\n", FALSE },
		{ "passwd", "root:x:0:0::/:/bin/sh\n", "", FALSE },
		{ "passwd", "root:x:0:0::/:/bin/sh\n", "root:x:0:0::/:/bin/bash\n", FALSE },
		{ "group", "root:x:0:\n", "root:x:0:\nkvm:x:36:\n", TRUE },
		{ "group", "root:x:0:\n", "root:x:0:eve\n", FALSE },
		{ "group", "", "kvm:x:0:\n", FALSE },
		{ "shadow", "", "sshd:!*:20000::::::\n", TRUE },
		{ "shadow", "", "sshd:*:20000::::::\n", TRUE },
		{ "shadow", "", "sshd::20000::::::\n", FALSE },
		{ "shadow", "", "sshd:$y$j9T$x:20000::::::\n", FALSE },
		{ "gshadow", "", "kvm:!*::\n", TRUE },
		{ "gshadow", "", "kvm:$6$x::\n", FALSE },
	};
	g_autoptr(GHashTable) names = declared();

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%zu: %s", i, cases[i].after);
		g_assert_cmpint(varve_accounts_explained(cases[i].file, cases[i].before,
							 cases[i].after, names),
				==, cases[i].explained);
	}
	g_assert_true(varve_accounts_is_file("/etc/gshadow"));
	g_assert_false(varve_accounts_is_file("/etc/passwd-"));
}

static void test_expected(void)
{
	static const struct {
		VarveDriftKind kind;
		const char *path;
		guint differs;
		gboolean expected;
	} cases[] = {
		{ VARVE_DRIFT_CHANGED, "/etc/machine-id", VARVE_CHANGE_CONTENT | VARVE_CHANGE_SIZE,
		  TRUE },
		{ VARVE_DRIFT_DELETED, "/etc/machine-id", 0, FALSE },
		{ VARVE_DRIFT_ADDED, "/etc/ssh/ssh_host_ed25519_key", 0, TRUE },
		{ VARVE_DRIFT_ADDED, "/etc/ssh/ssh_host_ed25519_key.pub", 0, TRUE },
		{ VARVE_DRIFT_ADDED, "/etc/ssh/authorized_keys.d/root", 0, FALSE },
		{ VARVE_DRIFT_ADDED, "/etc/ssh/x/ssh_host_rsa_key", 0, FALSE },
		{ VARVE_DRIFT_CHANGED, "/etc/credstore", VARVE_CHANGE_MODE, TRUE },
		{ VARVE_DRIFT_CHANGED, "/etc/credstore", VARVE_CHANGE_MODE | VARVE_CHANGE_OWNER,
		  FALSE },
		/* Only a look into it can tell. */
		{ VARVE_DRIFT_CHANGED, "/etc/passwd", VARVE_CHANGE_CONTENT, FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *why =
			varve_drift_expected(cases[i].kind, cases[i].path, cases[i].differs);

		g_assert_cmpint(why != NULL, ==, cases[i].expected);
	}
}

static void test_maps(void)
{
	const struct {
		const char *line, *name;
		guint64 start, end, inode;
		gboolean executable;
		dev_t device;
	} good[] = {
		{ "00402000-00b31000 r-xp 00002000 00:1c 4611686018427387958                "
		  "/usr/bin/x",
		  "/usr/bin/x", 0x402000, 0xb31000, G_GUINT64_CONSTANT(4611686018427387958), TRUE,
		  makedev(0, 0x1c) },
		{ "7ffe1000-7ffe2000 rw-p 00000000 00:00 0                                  "
		  "[stack]",
		  "[stack]", 0x7ffe1000, 0x7ffe2000, 0, FALSE, 0 },
		{ "01339000-01371000 rwxp 00000000 00:00 0 ", "", 0x1339000, 0x1371000, 0, TRUE,
		  0 },
		{ "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]",
		  "[vsyscall]", G_GUINT64_CONSTANT(0xffffffffff600000),
		  G_GUINT64_CONSTANT(0xffffffffff601000), 0, TRUE, 0 },
		{ "1000-2000 r--p 00000000 08:01 5    /a b\\012c (deleted)", "/a b\nc (deleted)",
		  0x1000, 0x2000, 5, FALSE, makedev(8, 1) },
		{ "1000-2000 r--p 00000000 fd:0a 5    /a\\tb\\", "/a\\tb\\", 0x1000, 0x2000, 5,
		  FALSE, makedev(0xfd, 10) },
	};
	static const char *const bad[] = { "", "x", "1000-2000", "2000-1000 r-xp 0 0:0 0 a",
					   "1000-2000 r-xp 0 0:0 x" };
	VarveMapLine line;

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_assert_true(varve_maps_parse_line(good[i].line, &line));
		g_assert_cmpstr(line.name, ==, good[i].name);
		g_assert_cmpuint(line.start, ==, good[i].start);
		g_assert_cmpuint(line.end, ==, good[i].end);
		g_assert_cmpuint(line.inode, ==, good[i].inode);
		g_assert_cmpint(line.executable, ==, good[i].executable);
		g_assert_true(line.device == good[i].device);
		g_free(line.name);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(varve_maps_parse_line(bad[i], &line));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/accounts/declare", test_declare);
	g_test_add_func("/accounts/explained", test_accounts);
	g_test_add_func("/drift/expected", test_expected);
	g_test_add_func("/process/maps", test_maps);
	return g_test_run();
}
