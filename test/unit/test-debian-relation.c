#include "package/debian-relation.h"

#include "base/error.h"
#include "format/rpm-writer.h"
#include "format/version.h"

#include <string.h>

static void test_versions(void)
{
	static const struct {
		const char *debian;
		gint64 epoch;
		const char *version, *release, *evr;
	} cases[] = {
		{ "1.2-3", -1, "1.2", "3", "1.2-3" },
		{ "1.2", -1, "1.2", "0", "1.2-0" },
		{ "2:1.2-3+deb13u1", 2, "1.2", "3+deb13u1", "2:1.2-3+deb13u1" },
		{ "0:1.2-3", -1, "1.2", "3", "1.2-3" },
		{ "257.13-1~deb13u1", -1, "257.13", "1~deb13u1", "257.13-1~deb13u1" },
		{ "2.4+20151223.gitfa8646d.1-2+b5", -1, "2.4+20151223.gitfa8646d.1", "2+b5",
		  "2.4+20151223.gitfa8646d.1-2+b5" },
		{ "1.2-rc1-3", -1, "1.2_rc1", "3", "1.2_rc1-3" },
		{ "1:2:3-1", 1, "2_3", "1", "1:2_3-1" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(VarveDebianVersion) version = { 0 };
		g_autoptr(GError) error = NULL;
		g_autofree char *evr = NULL;

		varve_debian_version_parse(cases[i].debian, &version, &error);
		g_assert_no_error(error);
		g_assert_cmpint(version.epoch, ==, cases[i].epoch);
		g_assert_cmpstr(version.version, ==, cases[i].version);
		g_assert_cmpstr(version.release, ==, cases[i].release);
		evr = varve_debian_version_evr(&version);
		g_assert_cmpstr(evr, ==, cases[i].evr);
	}
}

static void test_bad_versions_are_corrupt(void)
{
	static const char *const cases[] = { "",        ":1",    "x:1",
					     "1-",      "-1:2",  "1 2",
					     "1/2-3",   "1-2/3", "99999999999:1",
					     "1.2-3\n", "1:",    "1.2(3)",
					     "1.2-3^4" };

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		VarveDebianVersion version = { .epoch = 42 };
		g_autoptr(GError) error = NULL;

		g_assert_false(varve_debian_version_parse(cases[i], &version, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		g_assert_cmpint(version.epoch, ==, 42);
	}
}

/* What Debian orders one way RPM must not order the other. */
static void test_order_survives_the_mapping(void)
{
	static const struct {
		const char *low, *high;
	} cases[] = {
		{ "1.2-3", "1.2-3+deb13u1" }, { "1.2-3~deb13u1", "1.2-3" },
		{ "1.2-3", "1.2-3+b1" },      { "1.2~rc1-1", "1.2-1" },
		{ "9.9-1", "1:0.1-1" },       { "1.9-1", "1.10-1" },
		{ "2.41", "2.41-12" },        { "5.1.1alpha+20110809-3~", "5.8.1-1" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(VarveDebianVersion) low = { 0 }, high = { 0 };
		g_autofree char *low_evr = NULL, *high_evr = NULL;

		g_assert_true(varve_debian_version_parse(cases[i].low, &low, NULL));
		g_assert_true(varve_debian_version_parse(cases[i].high, &high, NULL));
		low_evr = varve_debian_version_evr(&low);
		high_evr = varve_debian_version_evr(&high);
		g_assert_cmpint(varve_rpm_evr_compare(low_evr, high_evr), <, 0);
	}
}

static void test_clauses(void)
{
	enum { LT = VARVE_RPM_LESS, GT = VARVE_RPM_GREATER, EQ = VARVE_RPM_EQUAL };
	static const struct {
		const char *debian, *name;
		guint32 sense;
		const char *version;
	} cases[] = {
		{ "libc6", "libc6", 0, NULL },
		{ "libc6 (>= 2.41)", "libc6", GT | EQ, "2.41-0" },
		{ "libc6 (>> 2.41)", "libc6", GT, "2.41-0" },
		{ "libc6(<<2.41-1~)", "libc6", LT, "2.41-1~" },
		{ "libc6 (<= 1:2.41)", "libc6", LT | EQ, "1:2.41-0" },
		{ "libc6 (= 2.41-12+deb13u4)", "libc6", EQ, "2.41-12+deb13u4" },
		{ "libc6 (< 2.41)", "libc6", LT | EQ, "2.41-0" },
		{ "python3:any (>= 3.5~)", "python3", GT | EQ, "3.5~-0" },
		{ "libstdc++6:amd64", "libstdc++6", 0, NULL },
		{ "awk | mawk", "(awk or mawk)", 0, NULL },
		{ "a1 (>= 1) | b1:any | c1 (<< 2-1)", "(a1 >= 1-0 or b1 or c1 < 2-1)", 0, NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) clauses =
			varve_debian_relations_parse(cases[i].debian, "test", &error);
		g_auto(VarveRpmClause) clause = { 0 };

		g_assert_no_error(error);
		g_assert_cmpuint(clauses->len, ==, 1);
		varve_debian_clause_to_rpm(g_ptr_array_index(clauses, 0), &clause);
		g_assert_cmpstr(clause.name, ==, cases[i].name);
		g_assert_cmpuint(clause.sense, ==, cases[i].sense);
		g_assert_cmpstr(clause.version, ==, cases[i].version);
	}
}

static void test_a_field_has_many_clauses(void)
{
	g_autoptr(GPtrArray) none = varve_debian_relations_parse(NULL, "test", NULL);
	g_autoptr(GPtrArray) several =
		varve_debian_relations_parse("aa,\n bb | cc,dd (= 1), ", "test", NULL);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	g_assert_cmpuint(none->len, ==, 0);
	g_assert_cmpuint(several->len, ==, 3);
	g_hash_table_add(names, (gpointer) "cc");
	g_assert_false(varve_debian_clause_names(g_ptr_array_index(several, 0), names));
	g_assert_true(varve_debian_clause_names(g_ptr_array_index(several, 1), names));
}

static void test_bad_relations_are_corrupt(void)
{
	static const char *const cases[] = {
		"a",
		"(>= 1)",
		"foo (>= 1",
		"foo >= 1",
		"foo (~ 1)",
		"foo (1)",
		"foo (>= )",
		"foo (>= 1) bar",
		"foo | ",
		"foo [amd64]",
		"foo <!nocheck>",
		"foo/bar",
		"foo (>=1) (<2)",
		"foo (>= 1\n2)",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_debian_relations_parse(cases[i], "test", &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		g_assert_true(g_str_has_prefix(error->message, "test"));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/debian-relation/versions", test_versions);
	g_test_add_func("/debian-relation/bad-versions-are-corrupt", test_bad_versions_are_corrupt);
	g_test_add_func("/debian-relation/order-survives-the-mapping",
			test_order_survives_the_mapping);
	g_test_add_func("/debian-relation/clauses", test_clauses);
	g_test_add_func("/debian-relation/a-field-has-many-clauses", test_a_field_has_many_clauses);
	g_test_add_func("/debian-relation/bad-relations-are-corrupt",
			test_bad_relations_are_corrupt);
	return g_test_run();
}
