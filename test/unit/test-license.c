#include "format/license.h"

#include "format/license-list.h"

#include <string.h>

static void test_expressions(void)
{
	static const char *const good[] = {
		"MIT",
		"GPL-2.0-or-later",
		"GPL-2.0+",
		"Apache-2.0+",
		"GPL-2.0-only WITH Linux-syscall-note",
		"BSD-2-Clause AND ISC",
		"(LGPL-2.1-or-later OR MIT) AND (GPL-2.0-or-later WITH Classpath-exception-2.0)",
		"LicenseRef-Fedora-Public-Domain",
		"DocumentRef-spdx-1:LicenseRef-2 OR 0BSD",
		" MIT  AND ( ISC ) ",
	};
	static const char *const bad[] = {
		"",
		" ",
		"NOASSERTION",
		"NONE",
		"GPL",
		"GPLv2+",
		"GPL-2+",
		"mit",
		"MIT and ISC",
		"MIT ISC",
		"MIT AND",
		"AND MIT",
		"MIT ANDISC",
		"(MIT",
		"MIT)",
		"()",
		"MIT WITH",
		"MIT WITH ISC",
		"MIT WITH GCC-exception-3.1 WITH GCC-exception-3.1",
		"LicenseRef-",
		"DocumentRef-x",
		"DocumentRef-x:MIT",
		"MIT++",
		"MIT, ISC",
		"BSD-3-clause and public-domain",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		if (!varve_license_is_expression(good[i]))
			g_error("'%s' is an expression", good[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		if (varve_license_is_expression(bad[i]))
			g_error("'%s' is no expression", bad[i]);
}

static void test_deep(void)
{
	g_autofree char *deep = g_strnfill(1000000, '(');

	g_assert_false(varve_license_is_expression(deep));
}

static void test_references(void)
{
	g_auto(GStrv) found = varve_license_references(
		"LicenseRef-b AND (MIT OR LicenseRef-a) AND DocumentRef-d:LicenseRef-c");
	g_auto(GStrv) none = varve_license_references("LicenseRef-b AND nonsense");
	g_autofree char *a = varve_license_reference("public-domain");
	g_autofree char *b = varve_license_reference("Public-Domain");

	g_assert_cmpuint(g_strv_length(found), ==, 2);
	g_assert_cmpstr(found[0], ==, "LicenseRef-b");
	g_assert_cmpstr(found[1], ==, "LicenseRef-a");
	g_assert_cmpuint(g_strv_length(none), ==, 0);
	g_assert_true(varve_license_is_expression(a));
	g_assert_cmpstr(a, !=, b);
}

/* The list is searched by halves: both ends and what lies between must be found. */
static void test_list(void)
{
	g_assert_true(varve_license_is_known("0BSD", 4));
	g_assert_true(varve_license_is_known("zlib-acknowledgement", 20));
	g_assert_true(varve_license_is_known("MIT-0 AND", 5));
	g_assert_false(varve_license_is_known("MIT-", 4));
	g_assert_false(varve_license_is_known("", 0));
	g_assert_true(varve_license_exception_is_known("389-exception", 13));
	g_assert_true(varve_license_exception_is_known("x11vnc-openssl-exception", 24));
	g_assert_false(varve_license_exception_is_known("MIT", 3));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/license/expressions", test_expressions);
	g_test_add_func("/license/deep", test_deep);
	g_test_add_func("/license/references", test_references);
	g_test_add_func("/license/list", test_list);
	return g_test_run();
}
