#include "base/error.h"
#include "component/pattern.h"

static void test_matches(void)
{
	static const struct {
		const char *pattern, *path;
		gboolean matches;
	} cases[] = {
		{ "*.patch", "a.patch", TRUE },
		{ "*.patch", "d/a.patch", FALSE },
		{ "**/*.patch", "a.patch", TRUE },
		{ "**/*.patch", "d/e/a.patch", TRUE },
		{ "d/**", "d/e/f", TRUE },
		{ "d**.patch", "da.patch", TRUE },
		{ "d**.patch", "d/a.patch", FALSE },
		{ "d**/a", "d/e/a", FALSE },
		{ "d**/a", "de/a", TRUE },
		{ "***", "a/b", FALSE },
		{ "{a,b/c}.txt", "b/c.txt", TRUE },
		{ "{a,b/c}.txt", "b.txt", FALSE },
		{ "x{1,{2,3}}", "x3", TRUE },
		{ "x{,y}", "x", TRUE },
		{ "%{name}.patch", "%name.patch", TRUE },
		{ "[a-c]?.txt", "b1.txt", TRUE },
		{ "[!a-c].txt", "b.txt", FALSE },
		{ "[{]x", "{x", TRUE },
		{ "\\{a,b\\}", "{a,b}", TRUE },
		{ "\\*.txt", "*.txt", TRUE },
		{ "\\*.txt", "a.txt", FALSE },
		{ ".*", ".hidden", TRUE },
		{ "?.txt", "\xc3\xa9.txt", TRUE },
		{ "??.txt", "\xc3\xa9.txt", FALSE },
		{ "[\xc3\xa0-\xc3\xaf]", "\xc3\xa9", TRUE },
		{ "[^a]", "\xc3\xa9", TRUE },
		{ "?", "\xff", TRUE },
		{ "[a-c-e]", "-", TRUE },
		{ "[a-c-e]", "d", FALSE },
		{ "[-a]", "-", TRUE },
		{ "[a\\-c]", "b", FALSE },
		{ "[\\a-c]", "b", TRUE },
		{ "[^a]", "/", FALSE },
		{ "d/**", "d", FALSE },
		{ "d/**/", "d/a", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VarvePattern) pattern = varve_pattern_new(cases[i].pattern, NULL);

		if (!pattern || varve_pattern_match(pattern, cases[i].path) != cases[i].matches)
			g_error("'%s' on '%s'", cases[i].pattern, cases[i].path);
	}
}

/* A value is no path, though stars and question marks stop at its slashes. */
static void test_values(void)
{
	static const struct {
		const char *pattern, *value;
		gboolean matches;
	} cases[] = {
		{ "*.patch", "a.patch", TRUE },
		{ "*.patch", "d/a.patch", FALSE },
		{ "d?a.patch", "d/a.patch", FALSE },
		{ "d[^x]a.patch", "d/a.patch", TRUE },
		{ "d[.-9]a", "d/a", TRUE },
		{ "d/**", "d", TRUE },
		{ "d/**/", "d", TRUE },
		{ "d/**/a", "d", FALSE },
		{ "**/", "d", FALSE },
		{ "**/*", "d/e/a", TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VarvePattern) pattern = varve_pattern_new(cases[i].pattern, NULL);

		if (!pattern ||
		    varve_pattern_match_value(pattern, cases[i].value) != cases[i].matches)
			g_error("'%s' on '%s'", cases[i].pattern, cases[i].value);
	}
}

static void test_literal(void)
{
	static const struct {
		const char *pattern, *literal;
	} cases[] = {
		{ "a.patch", "a.patch" }, { "a\\b", "a\\b" }, { "\\[a\\]", "[a]" }, { "a*", NULL },
		{ "[a]", NULL },          { "{a}", NULL },    { "a?", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VarvePattern) pattern = varve_pattern_new(cases[i].pattern, NULL);

		g_assert_cmpstr(varve_pattern_literal(pattern), ==, cases[i].literal);
	}
}

static void test_depth(void)
{
	static const struct {
		const char *pattern;
		guint depth;
	} cases[] = {
		{ "*.c", 0 },
		{ "a/*", 1 },
		{ "{a,b/c/d}*", 2 },
		{ "**", G_MAXUINT },
		{ "a**/*.c", 1 },
		{ "a/**", G_MAXUINT },
		{ "{a,**/b}", G_MAXUINT },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VarvePattern) pattern = varve_pattern_new(cases[i].pattern, NULL);

		g_assert_cmpuint(varve_pattern_depth(pattern), ==, cases[i].depth);
	}
}

static void test_wrong(void)
{
	static const char *const texts[] = { "[a", "[]", "[!]", "a{b", "a}b", "a\\", "[\\]" };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_pattern_new(texts[i], &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	}
}

static void test_alternatives_are_bounded(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 60; i++)
		g_string_append(text, "{a,b}");
	g_assert_null(varve_pattern_new(text->str, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pattern/matches", test_matches);
	g_test_add_func("/pattern/values", test_values);
	g_test_add_func("/pattern/literal", test_literal);
	g_test_add_func("/pattern/depth", test_depth);
	g_test_add_func("/pattern/wrong", test_wrong);
	g_test_add_func("/pattern/alternatives-are-bounded", test_alternatives_are_bounded);
	return g_test_run();
}
