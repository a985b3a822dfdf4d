#include "base/error.h"
#include "base/file.h"
#include "component/loose-files.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
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
static char *match_kind(const Fixture *fixture, const char *text, VarveLooseKind kind)
{
	g_autoptr(VarvePattern) pattern = varve_pattern_new(text, NULL);
	g_autoptr(GPtrArray) found = NULL;
	g_autoptr(GError) error = NULL;

	if (!varve_loose_match(fixture->fd, pattern, kind, &found, &error))
		return g_strdup_printf("error %d", error->code);
	g_ptr_array_add(found, NULL);
	return g_strjoinv(" ", (char **)found->pdata);
}

static char *match(const Fixture *fixture, const char *text)
{
	return match_kind(fixture, text, VARVE_LOOSE_FILES);
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

/* What takes the link itself gets it, wherever it leads; what is behind it stays out of reach. */
static void test_links_are_taken_themselves(Fixture *fixture, gconstpointer unused)
{
	const struct {
		const char *pattern, *found;
	} cases[] = {
		{ "*.txt", "a.txt l.txt" }, { "l.txt", "l.txt" }, { "d", "d" },
		{ "**", "a.txt d l.txt" },  { "s.spec", "" },     { ".git/x", "" },
	};

	(void)unused;
	put(fixture, "a.txt", "");
	put(fixture, ".git/HEAD", "");
	g_assert_cmpint(symlinkat("nowhere", fixture->fd, "l.txt"), ==, 0);
	g_assert_cmpint(symlinkat("/etc", fixture->fd, "d"), ==, 0);
	g_assert_cmpint(symlinkat("a.txt", fixture->fd, "s.spec"), ==, 0);
	g_assert_cmpint(symlinkat("a", fixture->fd, ".git/x"), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *found =
			match_kind(fixture, cases[i].pattern, VARVE_LOOSE_FILES_OR_LINKS);

		g_assert_cmpstr(found, ==, cases[i].found);
	}
}

/* A pattern is asked only where it reaches. */
static void test_deep_directories(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *unsupported = g_strdup_printf("error %d", VARVE_ERROR_UNSUPPORTED);
	g_autofree char *plain = NULL, *one = NULL, *all = NULL;
	g_autoptr(GString) path = g_string_new(NULL);

	(void)unused;
	for (guint i = 0; i < 130; i++)
		g_string_append(path, "d/");
	g_string_append(path, "b.c");
	put(fixture, path->str, "");
	put(fixture, "a.c", "");
	put(fixture, "d/a.c", "");
	plain = match(fixture, "*.c");
	one = match(fixture, "{*,d}/*.c");
	all = match(fixture, "**/*.c");
	g_assert_cmpstr(plain, ==, "a.c");
	g_assert_cmpstr(one, ==, "d/a.c");
	g_assert_cmpstr(all, ==, unsupported);
}

static void test_too_large(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *path = g_build_filename(fixture->path, "big", NULL), *data = NULL;
	g_autoptr(GError) error = NULL;
	gsize size;
	mode_t mode;

	(void)unused;
	put(fixture, "big", "");
	g_assert_cmpint(truncate(path, (off_t)VARVE_LOOSE_MAX + 1), ==, 0);
	g_assert_false(varve_loose_read(fixture->fd, "big", &data, &size, &mode, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_assert_nonnull(strstr(error->message, "'big' has 268435457 bytes"));
}

/* As if the disk were full. */
static void test_a_failure_leaves_no_part(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *data = g_strnfill(300000, 'x'), *old = NULL;
	g_autofree char *source = g_strconcat(fixture->path, ".source", NULL);
	struct rlimit before, limit;
	g_autoptr(GError) error = NULL;
	gsize size;
	mode_t mode;

	(void)unused;
	put(fixture, "a", "old");
	g_assert_true(g_file_set_contents(source, data, 300000, NULL));
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
	limit = (struct rlimit){ 100000, before.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	g_assert_false(varve_loose_write(fixture->fd, "a", data, 300000, 0644, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_clear_error(&error);
	g_assert_false(varve_loose_add(fixture->fd, "b", source, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
	g_assert_true(varve_loose_read(fixture->fd, "a", &old, &size, &mode, NULL));
	g_assert_cmpstr(old, ==, "old");
	g_assert_true(varve_loose_can_add(fixture->fd, "b", NULL));
	g_assert_true(varve_loose_remove(fixture->fd, "a", NULL));
	/* Also none that patterns pass over. */
	g_assert_cmpint(rmdir(fixture->path), ==, 0);
	g_assert_cmpint(mkdir(fixture->path, 0755), ==, 0);
	g_assert_cmpint(unlink(source), ==, 0);
}

/* What a killed process left is no source. */
static void test_partial_files_match_nothing(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *found = NULL;

	(void)unused;
	put(fixture, ".varve.0123abcd.partial", "");
	put(fixture, "d/.varve.0123abcd.partial", "");
	put(fixture, ".varve.0123abcde.partial", "");
	put(fixture, "a.partial", "");
	found = match(fixture, "**");
	g_assert_cmpstr(found, ==, ".varve.0123abcde.partial a.partial");
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
	ADD("links-are-taken-themselves", test_links_are_taken_themselves);
	ADD("deep-directories", test_deep_directories);
	ADD("too-large", test_too_large);
	ADD("a-failure-leaves-no-part", test_a_failure_leaves_no_part);
	ADD("partial-files-match-nothing", test_partial_files_match_nothing);
	ADD("links-are-not-followed", test_links_are_not_followed);
	ADD("write-keeps-the-mode-and-leaves-nothing",
	    test_write_keeps_the_mode_and_leaves_nothing);
	ADD("rename", test_rename);
	ADD("copy", test_copy);
	g_test_add_func("/loose-files/git-paths", test_git_paths);
	return g_test_run();
}
