/* component/snapshot.c: what differs between two states of a directory. */
#include "component/snapshot.h"

#include "base/error.h"
#include "base/file.h"

#include <sys/stat.h>

static void test_diff(void)
{
	g_autofree char *directory = g_dir_make_tmp("test-snapshot-XXXXXX", NULL);
	varve_autofd fd = varve_dir_open(AT_FDCWD, directory, NULL);
	g_autoptr(VarveSnapshot) before = NULL, after = NULL;
	g_autofree char *text = NULL, *none = NULL;
	g_autoptr(GPtrArray) paths = NULL;

	g_assert_cmpint(mkdirat(fd, "d", 0755), ==, 0);
	g_assert_true(varve_file_write(fd, "d/same", "s\n", 2, 0644, NULL));
	g_assert_true(varve_file_write(fd, "gone", "g\n", 2, 0644, NULL));
	g_assert_true(varve_file_write(fd, "text", "1\n", 2, 0644, NULL));
	g_assert_true(varve_file_write(fd, "raw", "\0", 1, 0644, NULL));
	g_assert_cmpint(symlinkat("text", fd, "link"), ==, 0);
	before = varve_snapshot_new(fd, NULL);
	g_assert_cmpint(unlinkat(fd, "gone", 0), ==, 0);
	g_assert_cmpint(unlinkat(fd, "link", 0), ==, 0);
	g_assert_cmpint(symlinkat("/etc", fd, "link"), ==, 0);
	g_assert_true(varve_file_write(fd, "text", "2\n", 2, 0644, NULL));
	g_assert_true(varve_file_write(fd, "raw", "\0\0", 2, 0644, NULL));
	after = varve_snapshot_new(fd, NULL);
	varve_snapshot_set(after, "new", "n\n", 2);
	text = varve_snapshot_diff(before, after);
	g_assert_cmpstr(text, ==,
			"--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-g\n"
			"--- a/link\n+++ b/link\n@@ -1 +1 @@\n-text\n\\ No newline at end of file\n"
			"+/etc\n\\ No newline at end of file\n"
			"--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+n\n"
			"Binary files a/raw and b/raw differ\n"
			"--- a/text\n+++ b/text\n@@ -1 +1 @@\n-1\n+2\n");
	none = varve_snapshot_diff(after, after);
	g_assert_cmpstr(none, ==, "");
	varve_snapshot_set(after, "new", NULL, 0);
	paths = varve_snapshot_paths(after);
	g_assert_cmpuint(paths->len, ==, 4);
	g_assert_cmpstr(paths->pdata[0], ==, "d/same");
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/snapshot/diff", test_diff);
	return g_test_run();
}
