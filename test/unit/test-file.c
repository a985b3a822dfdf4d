#include "base/error.h"
#include "base/file.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static char *make_dir(void)
{
	return g_dir_make_tmp("varve-test-XXXXXX", NULL);
}

static void test_write_then_read(void)
{
	g_autofree char *dir = make_dir(), *path = g_build_filename(dir, "file", NULL);
	g_autofree char *data = NULL;
	g_auto(GStrv) names = NULL;
	struct stat st;
	size_t size;

	g_assert_true(varve_file_write(AT_FDCWD, path, "one", 3, 0640, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, path, "three", 5, 0640, NULL));
	g_assert_true(varve_file_read(AT_FDCWD, path, 5, &data, &size, NULL));
	g_assert_cmpuint(size, ==, 5);
	g_assert_cmpstr(data, ==, "three");
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0640);
	g_assert_true(varve_dir_list(AT_FDCWD, dir, &names, NULL));
	g_assert_cmpuint(g_strv_length(names), ==, 1); /* no partial file is left */
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
	g_assert_false(g_file_test(dir, G_FILE_TEST_EXISTS));
}

static void test_a_limit_holds(void)
{
	g_autofree char *dir = make_dir(), *path = g_build_filename(dir, "file", NULL);
	g_autofree char *data = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_file_write(AT_FDCWD, path, "123456", 6, 0600, NULL));
	g_assert_false(varve_file_read(AT_FDCWD, path, 5, &data, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_null(data);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

static void test_proc_is_read_whole(void)
{
	g_autofree char *data = NULL;
	size_t size;

	g_assert_true(varve_file_read(AT_FDCWD, "/proc/self/maps", 1 << 20, &data, &size, NULL));
	g_assert_cmpuint(size, >, 100);
}

static void test_an_uncommitted_file_leaves_nothing(void)
{
	g_autofree char *dir = make_dir(), *path = g_build_filename(dir, "file", NULL);
	g_auto(GStrv) names = NULL;
	VarveNewFile *file = varve_new_file_open(path, 0644, NULL);

	g_assert_nonnull(file);
	varve_new_file_free(file);
	g_assert_true(varve_dir_list(AT_FDCWD, dir, &names, NULL));
	g_assert_cmpuint(g_strv_length(names), ==, 0);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

static void test_removing_does_not_follow_links(void)
{
	g_autofree char *dir = make_dir(), *kept = g_build_filename(dir, "kept", NULL);
	g_autofree char *gone = g_build_filename(dir, "gone", "below", NULL);
	g_autofree char *link = g_build_filename(gone, "link", NULL),
			*top = g_path_get_dirname(gone);

	g_assert_true(varve_file_write(AT_FDCWD, kept, "x", 1, 0600, NULL));
	g_assert_true(varve_dir_make(gone, 0755, NULL));
	g_assert_cmpint(symlink("../..", link), ==, 0);
	g_assert_true(varve_dir_remove(AT_FDCWD, top, NULL));
	g_assert_false(g_file_test(top, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

static void test_a_lock_is_exclusive(void)
{
	g_autofree char *dir = make_dir(), *path = g_build_filename(dir, "lock", NULL);
	g_autoptr(GError) error = NULL;
	int first = varve_lock(path, FALSE, NULL);

	g_assert_cmpint(first, >=, 0);
	g_assert_cmpint(varve_lock(path, FALSE, &error), ==, -1);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_BUSY);
	close(first);
	first = varve_lock(path, FALSE, NULL);
	g_assert_cmpint(first, >=, 0);
	close(first);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

/* What is written below a directory is named whole: "0001.json" alone tells nobody where. */
static void test_an_error_names_the_whole_path(void)
{
	g_autofree char *dir = make_dir();
	g_autofree char *file = g_build_filename(dir, "gone/file: cannot create", NULL);
	g_autofree char *link = g_build_filename(dir, "gone/link: cannot make the link", NULL);
	g_autoptr(GError) error = NULL;
	int fd = varve_dir_open(AT_FDCWD, dir, NULL);

	g_assert_false(varve_file_write(fd, "gone/file", "1", 1, 0600, &error));
	g_assert_true(g_str_has_prefix(error->message, file));
	g_clear_error(&error);
	g_assert_false(varve_file_link(fd, "gone/link", "target", &error));
	g_assert_true(g_str_has_prefix(error->message, link));
	close(fd);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/file/write-then-read", test_write_then_read);
	g_test_add_func("/file/a-limit-holds", test_a_limit_holds);
	g_test_add_func("/file/proc-is-read-whole", test_proc_is_read_whole);
	g_test_add_func("/file/an-uncommitted-file-leaves-nothing",
			test_an_uncommitted_file_leaves_nothing);
	g_test_add_func("/file/removing-does-not-follow-links",
			test_removing_does_not_follow_links);
	g_test_add_func("/file/a-lock-is-exclusive", test_a_lock_is_exclusive);
	g_test_add_func("/file/an-error-names-the-whole-path", test_an_error_names_the_whole_path);
	return g_test_run();
}
