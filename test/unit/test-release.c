/* component/release.c: which Release tags are raised, and to what. */
#include "component/release.h"

#include "base/error.h"

static void test_auto(void)
{
	static const struct {
		const char *value;
		gboolean is_auto;
	} cases[] = {
		{ "%autorelease", TRUE },        { "%{autorelease}", TRUE },
		{ "%{?autorelease}", TRUE },     { "%{autorelease -b 4}%{?dist}", TRUE },
		{ "0.%autorelease -p", TRUE },   { "%{?autorelease:7}", FALSE },
		{ "%{!?autorelease:7}", FALSE }, { "%autorelease_number", FALSE },
		{ "autorelease", FALSE },        { "7%", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(varve_release_is_auto(cases[i].value), ==, cases[i].is_auto);
}

static void test_raise(void)
{
	static const struct {
		const char *value, *raised;
	} cases[] = {
		{ "7", "9" },
		{ "7%{?dist}", "9%{?dist}" },
		{ "7%{dist}", "9%{dist}" },
		{ "007", "9" },
		{ "20260806120000%{?dist}", "20260806120002%{?dist}" },
		{ "9223372036854775806", NULL },
		{ "7%{?dist}.1", NULL },
		{ "7.1", NULL },
		{ "-7", NULL },
		{ "%{pkg_release}", NULL },
		{ "99999999999999999999", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *raised = varve_release_raise(cases[i].value, 2, &error);

		g_assert_cmpstr(raised, ==, cases[i].raised);
		if (!cases[i].raised)
			g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	}
}

static void test_find(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *last = varve_release_find("Name: a\n%if 1\nRelease:\t3\n%else\n"
						   "release : 4%{?dist} \n%endif\n",
						   &error);
	g_autofree char *none = varve_release_find(
		"Name: a\n%description\nRelease: 2\n%package b\nRelease: 1\n", &error);

	g_assert_cmpstr(last, ==, "4%{?dist}");
	g_assert_null(none);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

static void test_calculate(void)
{
	static const struct {
		VarveReleaseCalculation calculation;
		const char *value, *result; /* "": stays; NULL: an error */
	} cases[] = {
		{ VARVE_RELEASE_AUTO, "1%{?dist}", "4%{?dist}" },
		{ VARVE_RELEASE_AUTO, "%autorelease", "" },
		{ VARVE_RELEASE_AUTO, "%{rel}", NULL },
		{ VARVE_RELEASE_STATIC, "1", "4" },
		{ VARVE_RELEASE_STATIC, "%autorelease", NULL },
		{ VARVE_RELEASE_AUTORELEASE, "1", "" },
		{ VARVE_RELEASE_MANUAL, "%{rel}", "" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *value = NULL;
		gboolean ok = varve_release_calculate(cases[i].calculation, "demo", cases[i].value,
						      3, &value, &error);

		g_assert_cmpint(ok, ==, cases[i].result != NULL);
		if (ok)
			g_assert_cmpstr(value ? value : "", ==, cases[i].result);
		else
			g_assert_nonnull(g_strstr_len(error->message, -1, "'demo'"));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/release/is-auto", test_auto);
	g_test_add_func("/release/raise", test_raise);
	g_test_add_func("/release/find-last-of-main-package", test_find);
	g_test_add_func("/release/calculate", test_calculate);
	return g_test_run();
}
