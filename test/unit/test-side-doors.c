/* stack/side-doors.c: each line of the table is found, what is harmless is not, and no way of
 * writing a word hides it. */
#include "stack/side-doors.h"

#include <string.h>

/* The words that were found, joined by '|'. */
static char *find(const char *command_line)
{
	g_autoptr(GPtrArray) doors = varve_side_doors_find(command_line);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < doors->len; i++) {
		const VarveSideDoor *door = doors->pdata[i];

		g_assert_cmpuint(strlen(door->reason), >, 0);
		g_string_append_printf(text, "%s%s", i ? "|" : "", door->word);
	}
	return g_string_free(text, FALSE);
}

static void check(const char *command_line, const char *expected)
{
	g_autofree char *found = find(command_line);

	g_assert_cmpstr(found, ==, expected);
}

static void test_harmless(void)
{
	check("", "");
	check("varve.roothash=00 ro systemd.gpt_auto=0 systemd.import_credentials=no console=tty0 "
	      "console=ttyS0,115200 loglevel=5 panic=5 apparmor=0 varve.device-timeout=60 quiet",
	      "");
	check("security=selinux selinux=1 enforcing=1 audit=1 audit_backlog_limit=8192", "");
	check("systemd.debug_shell=no module.sig_enforce=1 lockdown=confidentiality 3 5 --", "");
	/* Not what they begin like. */
	check("initcall_debug rootflags=x singleton efivars initial=1 selinuxx=0 enforcing_=0", "");
}

/* Every line, with a value that nothing allows and, where a '*' stands for more, with more. */
static void test_every_rule(void)
{
	for (const VarveSideDoorRule *rule = varve_side_door_rules(); rule->word; rule++) {
		g_autofree char *word = g_strdup(rule->word);
		g_autofree char *line = NULL, *expected = NULL;
		char *star = strchr(word, '*');

		if (star)
			*star = 'x';
		g_assert_cmpuint(strlen(rule->reason), >, 0);
		expected = g_strdup_printf("%s=other", word);
		line = g_strdup_printf("quiet %s ro", expected);
		check(line, expected);
		if (!rule->harmless)
			check(word, word);
	}
}

static void test_values(void)
{
	check("selinux=0 enforcing=0 security=apparmor lsm=yama", "selinux=0|enforcing=0|"
								  "security=apparmor|lsm=yama");
	check("enforcing=00 audit=0 systemd.import_credentials=yes",
	      "enforcing=00|audit=0|"
	      "systemd.import_credentials=yes");
	/* Without a value systemd means yes. */
	check("systemd.debug_shell", "systemd.debug_shell");
	/* The last one counts for the kernel; here each one does. */
	check("enforcing=0 enforcing=1", "enforcing=0");
	check("dm_verity.require_signatures=1 dm_verity.require_signatures=0",
	      "dm_verity.require_signatures=0");
}

static void test_spellings(void)
{
	check("systemd.debug-shell varve.debug_shell dm-verity.prefetch_cluster=1",
	      "systemd.debug-shell|varve.debug_shell|dm-verity.prefetch_cluster=1");
	check("\"init=/bin/sh\" in\"it\"=/bin/sh", "init=/bin/sh|init=/bin/sh");
	check("\tsingle\t", "single");
	check("a=\"b init=/bin/sh", "");
	check("'systemd.unit=rescue.target'", "'systemd.unit=rescue.target'");
	check("x=\\x20", "x=\\\\x20");
	check("quiet\302\240init=/bin/sh", "quiet\\302\\240init=/bin/sh");
	check("quiet -- --unit=rescue.target", "--");
}

static void test_documented(void)
{
	g_autofree char *path =
		g_build_filename(g_getenv("G_TEST_SRCDIR"), "../../docs/node.md", NULL);
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	for (const VarveSideDoorRule *rule = varve_side_door_rules(); rule->word; rule++) {
		g_autofree char *word = g_strdup_printf("`%s`", rule->word);

		if (!strstr(text, word))
			g_error("%s is not in docs/node.md", word);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/side-doors/harmless", test_harmless);
	g_test_add_func("/side-doors/every-rule", test_every_rule);
	g_test_add_func("/side-doors/values", test_values);
	g_test_add_func("/side-doors/spellings", test_spellings);
	g_test_add_func("/side-doors/documented", test_documented);
	return g_test_run();
}
