#include "base/file.h"
#include "compose/exclude.h"

static const char *const none[] = { NULL };

static void make(const char *root, const char *path)
{
	g_autofree char *full = g_build_filename(root, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, full, "x", 1, 0644, NULL));
}

static gboolean has(const char *root, const char *path)
{
	g_autofree char *full = g_build_filename(root, path, NULL);

	return g_file_test(full, G_FILE_TEST_EXISTS);
}

static void test_what_goes_and_what_stays(void)
{
	static const char *const own[] = { "/usr/share/doc", "/usr/lib/m/*/sound", "/etc/x.conf",
					   NULL };
	static const char *const own_keep[] = { "/usr/share/doc/*/copyright", NULL };
	static const char *const base[] = { "/usr/share/man/**", NULL };
	const VarveExclude exclude = { .exclude = { own, base }, .keep = { own_keep, none } };
	g_autofree char *root = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	g_autofree char *empty = g_build_filename(root, "usr/empty", NULL);
	g_autoptr(GError) error = NULL;

	make(root, "usr/share/doc/a/copyright");
	make(root, "usr/share/doc/a/changelog");
	make(root, "usr/share/doc/b/changelog");
	make(root, "usr/share/man/man1/a.1");
	make(root, "usr/lib/m/1/sound/card.ko");
	make(root, "usr/lib/m/1/net/net.ko");
	make(root, "etc/x.conf");
	g_assert_true(varve_dir_make(empty, 0755, NULL));

	g_assert_true(varve_exclude_apply(root, &exclude, &error));
	g_assert_no_error(error);
	g_assert_true(has(root, "usr/share/doc/a/copyright"));
	g_assert_false(has(root, "usr/share/doc/a/changelog"));
	g_assert_false(has(root, "usr/share/doc/b"));
	g_assert_false(has(root, "usr/share/man")); /* emptied, so it went */
	g_assert_false(has(root, "usr/lib/m/1/sound"));
	g_assert_true(has(root, "usr/lib/m/1/net/net.ko"));
	g_assert_false(has(root, "etc"));
	g_assert_true(has(root, "usr/empty")); /* empty, but not by us */
	g_assert_true(varve_dir_remove(AT_FDCWD, root, NULL));
}

/* The same question of a path that lies nowhere yet. */
static void test_matches(void)
{
	static const char *const own[] = { "/usr/share/doc", "/usr/lib/m/*/sound", "/etc/x.conf",
					   NULL };
	static const char *const own_keep[] = { "/usr/share/doc/*/copyright", NULL };
	static const char *const base[] = { "/usr/share/man/**", NULL };
	const VarveExclude exclude = { .exclude = { own, base }, .keep = { own_keep, none } };
	const VarveExclude nothing = { 0 };

	g_assert_true(varve_exclude_matches(&exclude, "/usr/share/doc/a/changelog"));
	g_assert_true(varve_exclude_matches(&exclude, "/usr/share/man/man1/a.1"));
	g_assert_true(varve_exclude_matches(&exclude, "/usr/lib/m/1/sound/card.ko"));
	g_assert_true(varve_exclude_matches(&exclude, "/etc/x.conf"));
	g_assert_false(varve_exclude_matches(&exclude, "/usr/share/doc/a/copyright"));
	g_assert_false(varve_exclude_matches(&exclude, "/usr/share/docs/a"));
	g_assert_false(varve_exclude_matches(&exclude, "/usr/lib/m/1/net/net.ko"));
	g_assert_false(varve_exclude_matches(&nothing, "/usr/share/doc/a"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exclude/what-goes-and-what-stays", test_what_goes_and_what_stays);
	g_test_add_func("/exclude/matches", test_matches);
	return g_test_run();
}
