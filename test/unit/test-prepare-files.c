/* component/prepare-files.c: which files of a component stay. */
#include "component/prepare.h"

#include "base/file.h"

#include <sys/stat.h>

static void test_keep(void)
{
	static const struct {
		const char *path;
		gboolean stays;
	} files[] = {
		{ "demo.spec", TRUE },  { "a.patch", TRUE },         { "b.patch", FALSE },
		{ "README", FALSE },    { "patches/c.patch", TRUE }, { "patches/d.patch", FALSE },
		{ "tests/run", FALSE }, { "tests/deep/er", FALSE },  { "tls.patch", TRUE },
	};
	static const char *const with[] = { "tls", NULL }, *const none[] = { NULL };
	const VarveComponentBuild build = { .with = with, .without = none, .undefines = none };
	g_autofree char *directory = g_dir_make_tmp("test-keep-XXXXXX", NULL);
	varve_autofd fd = varve_dir_open(AT_FDCWD, directory, NULL);
	g_autoptr(GArray) macros = varve_prepare_macros(&build);
	const char *const keep[] = { "demo.spec", NULL };
	g_autoptr(GError) error = NULL;
	struct stat st;

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(directory, files[i].path, NULL);
		g_autofree char *parent = g_path_get_dirname(path);

		g_assert_true(varve_dir_make(parent, 0755, NULL));
		g_assert_true(varve_file_write(AT_FDCWD, path, "x", 1, 0644, NULL));
	}
	g_assert_cmpint(symlinkat("/", fd, "root"), ==, 0);
	varve_prepare_keep(fd,
			   "Patch0: a.patch\n%bcond_with tls\nPatch1: patches/c.patch\n"
			   "%if %{with tls}\nPatch2: tls.patch\n%endif\n",
			   macros, keep, &error);
	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_test_message("%s", files[i].path);
		g_assert_cmpint(fstatat(fd, files[i].path, &st, 0) == 0, ==, files[i].stays);
	}
	g_assert_cmpint(fstatat(fd, "tests", &st, 0), <, 0);
	g_assert_cmpint(fstatat(fd, "root", &st, AT_SYMLINK_NOFOLLOW), <, 0);
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

static void test_macros(void)
{
	static const char *const with[] = { "a", NULL }, *const without[] = { "b", NULL },
				 *const undefines[] = { "y", NULL };
	static const VarveSetting defines[] = { { .key = "x", .value = "1" },
						{ .key = "y", .value = "2" } };
	const VarveComponentBuild build = { .with = with,
					    .without = without,
					    .defines = defines,
					    .n_defines = 2,
					    .undefines = undefines };
	g_autoptr(GArray) macros = varve_prepare_macros(&build);

	g_assert_cmpuint(macros->len, ==, 3);
	g_assert_cmpstr(g_array_index(macros, VarveSetting, 0).key, ==, "_with_a");
	g_assert_cmpstr(g_array_index(macros, VarveSetting, 1).key, ==, "_without_b");
	g_assert_cmpstr(g_array_index(macros, VarveSetting, 2).value, ==, "1");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/prepare-files/keep", test_keep);
	g_test_add_func("/prepare-files/macros", test_macros);
	return g_test_run();
}
