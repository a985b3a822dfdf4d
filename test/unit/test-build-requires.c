#include "base/error.h"
#include "build/requires.h"

#include <string.h>

static void test_spec_facts(void)
{
	g_auto(VarveSpecFacts) facts = { 0 };
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_spec_facts_parse("N zstd\nV 1.5\nL 1.varve1\nT 200\nT 100\n"
					     "R make\nR gcc >= 12\nR make\n"
					     "R rpmlib(FileDigests) <= 4.6\n",
					     "zstd.spec", &facts, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(facts.name, ==, "zstd");
	g_assert_cmpstr(facts.version, ==, "1.5");
	g_assert_cmpstr(facts.release, ==, "1.varve1");
	g_assert_cmpint(facts.changelog, ==, 200);
	g_assert_cmpuint(g_strv_length(facts.requires), ==, 2);
	g_assert_cmpstr(facts.requires[0], ==, "gcc >= 12");
	g_assert_cmpstr(facts.requires[1], ==, "make");
}

static void test_without_changelog_and_requires(void)
{
	g_auto(VarveSpecFacts) facts = { 0 };

	g_assert_true(varve_spec_facts_parse("N a\nV 1\nL 1\nR (none)\n", "a", &facts, NULL));
	g_assert_cmpint(facts.changelog, ==, 0);
	g_assert_null(facts.requires[0]);
}

static void assert_corrupt(const char *text)
{
	g_auto(VarveSpecFacts) facts = { 0 };
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_spec_facts_parse(text, "x.spec", &facts, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_nonnull(strstr(error->message, "x.spec"));
}

static void test_hostile_answers(void)
{
	g_autoptr(GString) many = g_string_new("N a\nV 1\nL 1\n");
	g_autofree char *wide = g_strnfill(5000, 'x');
	g_autofree char *endless = g_strdup_printf("N a\nV 1\nL 1\nR %s\n", wide);

	for (guint i = 0; i <= VARVE_REQUIRES_MAX; i++)
		g_string_append_printf(many, "R p%u\n", i);
	assert_corrupt("");
	assert_corrupt("N a\nV 1\n");
	assert_corrupt("N a\nN b\nV 1\nL 1\n");
	assert_corrupt("N a\nV 1\nL 1\nwarning: something\n");
	assert_corrupt("N a\nV 1\nL 1\nR x\033[1m\n");
	assert_corrupt("N a\nV 1\nL 1\nR \xff\n");
	assert_corrupt(endless);
	assert_corrupt(many->str);
}

static void test_merge(void)
{
	static const char *const a[] = { "make", "gcc", NULL }, *const b[] = { "gcc", NULL };
	static const char *const c[] = { "gcc", "meson", NULL };
	gboolean more = TRUE;
	g_auto(GStrv) same = varve_requires_merge(a, b, &more);
	g_auto(GStrv) longer = NULL;

	g_assert_false(more);
	g_assert_cmpuint(g_strv_length(same), ==, 2);
	longer = varve_requires_merge(a, c, &more);
	g_assert_true(more);
	g_assert_cmpuint(g_strv_length(longer), ==, 3);
	g_assert_cmpstr(longer[1], ==, "make");
}

static void test_debian_packages(void)
{
	static const struct {
		const char *capability, *package;
	} cases[] = {
		{ "libzstd-dev", "libzstd-dev" },
		{ "g++", "g++" },
		{ "libglib2.0-dev >= 2.74", "libglib2.0-dev" },
		{ "/usr/bin/python3", NULL },
		{ "pkgconfig(libzstd)", NULL },
		{ "(gcc or clang)", NULL },
		{ "Perl", NULL },
		{ "x", NULL },
		{ "-o", NULL },
		{ "", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *package = varve_requires_debian_package(cases[i].capability);

		g_assert_cmpstr(package, ==, cases[i].package);
	}
}

static void test_package_of_a_file(void)
{
	g_autofree char *name =
		varve_requires_file_package("packages/libglib2.0-0-2.84-1.x86_64.rpm");

	g_assert_cmpstr(name, ==, "libglib2.0-0");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/build-requires/spec-facts", test_spec_facts);
	g_test_add_func("/build-requires/without-changelog", test_without_changelog_and_requires);
	g_test_add_func("/build-requires/hostile-answers", test_hostile_answers);
	g_test_add_func("/build-requires/merge", test_merge);
	g_test_add_func("/build-requires/debian-packages", test_debian_packages);
	g_test_add_func("/build-requires/package-of-a-file", test_package_of_a_file);
	return g_test_run();
}
