/* Copies of factory files in /etc and /var, in directories made by hand. */
#include "live/factory.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *root, *base;
	int root_fd, base_fd;
	GPtrArray *copies, *done;
} Fixture;

static void make(const char *root, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(root, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, full, text, strlen(text), 0644, NULL));
}

static void set_up(Fixture *f, gconstpointer data)
{
	(void)data;
	f->root = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	f->base = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	make(f->root, "etc/own", "own");
	make(f->root, "var/own", "own");
	f->root_fd = varve_dir_open(AT_FDCWD, f->root, NULL);
	f->base_fd = varve_dir_open(AT_FDCWD, f->base, NULL);
	f->copies = g_ptr_array_new_with_free_func((GDestroyNotify)varve_factory_copy_free);
	f->done = g_ptr_array_new_with_free_func(g_free);
}

static void tear_down(Fixture *f, gconstpointer data)
{
	(void)data;
	close(f->root_fd);
	close(f->base_fd);
	g_assert_true(varve_dir_remove(AT_FDCWD, f->root, NULL));
	g_assert_true(varve_dir_remove(AT_FDCWD, f->base, NULL));
	g_free(f->root);
	g_free(f->base);
	g_ptr_array_unref(f->copies);
	g_ptr_array_unref(f->done);
}

static VarvePath record(const char *text, mode_t mode)
{
	VarvePath path = { .mode = mode, .uid = getuid(), .gid = getgid(), .label = "" };

	path.target = S_ISLNK(mode) ? text : "";
	varve_sha256(text, strlen(text), &path.digest);
	return path;
}

/* A place whose factory had @before and has @after (NULL: nothing). */
static void add(Fixture *f, const char *place, const char *before, const char *after)
{
	g_autofree char *factory = g_strconcat("usr/share/factory/", place, NULL);
	g_autofree char *absolute = g_strconcat("/", factory, NULL);
	VarvePath old = record(before, S_IFREG | 0644), new = { 0 };
	const VarveMergedChange change = { absolute, &old, after ? &new : NULL };

	if (after) {
		new = record(after, S_IFREG | 0640);
		make(f->root, factory, after);
	}
	g_ptr_array_add(f->copies, varve_factory_copy_of(&change));
}

static void update(Fixture *f)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_factory_update(f->root_fd, f->base_fd, f->copies, f->done, &error));
	g_assert_no_error(error);
}

static void assert_text(Fixture *f, const char *path, const char *expected)
{
	g_autofree char *text = NULL;
	gsize size;

	if (!varve_file_read(f->root_fd, path, 1000, &text, &size, NULL))
		text = g_strdup("(none)");
	g_assert_cmpstr(text, ==, expected);
}

static void assert_done(Fixture *f, const char *expected)
{
	g_autofree char *text = NULL;

	g_ptr_array_add(f->done, NULL);
	text = g_strjoinv("; ", (char **)f->done->pdata);
	g_assert_cmpstr(text, ==, expected);
}

static void test_what_nobody_changed_is_updated(Fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->root, "etc/d/a", NULL);
	struct stat st;

	(void)data;
	make(f->root, "etc/d/a", "old");
	add(f, "etc/d/a", "old", "new");
	update(f);
	assert_text(f, "etc/d/a", "new");
	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0640);
	assert_text(f, "etc/d/.a.varve-new", "(none)");
	assert_done(f, "updated /etc/d/a");
}

static void test_what_somebody_changed_stays(Fixture *f, gconstpointer data)
{
	(void)data;
	make(f->root, "etc/a", "mine");
	make(f->root, "var/lib/b", "mine");
	add(f, "etc/a", "old", "new");
	add(f, "var/lib/b", "old", NULL);
	update(f);
	assert_text(f, "etc/a", "mine");
	assert_text(f, "var/lib/b", "mine");
	assert_done(f, "kept /etc/a, which was changed here: the layer's new one is "
		       "/usr/share/factory/etc/a; kept /var/lib/b, which was changed here: no "
		       "layer has one any more");
}

static void test_what_no_layer_has_goes(Fixture *f, gconstpointer data)
{
	(void)data;
	make(f->root, "var/lib/b", "old");
	add(f, "var/lib/b", "old", NULL);
	update(f);
	assert_text(f, "var/lib/b", "(none)");
	assert_done(f, "removed /var/lib/b");
}

static void test_what_is_not_there_stays_away(Fixture *f, gconstpointer data)
{
	(void)data;
	add(f, "etc/none/a", "old", "new");
	add(f, "etc/b", "old", "new");
	make(f->root, "etc/c", "new");
	add(f, "etc/c", "old", "new");
	update(f);
	assert_text(f, "etc/none/a", "(none)");
	assert_text(f, "etc/b", "(none)");
	assert_text(f, "etc/c", "new");
	assert_done(f, "");
}

/* Removing it would hide the base's. */
static void test_what_the_base_has_is_the_bases(Fixture *f, gconstpointer data)
{
	(void)data;
	make(f->base, "etc/a", "old");
	make(f->root, "etc/a", "old");
	add(f, "etc/a", "old", NULL);
	update(f);
	assert_text(f, "etc/a", "old");
	assert_done(f, "");
}

static void test_links_are_not_followed(Fixture *f, gconstpointer data)
{
	(void)data;
	make(f->root, "etc/secret", "old");
	g_assert_cmpint(symlinkat("../etc", f->root_fd, "var/lib"), ==, 0);
	g_assert_cmpint(symlinkat("../etc/secret", f->root_fd, "var/b"), ==, 0);
	add(f, "var/lib/secret", "old", "new");
	add(f, "var/b", "old", "new");
	update(f);
	assert_text(f, "etc/secret", "old");
	assert_done(f, "kept /var/b, which was changed here: the layer's new one is "
		       "/usr/share/factory/var/b");
}

static void test_links_are_copies_too(Fixture *f, gconstpointer data)
{
	VarvePath old = record("one", S_IFLNK | 0777), new = record("two", S_IFLNK | 0777);
	const VarveMergedChange change = { "/usr/share/factory/etc/link", &old, &new };
	char target[10] = "";

	(void)data;
	g_assert_cmpint(symlinkat("one", f->root_fd, "etc/link"), ==, 0);
	g_ptr_array_add(f->copies, varve_factory_copy_of(&change));
	update(f);
	g_assert_cmpint(readlinkat(f->root_fd, "etc/link", target, sizeof(target) - 1), ==, 3);
	g_assert_cmpstr(target, ==, "two");
}

/* One that fails does not keep the others back, and leaves nothing behind. */
static void test_one_that_fails(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	(void)data;
	make(f->root, "etc/a", "old");
	make(f->root, "etc/b", "old");
	add(f, "etc/a", "old", "new");
	add(f, "etc/b", "old", "new");
	make(f->root, "usr/share/factory/etc/a", "not what was signed");
	g_assert_false(varve_factory_update(f->root_fd, f->base_fd, f->copies, f->done, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	assert_text(f, "etc/a", "old");
	assert_text(f, "etc/.a.varve-new", "(none)");
	assert_text(f, "etc/b", "new");
}

/* What was cut short begins anew. */
static void test_a_remainder_is_no_obstacle(Fixture *f, gconstpointer data)
{
	(void)data;
	make(f->root, "etc/a", "old");
	make(f->root, "etc/.a.varve-new", "half");
	add(f, "etc/a", "old", "new");
	update(f);
	assert_text(f, "etc/a", "new");
	assert_text(f, "etc/.a.varve-new", "(none)");
}

static void test_whose_it_is_not(void)
{
	const VarvePath old = record("a", S_IFREG | 0644);
	const VarveMergedChange elsewhere = { "/usr/share/factory/opt/a", &old, NULL };
	const VarveMergedChange not_factory = { "/usr/share/etc/a", &old, NULL };
	const VarveMergedChange new_one = { "/usr/share/factory/etc/a", NULL, &old };

	g_assert_null(varve_factory_copy_of(&elsewhere));
	g_assert_null(varve_factory_copy_of(&not_factory));
	g_assert_null(varve_factory_copy_of(&new_one));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(Fixture *f, gconstpointer data);
	} tests[] = {
		{ "what-nobody-changed-is-updated", test_what_nobody_changed_is_updated },
		{ "what-somebody-changed-stays", test_what_somebody_changed_stays },
		{ "what-no-layer-has-goes", test_what_no_layer_has_goes },
		{ "what-is-not-there-stays-away", test_what_is_not_there_stays_away },
		{ "what-the-base-has-is-the-bases", test_what_the_base_has_is_the_bases },
		{ "links-are-not-followed", test_links_are_not_followed },
		{ "links-are-copies-too", test_links_are_copies_too },
		{ "one-that-fails", test_one_that_fails },
		{ "a-remainder-is-no-obstacle", test_a_remainder_is_no_obstacle },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *name = g_strdup_printf("/factory/%s", tests[i].name);

		g_test_add(name, Fixture, NULL, set_up, tests[i].run, tear_down);
	}
	g_test_add_func("/factory/whose-it-is-not", test_whose_it_is_not);
	return g_test_run();
}
