#include "format/version.h"

#include <string.h>

typedef int (*Compare)(const char *a, const char *b);

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

/* @a @relation @b, and the other way round. */
static void check(Compare compare, const char *a, char relation, const char *b)
{
	int expected = relation == '<' ? -1 : relation == '>' ? 1 : 0;

	if (sign(compare(a, b)) != expected || sign(compare(b, a)) != -expected)
		g_error("'%s' %c '%s' does not hold: %d, reversed %d", a, relation, b,
			compare(a, b), compare(b, a));
}

static void test_rpm(void)
{
	Compare c = varve_rpm_version_compare;

	check(c, "1.0", '=', "1.0");
	check(c, "", '=', "");
	check(c, "", '<', "0");
	check(c, "1.0", '<', "2.0");
	check(c, "2.0.1", '>', "2.0");
	check(c, "2.0.1a", '>', "2.0.1");
	check(c, "5.5p1", '<', "5.5p2");
	check(c, "5.5p10", '>', "5.5p1");
	check(c, "10xyz", '<', "10.1xyz");
	check(c, "xyz10", '>', "xyz9");
	check(c, "xyz.4", '<', "8");
	check(c, "5.5p2", '<', "5.6p1");
	check(c, "6.0.rc1", '>', "6.0");
	check(c, "10b2", '>', "10a1");
	check(c, "7.00", '=', "7.0");
	check(c, "00000000000000000000000000000000000000010", '>', "9");
	check(c, "99999999999999999999999999999999999999999", '>',
	      "99999999999999999999999999999999999999998");
	check(c, "2_0", '=', "2.0");
	check(c, "a+", '=', "a_");
	check(c, "1.0~rc1", '<', "1.0");
	check(c, "1.0~rc1", '>', "1.0~beta");
	check(c, "1.0~~", '<', "1.0~");
	check(c, "1.0^git1", '>', "1.0");
	check(c, "1.0^git1", '<', "1.01");
	check(c, "1.0^git1", '<', "1.0.1");
	check(c, "1.0^git1~pre", '<', "1.0^git1");
	check(c, "1.0~rc1^git1", '>', "1.0~rc1");
	check(c, "1.0~rc1^git1", '<', "1.0");
	check(c, "1.0^", '>', "1.0");
	check(c, "1.0.", '=', "1.0");
	check(c, "α", '=', "");
}

static void test_evr(void)
{
	Compare c = varve_rpm_evr_compare;

	check(c, "1.0-1", '<', "1.0-2");
	check(c, "1:1.0-1", '>', "2.0-9");
	check(c, "0:1.0-1", '=', "1.0-1");
	check(c, "00:1.0-1", '=', ":1.0-1");
	check(c, "1.0", '=', "1.0-5");
	check(c, "1.0-1", '<', "1.0-1.1");
	check(c, "2.41-12+deb13u1", '>', "2.41-12");
	check(c, "2:1.0-1", '<', "10:0.1-1");
	check(c, "1-2-3", '>', "1-2-2");
}

/* The specification's own examples, and its ladder. */
static void test_uapi(void)
{
	static const char *const ladder[] = { "122.1",   "123~rc1-1", "123",     "123-a",
					      "123-a.1", "123-1",     "123-1.1", "123^post1",
					      "123.a-1", "123.1-1",   "123a-1",  "124-1" };
	Compare c = varve_version_compare;

	check(c, "11", '=', "11");
	check(c, "systemd-123", '=', "systemd-123");
	check(c, "bar-123", '<', "foo-123");
	check(c, "123a", '>', "123");
	check(c, "123.a", '>', "123");
	check(c, "123.a", '<', "123.b");
	check(c, "123a", '>', "123.a");
	check(c, "11α", '=', "11β");
	check(c, "B", '<', "a");
	check(c, "", '<', "0");
	check(c, "0.", '>', "0");
	check(c, "0.0", '>', "0");
	check(c, "0", '>', "~");
	check(c, "", '>', "~");
	check(c, "1_", '=', "1");
	check(c, "_1", '=', "1");
	check(c, "1_", '<', "1.2");
	check(c, "1_2_3", '>', "1.3.3");
	check(c, "1+", '=', "1");
	check(c, "+1", '=', "1");
	check(c, "1+", '<', "1.2");
	check(c, "1+2+3", '>', "1.3.3");
	for (gsize i = 0; i < G_N_ELEMENTS(ladder); i++)
		for (gsize j = 0; j < G_N_ELEMENTS(ladder); j++)
			check(c, ladder[i], i < j ? '<' : i > j ? '>' : '=', ladder[j]);
	/* As the boot loader has it. */
	check(c, "1.a", '<', "1.0");
	check(c, "1.001", '=', "1.1");
}

static void test_capability(void)
{
	g_assert_true(varve_capability_satisfies("bash", "bash"));
	g_assert_false(varve_capability_satisfies("bash", "bas"));
	g_assert_false(varve_capability_satisfies("bas", "bash"));
	g_assert_true(varve_capability_satisfies("libc.so.6(GLIBC_2.38)(64bit)",
						 "libc.so.6(GLIBC_2.38)(64bit)"));
	g_assert_true(varve_capability_satisfies("openssh = 1:10.0-1", "openssh"));
	g_assert_true(varve_capability_satisfies("openssh = 1:10.0-1", "openssh = 1:10.0"));
	g_assert_true(varve_capability_satisfies("openssh = 1:10.0-1", "openssh >= 1:9"));
	g_assert_true(varve_capability_satisfies("openssh = 1:10.0-1", "openssh > 99"));
	g_assert_false(varve_capability_satisfies("openssh = 1:10.0-1", "openssh > 1:10.0-1"));
	g_assert_true(varve_capability_satisfies("openssh = 1:10.0-1", "openssh <= 1:10.0-1"));
	g_assert_false(varve_capability_satisfies("openssh = 1:10.0-1", "openssh < 1:10.0"));
	g_assert_true(varve_capability_satisfies("api < 5", "api >= 3"));
	g_assert_false(varve_capability_satisfies("api < 5", "api >= 5"));
	g_assert_true(varve_capability_satisfies("api <= 5", "api >= 5"));
	g_assert_true(varve_capability_satisfies("api < 5", "api < 2"));
	/* Without a version it is not known to be new enough. */
	g_assert_false(varve_capability_satisfies("openssh", "openssh >= 1"));
}

static void test_refuses_what_is_no_capability(void)
{
	g_assert_false(varve_capability_satisfies("", ""));
	g_assert_false(varve_capability_satisfies("(a or b)", "(a or b)"));
	g_assert_false(varve_capability_satisfies("a = 1", "a ="));
	g_assert_false(varve_capability_satisfies("a = 1", "a 1"));
	g_assert_false(varve_capability_satisfies("a = 1", "a = 1 2"));
	g_assert_false(varve_capability_satisfies("a = 1", "a ~ 1"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/version/rpm", test_rpm);
	g_test_add_func("/version/evr", test_evr);
	g_test_add_func("/version/uapi", test_uapi);
	g_test_add_func("/version/capability", test_capability);
	g_test_add_func("/version/refuses-what-is-no-capability",
			test_refuses_what_is_no_capability);
	return g_test_run();
}
