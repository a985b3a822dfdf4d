#include "base/error.h"
#include "base/file.h"
#include "component/loose-files.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *path;
	int fd;
} Fixture;

static void put(const Fixture *fixture, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(fixture->path, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(full, text, -1, NULL));
}

static void set_up(Fixture *fixture, gconstpointer unused)
{
	(void)unused;
	fixture->path = g_dir_make_tmp("loose-XXXXXX", NULL);
	fixture->fd = varve_dir_open(AT_FDCWD, fixture->path, NULL);
	g_assert_cmpint(fixture->fd, >=, 0);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
	(void)unused;
	close(fixture->fd);
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->path, NULL));
	g_free(fixture->path);
}

/* The paths that match, or the error's code. */
static char *match(const Fixture *fixture, const char *text)
{
	g_autoptr(VarvePattern) pattern = varve_pattern_new(text, NULL);
	g_autoptr(GPtrArray) found = NULL;
	g_autoptr(GError) error = NULL;

	if (!varve_loose_match(fixture->fd, pattern, &found, &error))
		return g_strdup_printf("error %d", error->code);
	g_ptr_array_add(found, NULL);
	return g_strjoinv(" ", (char **)found->pdata);
}

static void test_match(Fixture *fixture, gconstpointer unused)
{
	const struct {
		const char *pattern, *found;
	} cases[] = {
		{ "*.txt", "a.txt b.txt" },
		{ "**/*.txt", "a.txt b.txt d/c.txt" },
		{ "**", "a.txt b.txt d/c.txt x\\y" },
		{ "a.txt", "a.txt" },
		{ "d/c.txt", "d/c.txt" },
		{ "d/none.txt", "" },
		{ "none/c.txt", "" },
		{ "x\\y", "x\\y" },
		{ "d", "" },
		{ "*.spec", "" },
		{ "a.spec", "" },
		{ ".git/HEAD", "" },
	};
	g_autofree char *outside = g_strdup_printf("error %d", VARVE_ERROR_CONFLICT);
	g_autofree char *link = g_strdup_printf("error %d", VARVE_ERROR_CORRUPT);

	(void)unused;
	put(fixture, "a.txt", "");
	put(fixture, "b.txt", "");
	put(fixture, "d/c.txt", "");
	put(fixture, "a.spec", "");
	put(fixture, "x\\y", "");
	put(fixture, ".git/HEAD", "");
	put(fixture, "d/.git/e.txt", "");
	g_assert_cmpint(symlinkat("/etc/passwd", fixture->fd, "l.txt"), ==, 0);
	g_assert_cmpint(symlinkat("d", fixture->fd, "e"), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *found = match(fixture, cases[i].pattern);

		g_assert_cmpstr(found, ==, cases[i].found);
	}
	for (const char *const *text = (const char *const[]){ "../a.txt", "/etc/passwd",
							      "d/../a.txt", "./a.txt", "", NULL };
	     *text; text++) {
		g_autofree char *found = match(fixture, *text);

		g_assert_cmpstr(found, ==, outside);
	}
	for (const char *const *text = (const char *const[]){ "l.txt", "e/c.txt", NULL }; *text;
	     text++) {
		g_autofree char *found = match(fixture, *text);

		g_assert_cmpstr(found, ==, link);
	}
}

static void test_links_are_not_followed(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *path = g_build_filename(fixture->path, "target", NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *data = NULL;
	gsize size;
	mode_t mode;

	(void)unused;
	put(fixture, "target", "secret");
	g_assert_cmpint(symlinkat(path, fixture->fd, "link"), ==, 0);
	g_assert_false(varve_loose_read(fixture->fd, "link", &data, &size, &mode, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_false(varve_loose_add(fixture->fd, "link", path, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_clear_error(&error);
	/* The link is replaced, not what it leads to. */
	g_assert_true(varve_loose_write(fixture->fd, "link", "new", 3, 0644, NULL));
	g_assert_true(varve_loose_read(fixture->fd, "target", &data, &size, &mode, NULL));
	g_assert_cmpstr(data, ==, "secret");
}

static void test_write_keeps_the_mode_and_leaves_nothing(Fixture *fixture, gconstpointer unused)
{
	g_auto(GStrv) names = NULL;
	g_autofree char *data = NULL;
	gsize size;
	mode_t mode;

	(void)unused;
	put(fixture, "a", "old");
	g_assert_true(varve_loose_write(fixture->fd, "a", "new", 3, 0751, NULL));
	g_assert_true(varve_loose_read(fixture->fd, "a", &data, &size, &mode, NULL));
	g_assert_cmpstr(data, ==, "new");
	g_assert_cmpint(mode, ==, 0751);
	g_assert_true(varve_dir_list(fixture->fd, ".", &names, NULL));
	g_assert_cmpuint(g_strv_length(names), ==, 1);
}

static void test_rename(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *found = NULL;
	g_autoptr(GError) error = NULL;

	(void)unused;
	put(fixture, "d/a", "");
	g_assert_true(varve_loose_rename(fixture->fd, "d/a", "b", NULL));
	found = match(fixture, "**");
	g_assert_cmpstr(found, ==, "d/b");
	for (const char *const *name = (const char *const[]){ "../b", "..", "x.spec", "", NULL };
	     *name; name++) {
		g_assert_false(varve_loose_rename(fixture->fd, "d/b", *name, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
		g_clear_error(&error);
	}
}

static void test_copy(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *path = g_build_filename(fixture->path, "d/a", NULL);
	g_autofree char *out = g_build_filename(fixture->path, "out", NULL);
	g_autofree char *found = NULL;
	Fixture copy = { out, -1 };
	struct stat st;

	(void)unused;
	put(fixture, "d/a", "text");
	put(fixture, "b.spec", "");
	put(fixture, ".git/HEAD", "");
	g_assert_cmpint(chmod(path, 0640), ==, 0);
	g_assert_cmpint(symlinkat("d/a", fixture->fd, "link"), ==, 0);
	g_assert_true(varve_dir_make(out, 0755, NULL));
	copy.fd = varve_dir_open(AT_FDCWD, out, NULL);
	/* Into a directory of its own: it is not copied into itself. */
	g_assert_true(varve_loose_copy(fixture->fd, copy.fd, "b.spec", NULL));
	found = match(&copy, "**");
	g_assert_cmpstr(found, ==, "d/a");
	g_assert_cmpint(fstatat(copy.fd, "d/a", &st, 0), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0640);
	g_assert_cmpint(fstatat(copy.fd, "link", &st, AT_SYMLINK_NOFOLLOW), ==, 0);
	g_assert_true(S_ISLNK(st.st_mode));
	g_assert_cmpint(fstatat(copy.fd, "out", &st, 0), ==, -1);
	g_assert_cmpint(fstatat(copy.fd, "b.spec", &st, 0), ==, -1);
	g_assert_cmpint(fstatat(copy.fd, ".git", &st, 0), ==, -1);
	close(copy.fd);
}

static void test_git_paths(void)
{
	g_assert_true(varve_loose_is_git(".git/config"));
	g_assert_true(varve_loose_is_git("a/.git/b/c"));
	g_assert_false(varve_loose_is_git(".gitignore"));
	g_assert_false(varve_loose_is_git("a.git/b"));
}

#define ADD(path, test) g_test_add("/loose-files/" path, Fixture, NULL, set_up, test, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("match", test_match);
	ADD("links-are-not-followed", test_links_are_not_followed);
	ADD("write-keeps-the-mode-and-leaves-nothing",
	    test_write_keeps_the_mode_and_leaves_nothing);
	ADD("rename", test_rename);
	ADD("copy", test_copy);
	g_test_add_func("/loose-files/git-paths", test_git_paths);
	return g_test_run();
}
