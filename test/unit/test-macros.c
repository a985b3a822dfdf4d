/* component/macros.c and expression.c: what is expanded, and what is left unknown. */
#include "component/macros.h"

#include <string.h>

#define U "\001"

static void test_expand(void)
{
	static const struct {
		const char *text, *expanded;
	} cases[] = {
		{ "plain 100%%", "plain 100%" },
		{ "%{name}-%{version}.tar.gz", "demo-1.2.tar.gz" },
		{ "%name %{?name} %{!?name:no}", "demo demo " },
		{ "%{?gone}%{!?gone:no}%{?name:yes}%{?gone:no}", "noyes" },
		{ "%{gone}x%gone", U "x" U },
		{ "a%(touch /tmp/x)b", "a" U "b" },
		{ "a%{lua:os.execute('x')}b", "a" U "b" },
		{ "%global inner %{version}.1\n%{inner}", "\n1.2.1" },
		{ "%define later %{inner2}\n%global inner2 7\n%{later}", "\n\n7" },
		{ "%define long a\\\nb\n%long", "\na\nb" },
		{ "%define args(x:) %{-x*}\n%args -x 1\nafter", "\n" U "\nafter" },
		{ "%{lower:%{upper:aB}}%{basename:a/b/c}", "abc" },
		{ "%[ 2 * (3 + 4) - 1 ]", "13" },
		{ "%[ 1 / 0 ]", U },
		{ "%{expand:%%{name}}", "demo" },
		{ "%{!?once:%global once 5}%{once}", "5" },
		{ "%bcond_with a\n%bcond_without b\n%{with a}%{with b}%{without a}", "\n\n011" },
		{ "%{open", U },
		{ "50% of %-x", "50% of %-x" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VarveMacros) macros = varve_macros_new();
		g_autofree char *text = NULL;

		varve_macros_define(macros, "name", "demo");
		varve_macros_define(macros, "version", "1.2");
		text = varve_macros_expand(macros, cases[i].text, FALSE, NULL);
		g_assert_cmpstr(text, ==, cases[i].expanded);
	}
}

static void test_bomb(void)
{
	g_autoptr(VarveMacros) macros = varve_macros_new();
	g_autofree char *text = NULL, *loop = NULL;

	varve_macros_define(macros, "m0", "xxxxxxxxxxxxxxxx");
	for (guint i = 1; i < 40; i++) {
		g_autofree char *name = g_strdup_printf("m%u", i);
		g_autofree char *value = g_strdup_printf("%%{m%u}%%{m%u}", i - 1, i - 1);

		varve_macros_define(macros, name, value);
	}
	varve_macros_define(macros, "me", "a%{me}%{me}");
	loop = varve_macros_expand(macros, "%{me}", FALSE, NULL);
	text = varve_macros_expand(macros, "%{m39}", FALSE, NULL);
	g_assert_nonnull(strchr(loop, VARVE_MACRO_UNKNOWN));
	g_assert_nonnull(strchr(text, VARVE_MACRO_UNKNOWN));
	g_assert_cmpuint(strlen(text), <, 1u << 20);
}

static void test_doubt(void)
{
	g_autoptr(VarveMacros) macros = varve_macros_new();
	g_autofree char *likely = NULL, *doubted = NULL;
	gboolean environment = FALSE;

	varve_macros_define(macros, "a", "1");
	varve_macros_doubt(macros, "a");
	likely = varve_macros_expand(macros, "%{a}", FALSE, &environment);
	g_assert_cmpstr(likely, ==, "1");
	g_assert_false(environment);
	doubted = varve_macros_expand(macros, "%{a}%{?rhel}", TRUE, &environment);
	g_assert_cmpstr(doubted, ==, U);
	g_assert_true(environment);
}

static void test_truth(void)
{
	static const struct {
		const char *text;
		VarveTruth truth;
	} cases[] = {
		{ " 1", VARVE_TRUTH_YES },
		{ "0", VARVE_TRUTH_NO },
		{ "!0 && 2 > 1", VARVE_TRUTH_YES },
		{ "0 || (1 && 0)", VARVE_TRUTH_NO },
		{ "\"a\" == \"a\"", VARVE_TRUTH_YES },
		{ "x86_64 != x86_64", VARVE_TRUTH_NO },
		{ "v\"1.10\" > v\"1.9\"", VARVE_TRUTH_YES },
		{ "1 ? 0 : 1", VARVE_TRUTH_NO },
		{ "010 >= 10", VARVE_TRUTH_YES },
		{ "", VARVE_TRUTH_UNKNOWN },
		{ "1 +", VARVE_TRUTH_UNKNOWN },
		{ "1 \"a\"", VARVE_TRUTH_UNKNOWN },
		{ "1 == \"1\"", VARVE_TRUTH_UNKNOWN },
		{ U " > 1", VARVE_TRUTH_UNKNOWN },
		{ "9223372036854775807 + 1", VARVE_TRUTH_UNKNOWN },
	};
	g_autofree char *deep = g_strnfill(100000, '(');
	g_autofree char *not = g_strnfill(100000, '!');

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(varve_expression_truth(cases[i].text), ==, cases[i].truth);
	g_assert_cmpint(varve_expression_truth(deep), ==, VARVE_TRUTH_UNKNOWN);
	g_assert_cmpint(varve_expression_truth(not ), ==, VARVE_TRUTH_UNKNOWN);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/macros/expand", test_expand);
	g_test_add_func("/macros/bomb-is-bounded", test_bomb);
	g_test_add_func("/macros/doubt", test_doubt);
	g_test_add_func("/macros/truth", test_truth);
	return g_test_run();
}
