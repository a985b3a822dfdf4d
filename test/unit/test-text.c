#include "base/text.h"

static void test_globs(void)
{
	static const struct {
		const char *pattern, *path;
		gboolean matches;
	} cases[] = {
		{ "/usr/bin/node_exporter", "/usr/bin/node_exporter", TRUE },
		{ "/usr/bin/*", "/usr/bin/sh", TRUE },
		{ "/usr/bin/*", "/usr/bin/a/b", FALSE },
		{ "/usr/share/**", "/usr/share/a/b", TRUE },
		{ "/usr/share/**", "/usr/share", FALSE },
		{ "**/*.comp.toml", "a/b/x.comp.toml", TRUE },
		{ "**/*.comp.toml", "x.comp.toml", TRUE },
		{ "a/**/b", "a/b", TRUE },
		{ "a/**/b", "a/x/y/b", TRUE },
		{ "a/**/b", "axb", FALSE },
		{ "a/**/b", "a/xb", FALSE },
		{ "[a-c]?", "bz", TRUE },
		{ "[!a-c]?", "bz", FALSE },
		{ "[]x]", "]", TRUE },
		{ "a?c", "a/c", FALSE },
		{ "\\*", "*", TRUE },
		{ "\\*", "x", FALSE },
		{ "", "", TRUE },
		{ "*", "", TRUE },
		{ "?", "", FALSE },
		{ "a*b*c", "aXbYc", TRUE },
		{ "a*b*c", "aXbY", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		if (varve_glob_match(cases[i].pattern, cases[i].path) != cases[i].matches)
			g_error("'%s' on '%s'", cases[i].pattern, cases[i].path);
}

static void test_hostile_glob_ends(void)
{
	g_autofree char *path = g_strnfill(4000, 'a');
	g_autoptr(GString) pattern = g_string_new(NULL);

	for (int i = 0; i < 200; i++)
		g_string_append(pattern, "**/*a");
	g_string_append_c(pattern, 'b');
	g_assert_false(varve_glob_match(pattern->str, path));
}

static void test_nearest(void)
{
	static const char *const keys[] = { "package-sets", "restart", "role", NULL };

	g_assert_cmpstr(varve_nearest("packge-sets", keys), ==, "package-sets");
	g_assert_cmpstr(varve_nearest("rloe", keys), ==, "role");
	g_assert_null(varve_nearest("colour", keys));
}

static char *printable(const char *format, ...) G_GNUC_PRINTF(1, 2);
static char *printable(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = varve_text_printable(format, args);
	va_end(args);
	return text;
}

static void test_printable(void)
{
	g_autofree char *text = printable("%s%c", "a\033[2J\tb\n\302\233\377z", 'c');

	g_assert_cmpstr(text, ==, "a?[2J?b\n?\357\277\275zc");
}

static void test_line(void)
{
	/* A line break, an escape, a mark that turns the writing round, no UTF-8, a letter. */
	g_autofree char *line = varve_text_line("a\nb\x1b[31m\xe2\x80\xae c\xff\xc3\xa4\x7f");

	g_assert_cmpstr(line, ==, "a?b?[31m? c\xef\xbf\xbd\xc3\xa4?");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/text/globs", test_globs);
	g_test_add_func("/text/hostile-glob-ends", test_hostile_glob_ends);
	g_test_add_func("/text/nearest", test_nearest);
	g_test_add_func("/text/printable", test_printable);
	g_test_add_func("/text/line", test_line);
	return g_test_run();
}
