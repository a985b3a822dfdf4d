/* component/facts.c: what a spec says of itself, and which files it needs. */
#include "component/facts.h"

static VarveSpecFacts *facts_of(const char *spec)
{
	static const VarveSetting with = { .key = "_with_asked", .value = "1" };

	return varve_spec_facts(spec, &with, 1);
}

static void test_evr(void)
{
	g_autoptr(VarveSpecFacts) facts =
		facts_of("%global base 1.5\n%if 0%{?rhel}\n%global base 9\n%endif\n"
			 "Name: demo\nVersion:\t%{base}.%{?minor}%{!?minor:0}\nEpoch: 2\n"
			 "Release: %{autorelease -b 4 -e rc1 -s 20260101git}%{?dist}\n"
			 "%description\nVersion: 3\n");
	g_autoptr(VarveSpecFacts) hidden = facts_of("Name: a\nVersion: %(date)\nRelease: 1\n");

	g_assert_cmpstr(facts->name, ==, "demo");
	g_assert_cmpstr(facts->version, ==, "1.5.0");
	g_assert_cmpstr(facts->epoch, ==, "2");
	g_assert_true(facts->autorelease);
	g_assert_cmpuint(facts->base, ==, 4);
	g_assert_false(facts->prerelease);
	g_assert_cmpstr(facts->extra_version, ==, "rc1");
	g_assert_cmpstr(facts->snapshot, ==, "20260101git");
	g_assert_null(hidden->version);
	g_assert_false(hidden->autorelease);
}

static void test_files(void)
{
	static const struct {
		const char *name;
		gboolean wanted;
	} cases[] = {
		{ "demo-1.0.tar.gz", TRUE }, { "renamed.tgz", TRUE },    { "deep/fix.patch", TRUE },
		{ "fix.patch", TRUE },       { "never.patch", FALSE },   { "arm.patch", TRUE },
		{ "x86.patch", TRUE },       { "fonts-a.conf", TRUE },   { "fonts-a.xml", FALSE },
		{ "asked.patch", TRUE },     { "unasked.patch", FALSE }, { "listed.patch", TRUE },
		{ "sub.patch", TRUE },       { "rhel.patch", TRUE },     { "other.patch", TRUE },
		{ "macros.demo", TRUE },     { "README", FALSE },        { "alt-b.patch", TRUE },
	};
	g_autoptr(VarveSpecFacts) facts =
		facts_of("Name: demo\nVersion: 1.0\n%bcond_with asked\n%bcond_with unasked\n"
			 "%{load:%{_sourcedir}/macros.demo}\n"
			 "Source0: https://x.example/a/%{name}-%{version}.tar.gz\n"
			 "Source: https://x.example/b.tgz?c=d#/renamed.tgz\n"
			 "Patch0: deep/fix.patch\n"
			 "#Patch9: never.patch\n%if 0\nPatch1: never.patch\n%endif\n"
			 "%ifarch aarch64\nPatch2: arm.patch\n%else\nPatch3: x86.patch\n%endif\n"
			 "Source5: %{unknown}.conf\nSource6: %{crates_source}\nSource7: "
			 "%{pypi_source demo}\n"
			 "%if %{with asked}\nPatch4: asked.patch\n%endif\n"
			 "%if %{with unasked}\nPatch5: unasked.patch\n%endif\n"
			 "%if 0%{?rhel}\n%global alt b\nPatch6: rhel.patch\n%else\nPatch7: "
			 "other.patch\n%endif\n"
			 "Patch8: alt-%{alt}.patch\n"
			 "%patchlist\n# none\nlisted.patch\n%description\nPatch: README\n"
			 "%package sub\nPatch10: sub.patch\n");

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s", cases[i].name);
		g_assert_cmpint(varve_spec_facts_refers(facts, cases[i].name), ==, cases[i].wanted);
	}
}

static void test_branches(void)
{
	g_autoptr(VarveSpecFacts) facts =
		facts_of("%if 1\nPatch0: a\n%elif 1\nPatch1: b\n%else\nPatch2: c\n%endif\n"
			 "%if 0%{?x}\nPatch3: d\n%elif 1\nPatch4: e\n%else\nPatch5: f\n%endif\n"
			 "%if 0\n%if 1\nPatch6: g\n%endif\n%else\nPatch7: h\n%endif\n"
			 "%endif\n%else\nPatch8: i\n");
	const char *wanted = "adehi";

	for (char name[] = "a"; *name <= 'i'; (*name)++)
		g_assert_cmpint(varve_spec_facts_refers(facts, name), ==,
				g_strstr_len(wanted, -1, name) != NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/facts/epoch-version-release", test_evr);
	g_test_add_func("/facts/files", test_files);
	g_test_add_func("/facts/branches", test_branches);
	return g_test_run();
}
