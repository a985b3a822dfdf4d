#include "package/deb822.h"

#include "base/error.h"

#include <string.h>

static GPtrArray *parse(const char *text, GError **error)
{
	return varve_deb822_parse(text, strlen(text), "test", error);
}

static void test_paragraphs_and_continuations(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) paragraphs = parse("\n\n# a comment\nPackage: libfoo\n"
						"Description: short\n first\n .\n  indented\n"
						"# inside\nTag: a,\n\tb\n\n \t\nPackage:bar\r\n",
						&error);
	const VarveParagraph *first, *second;

	g_assert_no_error(error);
	g_assert_cmpuint(paragraphs->len, ==, 2);
	first = g_ptr_array_index(paragraphs, 0);
	second = g_ptr_array_index(paragraphs, 1);
	g_assert_cmpstr(varve_paragraph_get(first, "package"), ==, "libfoo");
	g_assert_cmpstr(varve_paragraph_get(first, "DESCRIPTION"), ==,
			"short\nfirst\n.\n indented");
	g_assert_cmpstr(varve_paragraph_get(first, "Tag"), ==, "a,\nb");
	g_assert_null(varve_paragraph_get(first, "Version"));
	g_assert_cmpstr(varve_paragraph_get(second, "Package"), ==, "bar");
}

static void test_empty_text_has_no_paragraphs(void)
{
	g_autoptr(GPtrArray) none = parse("", NULL), comment = parse("# only\n\n", NULL);

	g_assert_cmpuint(none->len, ==, 0);
	g_assert_cmpuint(comment->len, ==, 0);
}

static void test_missing_field_is_corrupt(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) paragraphs = parse("Package: a\nVersion:\n", NULL);

	g_assert_null(varve_paragraph_require(g_ptr_array_index(paragraphs, 0), "Version",
					      "package 'a'", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_nonnull(strstr(error->message, "'Version'"));
}

static void test_bad_lines_are_corrupt_and_named(void)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ " continuation of nothing\n", "test:1:" }, { "A: b\n\n c\n", "test:3:" },
		{ "A: b\nno colon here\n", "test:2:" },      { "A: b\n: no name\n", "test:2:" },
		{ "A: b\nB: c\na: again\n", "test:3:" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(cases[i].text, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		g_assert_nonnull(strstr(error->message, cases[i].says));
	}
}

static void test_nul_is_corrupt(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_deb822_parse("A: b\0c\n", 7, "test", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deb822/paragraphs-and-continuations", test_paragraphs_and_continuations);
	g_test_add_func("/deb822/empty-text-has-no-paragraphs", test_empty_text_has_no_paragraphs);
	g_test_add_func("/deb822/missing-field-is-corrupt", test_missing_field_is_corrupt);
	g_test_add_func("/deb822/bad-lines-are-corrupt-and-named",
			test_bad_lines_are_corrupt_and_named);
	g_test_add_func("/deb822/nul-is-corrupt", test_nul_is_corrupt);
	return g_test_run();
}
