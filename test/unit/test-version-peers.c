/* Our comparisons against librpm's and systemd's own, over generated strings. */
#include "format/version.h"

#include <rpm/rpmver.h>

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

/* Short strings over few characters meet every branch soon. */
static char *random_version(GRand *random)
{
	static const char alphabet[] = "0012ab.~^-_";
	int length = g_rand_int_range(random, 0, 9);
	char *text = g_malloc0((gsize)length + 1);

	for (int i = 0; i < length; i++)
		text[i] = alphabet[g_rand_int_range(random, 0, (int)sizeof alphabet - 1)];
	return text;
}

static void test_rpm(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(1);

	for (int i = 0; i < 300000; i++) {
		g_autofree char *a = random_version(random), *b = random_version(random);

		if (varve_rpm_version_compare(a, b) != sign(rpmvercmp(a, b)))
			g_error("'%s' and '%s': ours %d, librpm's %d", a, b,
				varve_rpm_version_compare(a, b), rpmvercmp(a, b));
	}
}

static void test_evr(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(2);
	int compared = 0;

	for (int i = 0; i < 100000; i++) {
		g_autofree char *a = random_version(random), *b = random_version(random);
		g_autofree char *with_epoch = g_strdup_printf("%d:%s", i % 3, a);
		rpmver rpm_a = rpmverParse(with_epoch), rpm_b = rpmverParse(b);

		/* A missing release equals any in dependencies, which ours is for, not in
		 * rpmverCmp(). */
		if (rpm_a && rpm_b && !rpmverR(rpm_a) == !rpmverR(rpm_b)) {
			compared++;
			if (varve_rpm_evr_compare(with_epoch, b) != sign(rpmverCmp(rpm_a, rpm_b)))
				g_error("'%s' and '%s': ours %d, librpm's %d", with_epoch, b,
					varve_rpm_evr_compare(with_epoch, b),
					rpmverCmp(rpm_a, rpm_b));
		}
		rpmverFree(rpm_a);
		rpmverFree(rpm_b);
	}
	g_assert_cmpint(compared, >, 1000);
}

static void test_uapi(void)
{
	g_autofree char *program = g_find_program_in_path("systemd-analyze");
	g_autoptr(GRand) random = g_rand_new_with_seed(3);

	if (!program) {
		g_test_skip("systemd-analyze is not installed");
		return;
	}
	for (int i = 0; i < 150; i++) {
		g_autofree char *a = random_version(random), *b = random_version(random);
		const char *argv[] = { program, "compare-versions", "--", a, b, NULL };
		g_autofree char *output = NULL, *ours = NULL;
		int order = varve_version_compare(a, b);

		g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
					   &output, NULL, NULL, NULL));
		ours = g_strdup_printf("%s %s %s", *a ? a : "''",
				       order < 0   ? "<"
				       : order > 0 ? ">"
						   : "==",
				       *b ? b : "''");
		g_assert_cmpstr(g_strstrip(output), ==, ours);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/version/as-librpm", test_rpm);
	g_test_add_func("/version/evr-as-librpm", test_evr);
	g_test_add_func("/version/as-systemd", test_uapi);
	return g_test_run();
}
