#include "package/debian-mirror.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>

static void write_text(const char *directory, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, NULL));
}

static void test_mirrors(void)
{
	static const struct {
		const char *name, *text, *archive, *security;
	} cases[] = {
		{ "sources.list", "deb http://a.example/debian bookworm main\n",
		  "http://a.example/debian", NULL },
		{ "sources.list",
		  "# deb http://no.example/debian x main\n"
		  "deb-src http://src.example/debian bookworm main\n"
		  "deb [arch=amd64 signed-by=/k.gpg] https://b.example/debian/ bookworm main\n"
		  "deb http://s.example/debian-security bookworm-security main\n",
		  "https://b.example/debian", "http://s.example/debian-security" },
		{ "sources.list.d/debian.sources",
		  "Types: deb deb-src\nURIs: http://c.example/debian\nSuites: bookworm\n\n"
		  "Types: deb\nURIs: http://c.example/debian-security/\nSuites: x\n",
		  "http://c.example/debian", "http://c.example/debian-security" },
		{ "sources.list.d/mixed.sources",
		  "Types: deb\nURIs: https://deb.node.example/node_20.x\nSuites: nodistro\n\n"
		  "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: x\n\n"
		  "Types: deb\nURIs: https://x.example/other http://d.example/archive/debian/2026\n"
		  "Suites: y\n",
		  "http://d.example/archive/debian/2026", NULL },
		{ "sources.list.d/cloud.sources",
		  "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: x\n\n"
		  "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian-security.list\n",
		  "mirror+file:///etc/apt/mirrors/debian.list",
		  "mirror+file:///etc/apt/mirrors/debian-security.list" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *directory = g_dir_make_tmp("test-mirror-XXXXXX", NULL);
		g_auto(VarveDebianMirror) mirror = { 0 };
		g_autoptr(GError) error = NULL;

		write_text(directory, cases[i].name, cases[i].text);
		varve_debian_mirror_find(directory, &mirror, &error);
		g_assert_no_error(error);
		g_assert_cmpstr(mirror.archive, ==, cases[i].archive);
		g_assert_cmpstr(mirror.security, ==, cases[i].security);
		g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
	}
}

static void test_damaged_files_are_passed_over(void)
{
	g_autofree char *directory = g_dir_make_tmp("test-mirror-XXXXXX", NULL);
	g_auto(VarveDebianMirror) mirror = { 0 };
	g_autoptr(GError) error = NULL;

	write_text(directory, "sources.list.d/a.sources", "Types: deb\nTypes: deb\nno colon\n");
	write_text(directory, "sources.list.d/b.list", "deb [ http://broken\ndeb\n\n");
	write_text(directory, "sources.list.d/c.list", "deb http://a.example/debian x main\n");
	varve_debian_mirror_find(directory, &mirror, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(mirror.archive, ==, "http://a.example/debian");
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

static void test_no_mirror_says_what_to_do(void)
{
	g_autofree char *directory = g_dir_make_tmp("test-mirror-XXXXXX", NULL);
	VarveDebianMirror mirror = { 0 };
	g_autoptr(GError) error = NULL;

	write_text(directory, "sources.list", "deb http://a.example/ubuntu noble main\n");
	g_assert_false(varve_debian_mirror_find(directory, &mirror, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "--mirror"));
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/debian-mirror/mirrors", test_mirrors);
	g_test_add_func("/debian-mirror/damaged-files-are-passed-over",
			test_damaged_files_are_passed_over);
	g_test_add_func("/debian-mirror/no-mirror-says-what-to-do", test_no_mirror_says_what_to_do);
	return g_test_run();
}
