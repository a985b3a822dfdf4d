/* component/sources-file.c: both formats, and what is refused. */
#include "component/sources-file.h"

#include "base/error.h"

#include <string.h>

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static VarveSourcesFile *parse(const char *text, GError **error)
{
	return varve_sources_file_parse(text, strlen(text), "sources", error);
}

static void test_formats(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveSourcesFile) sources =
		parse("SHA256 (a (1) = b.tar.gz) = " SHA256 "\n\n" MD5 "  old.tar.gz\r\n", &error);
	g_autofree char *text = NULL;

	g_assert_no_error(error);
	g_assert_cmpuint(sources->entries->len, ==, 2);
	g_assert_nonnull(varve_sources_file_find(sources, "a (1) = b.tar.gz"));
	varve_sources_file_set(sources, "new", G_CHECKSUM_MD5, "D41D8CD98F00B204E9800998ECF8427E");
	varve_sources_file_remove(sources, "a (1) = b.tar.gz");
	varve_sources_file_remove(sources, "never there");
	text = varve_sources_file_print(sources);
	g_assert_cmpstr(text, ==, "MD5 (old.tar.gz) = " MD5 "\nMD5 (new) = " MD5 "\n");
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		VarveError code;
		const char *says;
	} cases[] = {
		{ "SHA256 (a) = " MD5, VARVE_ERROR_CORRUPT, "sources:1" },
		{ MD5 "  a\n" MD5 "  a\n", VARVE_ERROR_CORRUPT, "twice" },
		{ MD5 "  ../a\n", VARVE_ERROR_CORRUPT, "no file name" },
		{ MD5 "  -rf\n", VARVE_ERROR_CORRUPT, "no file name" },
		{ "MD5 (a/b) = " MD5, VARVE_ERROR_CORRUPT, "no file name" },
		{ "CRC32 (a) = 00000000", VARVE_ERROR_UNSUPPORTED, "CRC32" },
		{ "word\n", VARVE_ERROR_CORRUPT, "expected" },
		{ "MD5 (\xff) = " MD5, VARVE_ERROR_CORRUPT, "UTF-8" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(cases[i].text, &error));
		g_assert_error(error, VARVE_ERROR, (int)cases[i].code);
		g_assert_nonnull(strstr(error->message, cases[i].says));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sources-file/formats", test_formats);
	g_test_add_func("/sources-file/refused", test_refused);
	return g_test_run();
}
