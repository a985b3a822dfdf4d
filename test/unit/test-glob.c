/* What patterns of files name, and in which order. */
#include "definition/tree.h"

#include "base/file.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *make_tree(const char *const *files)
{
	g_autoptr(GError) error = NULL;
	char *directory = g_dir_make_tmp("varve-test-XXXXXX", &error);

	g_assert_no_error(error);
	for (; *files; files++) {
		g_autofree char *path = g_build_filename(directory, *files, NULL);
		g_autofree char *above = g_path_get_dirname(path);

		g_assert_cmpint(g_mkdir_with_parents(above, 0755), ==, 0);
		g_assert_true(g_file_set_contents(path, "", 0, NULL));
	}
	return directory;
}

static void assert_found(const char *directory, const char *pattern, const char *expected)
{
	g_autoptr(GPtrArray) found = varve_source_glob(directory, pattern);
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < found->len; i++) {
		const char *path = found->pdata[i];

		g_assert_true(g_str_has_prefix(path, directory));
		g_string_append_printf(names, "%s%s", i ? " " : "", path + strlen(directory) + 1);
	}
	g_assert_cmpstr(names->str, ==, expected);
}

/* A directory's own files come before those further below; names are compared, not paths. */
static void test_order(void)
{
	static const char *const files[] = { "z.toml",     "a/b/x.toml", "a/y.toml", "a-b/x.toml",
					     "a/c/x.toml", "b/x.toml",   NULL };
	g_autofree char *directory = make_tree(files);

	assert_found(directory, "**/*.toml",
		     "z.toml a/y.toml a/b/x.toml a/c/x.toml a-b/x.toml b/x.toml");
	assert_found(directory, "*/x.toml", "a-b/x.toml b/x.toml");
	assert_found(directory, "**/c/*.toml", "a/c/x.toml");
	assert_found(directory, "**/**/x.toml", "a/b/x.toml a/c/x.toml a-b/x.toml b/x.toml");
	assert_found(directory, "a/**", "a/y.toml a/b/x.toml a/c/x.toml");
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

static void test_hidden(void)
{
	static const char *const files[] = { ".a.toml", ".h/b.toml", "c.toml", ".git/d.toml",
					     NULL };
	g_autofree char *directory = make_tree(files);

	assert_found(directory, "*.toml", ".a.toml c.toml");
	assert_found(directory, "**/*.toml", ".a.toml c.toml .h/b.toml");
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

/* A link to a directory is one; it may lead to where it lies. */
static void test_links(void)
{
	static const char *const files[] = { "a/x.toml", NULL };
	g_autofree char *directory = make_tree(files);
	g_autofree char *link = g_build_filename(directory, "b", NULL);
	g_autofree char *loop = g_build_filename(directory, "a", "loop", NULL);
	g_autofree char *dangling = g_build_filename(directory, "gone.toml", NULL);

	g_assert_cmpint(symlink("a", link), ==, 0);
	g_assert_cmpint(symlink("..", loop), ==, 0);
	g_assert_cmpint(symlink("nowhere", dangling), ==, 0);
	assert_found(directory, "**/*.toml", "a/x.toml b/x.toml");
	assert_found(directory, "*/x.toml", "a/x.toml b/x.toml");
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

static void test_alternatives(void)
{
	static const char *const files[] = {
		"a.toml", "b.toml", "c.toml", "d/a.toml", "e{f", NULL
	};
	g_autofree char *directory = make_tree(files);

	assert_found(directory, "{c,a}.toml", "a.toml c.toml");
	assert_found(directory, "{a,*}.toml", "a.toml b.toml c.toml");
	assert_found(directory, "{d/,}{a,b{,x}}.toml", "a.toml b.toml d/a.toml");
	assert_found(directory, "e{f", "e{f");
	assert_found(directory, "e\\{f", "e{f");
	assert_found(directory, "d/../a.toml", "a.toml");
	assert_found(directory, "./d//*", "d/a.toml");
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

static void test_match(void)
{
	static const struct {
		const char *pattern, *path;
		gboolean matches;
	} cases[] = {
		{ "/p/build/**", "/p/build/a/b.spec", TRUE },
		{ "/p/build/**", "/p/builds/b.spec", FALSE },
		{ "/p/**/out/*.spec", "/p/out/b.spec", TRUE },
		{ "/p/**/out/*.spec", "/p/a/b/out/b.spec", TRUE },
		{ "/p/**/out/*.spec", "/p/a/out/c/b.spec", FALSE },
		{ "/p/b**", "/p/b/c", FALSE },
		{ "/p/{a,b}/*.spec", "/p/b/c.spec", TRUE },
		{ "/p/{a,b}/*.spec", "/p/c/c.spec", FALSE },
		{ "/p/[!a]*", "/p/b", TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s %s", cases[i].pattern, cases[i].path);
		g_assert_cmpint(varve_source_match(cases[i].pattern, cases[i].path), ==,
				cases[i].matches);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/glob/order", test_order);
	g_test_add_func("/glob/hidden", test_hidden);
	g_test_add_func("/glob/links", test_links);
	g_test_add_func("/glob/alternatives", test_alternatives);
	g_test_add_func("/glob/match", test_match);
	return g_test_run();
}
