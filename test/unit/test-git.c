/* component/git.c: repositories made here, fetched over file:, with what a hostile one could try.
 */
#include "component/git.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *directory, *upstream, *uri, *cache;
} Fixture;

static void git_in(const Fixture *fixture, const char *date, const char *const *arguments)
{
	g_autofree char *author = g_strconcat("GIT_AUTHOR_DATE=", date, NULL);
	g_autofree char *committer = g_strconcat("GIT_COMMITTER_DATE=", date, NULL);
	const char *const env[] = { "GIT_AUTHOR_NAME=A Maker",
				    "GIT_AUTHOR_EMAIL=a@x.example",
				    "GIT_COMMITTER_NAME=A Maker",
				    "GIT_COMMITTER_EMAIL=a@x.example",
				    "GIT_CONFIG_GLOBAL=/dev/null",
				    author,
				    committer,
				    NULL };
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	VarveProcess process = { .env = env };
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(argv, (gpointer) "git");
	g_ptr_array_add(argv, (gpointer) "-C");
	g_ptr_array_add(argv, fixture->upstream);
	for (; *arguments; arguments++)
		g_ptr_array_add(argv, (gpointer)*arguments);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	varve_process_run(&process, NULL, &error);
	g_assert_no_error(error);
}

static void put(const Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(fixture->upstream, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, NULL));
}

static void commit(const Fixture *fixture, const char *date, const char *message)
{
	const char *const add[] = { "add", "-A", NULL };
	const char *const make[] = { "commit", "--quiet", "-m", message, NULL };

	git_in(fixture, date, add);
	git_in(fixture, date, make);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
	const char *const init[] = { "init", "--quiet", "-b", "f43", NULL };

	(void)data;
	fixture->directory = g_dir_make_tmp("test-git-XXXXXX", NULL);
	fixture->upstream = g_build_filename(fixture->directory, "demo", NULL);
	fixture->cache = g_build_filename(fixture->directory, "cache", NULL);
	fixture->uri = g_strconcat("file://", fixture->upstream, NULL);
	g_assert_true(varve_dir_make(fixture->upstream, 0755, NULL));
	git_in(fixture, "@1700000000 +0000", init);
	put(fixture, "demo.spec", "Version: 1\n");
	commit(fixture, "@1700000000 +0000", "First");
	put(fixture, "demo.spec", "Version: 2\n");
	put(fixture, "patches/a.patch", "a\n");
	commit(fixture, "@1700001000 +0000", "Second\n\n- more");
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
	(void)data;
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->directory, NULL));
	g_free(fixture->directory);
	g_free(fixture->upstream);
	g_free(fixture->uri);
	g_free(fixture->cache);
}

static VarveGit *open_it(const Fixture *fixture, gboolean offline)
{
	g_autoptr(GError) error = NULL;
	VarveGitSource source = { .uri = fixture->uri,
				  .cache = fixture->cache,
				  .offline = offline };
	VarveGit *git = varve_git_open(&source, &error);

	g_assert_no_error(error);
	return git;
}

static void test_before(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveGit) git = open_it(fixture, FALSE);
	g_autoptr(GError) error = NULL;
	g_autofree char *first = varve_git_find_before(git, "f43", 1700000999, &error);
	g_autofree char *exact = varve_git_find_before(git, "f43", 1700001000, &error);
	g_autofree char *now = varve_git_find_before(git, "f43", 0, &error);
	g_autofree char *none = NULL;

	(void)data;
	g_assert_no_error(error);
	g_assert_cmpstr(first, !=, exact);
	g_assert_cmpstr(exact, ==, now);
	none = varve_git_find_before(git, "f43", 1600000000, &error);
	g_assert_null(none);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "2020-09-13"));
}

/* A snapshot in the past needs the upstream once. */
static void test_cached(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *commit = NULL, *again = NULL, *missing = NULL;
	g_autoptr(VarveGit) git = open_it(fixture, FALSE);

	(void)data;
	commit = varve_git_find_before(git, "f43", 1700000500, &error);
	g_assert_no_error(error);
	g_clear_pointer(&git, varve_git_free);
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->upstream, NULL));
	git = open_it(fixture, FALSE);
	again = varve_git_find_before(git, "f43", 1700000500, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(again, ==, commit);
	g_clear_pointer(&git, varve_git_free);
	git = open_it(fixture, TRUE);
	missing = varve_git_find_commit(git, "0123456789", "f43", &error);
	g_assert_null(missing);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "--offline"));
}

static void test_stale_locks(Fixture *fixture, gconstpointer data)
{
	static const char *const left[] = { "shallow.lock", "HEAD.lock", "refs/heads/f43.lock" };
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveGit) git = open_it(fixture, FALSE);
	g_autofree char *directory = g_strdup(varve_git_directory(git)), *commit = NULL;

	(void)data;
	g_clear_pointer(&git, varve_git_free);
	for (gsize i = 0; i < G_N_ELEMENTS(left); i++) {
		g_autofree char *path = g_build_filename(directory, left[i], NULL);

		g_assert_true(varve_dir_make(path, 0755, NULL));
		g_assert_cmpint(rmdir(path), ==, 0);
		g_assert_true(varve_file_write(AT_FDCWD, path, "", 0, 0644, NULL));
	}
	git = open_it(fixture, FALSE);
	commit = varve_git_find_before(git, "f43", 0, &error);
	g_assert_no_error(error);
	g_assert_nonnull(commit);
}

/* Offline nothing appears for an upstream that was never cloned, beside one that was or not. */
static void test_offline_makes_nothing(Fixture *fixture, gconstpointer data)
{
	VarveGitSource source = { .uri = fixture->uri, .cache = fixture->cache, .offline = TRUE };
	g_auto(GStrv) before = NULL, after = NULL;
	g_autoptr(VarveGit) git = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_null(varve_git_open(&source, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "--offline"));
	g_assert_false(g_file_test(fixture->cache, G_FILE_TEST_EXISTS));
	g_clear_error(&error);
	git = open_it(fixture, FALSE);
	g_assert_true(varve_dir_list(AT_FDCWD, fixture->cache, &before, NULL));
	source.uri = "file:///nowhere/other";
	g_assert_null(varve_git_open(&source, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_true(varve_dir_list(AT_FDCWD, fixture->cache, &after, NULL));
	g_assert_true(g_strv_equal((const char *const *)before, (const char *const *)after));
}

static void test_commit(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveGit) local = varve_git_open_local(fixture->upstream, NULL);
	g_autofree char *head = varve_git_resolve(local, "HEAD", NULL);
	g_autofree char *parent = varve_git_resolve(local, "HEAD~1", NULL);
	g_autofree char *brief = g_strndup(parent, 9), *found = NULL, *by_brief = NULL;
	g_autoptr(VarveGit) git = open_it(fixture, FALSE);
	g_autoptr(GPtrArray) history = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	found = varve_git_find_commit(git, head, "f43", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(found, ==, head);
	g_assert_true(varve_git_deepen(git, head, "f43", &error));
	history = varve_git_history(git, head, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(history->len, ==, 2);
	by_brief = varve_git_find_commit(git, brief, "f43", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(by_brief, ==, parent);
	g_assert_null(varve_git_find_commit(git, "--upload-pack=x", "f43", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
}

static void test_history(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveGit) git = open_it(fixture, FALSE);
	g_autoptr(GError) error = NULL;
	g_autofree char *head = varve_git_find_before(git, "f43", 0, &error);
	g_autoptr(GPtrArray) history = varve_git_history(git, head, NULL, &error);
	const VarveGitCommit *second, *first;

	(void)data;
	g_assert_no_error(error);
	g_assert_cmpuint(history->len, ==, 2);
	g_assert_true(varve_git_add_changes(git, history, &error));
	second = history->pdata[0];
	first = history->pdata[1];
	g_assert_cmpstr(second->message, ==, "Second\n\n- more\n");
	g_assert_cmpstr(second->author, ==, "A Maker <a@x.example>");
	g_assert_cmpint(second->time, ==, 1700001000);
	g_assert_cmpstr(second->parents[0], ==, first->commit);
	g_assert_cmpstr(second->changed[0], ==, "demo.spec");
	g_assert_cmpstr(second->changed[1], ==, "patches/a.patch");
	g_assert_null(second->changed[2]);
	g_assert_cmpstr(first->changed[0], ==, "demo.spec");
	g_assert_null(first->parents[0]);
}

static void test_export(Fixture *fixture, gconstpointer data)
{
	g_autofree char *out = g_build_filename(fixture->directory, "out", NULL);
	g_autofree char *script = g_build_filename(fixture->upstream, "run.sh", NULL);
	g_autofree char *link = g_build_filename(fixture->upstream, "link", NULL);
	g_autofree char *text = NULL, *head = NULL;
	g_autoptr(VarveGit) git = NULL;
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(GError) error = NULL;
	varve_autofd fd = -1;
	struct stat st;
	gsize size;

	(void)data;
	put(fixture, "run.sh", "#!/bin/sh\n");
	g_assert_cmpint(chmod(script, 0755), ==, 0);
	g_assert_cmpint(symlink("patches/a.patch", link), ==, 0);
	commit(fixture, "@1700002000 +0000", "Third");
	git = open_it(fixture, FALSE);
	head = varve_git_find_before(git, "f43", 0, &error);
	files = varve_git_files(git, head, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(files->len, ==, 4);
	g_assert_true(varve_dir_make(out, 0755, NULL));
	fd = varve_dir_open(AT_FDCWD, out, &error);
	g_assert_true(varve_git_export(git, files, fd, &error));
	g_assert_no_error(error);
	g_assert_true(varve_file_read(fd, "patches/a.patch", 100, &text, &size, &error));
	g_assert_cmpstr(text, ==, "a\n");
	g_assert_cmpint(fstatat(fd, "run.sh", &st, 0), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0755);
	g_assert_cmpint(fstatat(fd, "link", &st, AT_SYMLINK_NOFOLLOW), ==, 0);
	g_assert_true(S_ISLNK(st.st_mode));
}

static void test_hostile_link(Fixture *fixture, gconstpointer data)
{
	g_autofree char *out = g_build_filename(fixture->directory, "out", NULL);
	g_autofree char *link = g_build_filename(fixture->upstream, "link", NULL);
	g_autofree char *head = NULL;
	g_autoptr(VarveGit) git = NULL;
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(GError) error = NULL;
	varve_autofd fd = -1;

	g_assert_cmpint(symlink(data, link), ==, 0);
	commit(fixture, "@1700002000 +0000", "Third");
	git = open_it(fixture, FALSE);
	head = varve_git_find_before(git, "f43", 0, &error);
	files = varve_git_files(git, head, &error);
	g_assert_no_error(error);
	g_assert_true(varve_dir_make(out, 0755, NULL));
	fd = varve_dir_open(AT_FDCWD, out, &error);
	g_assert_false(varve_git_export(git, files, fd, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

/* A tree that would write into .git is not even stored. */
static void test_hostile_tree(Fixture *fixture, gconstpointer data)
{
	g_autofree char *script = g_strdup_printf(
		"set -e; cd '%s'; blob=$(git hash-object -w demo.spec)\n"
		"inner=$(printf '100644 blob %%s\\tdemo.spec\\n' $blob | git mktree)\n"
		"tree=$(printf '040000 tree %%s\\t%s\\n' $inner | git mktree)\n"
		"git update-ref refs/heads/f43 $(git -c user.name=a -c user.email=a@x commit-tree "
		"-m x "
		"$tree)\n",
		fixture->upstream, (const char *)data);
	g_autoptr(VarveGit) git = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *head = NULL;

	g_assert_true(varve_run(&error, "sh", "-c", script, NULL));
	g_assert_no_error(error);
	git = open_it(fixture, FALSE);
	head = varve_git_find_before(git, "f43", 0, &error);
	g_assert_null(head);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_nonnull(strstr(error->message, "fsck"));
}

/* Neither the upstream's hooks nor a configuration of the clone is run. */
static void test_no_hooks(Fixture *fixture, gconstpointer data)
{
	g_autofree char *witness = g_build_filename(fixture->directory, "witness", NULL);
	g_autofree char *script = g_strdup_printf("#!/bin/sh\ntouch %s\n", witness);
	g_autofree char *head = NULL;
	g_autoptr(VarveGit) git = open_it(fixture, FALSE);
	static const char *const hooks[] = { "post-checkout", "reference-transaction",
					     "post-merge" };
	g_autoptr(GError) error = NULL;

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(hooks); i++) {
		g_autofree char *path =
			g_build_filename(varve_git_directory(git), "hooks", hooks[i], NULL);
		g_autofree char *parent = g_path_get_dirname(path);

		g_assert_true(varve_dir_make(parent, 0755, NULL));
		g_assert_true(varve_file_write(AT_FDCWD, path, script, strlen(script), 0755, NULL));
	}
	head = varve_git_find_before(git, "f43", 0, &error);
	g_assert_no_error(error);
	g_assert_false(g_file_test(witness, G_FILE_TEST_EXISTS));
}

static void test_uris(void)
{
	static const struct {
		const char *uri;
		gboolean allowed;
	} cases[] = {
		{ "https://x.example/rpms/a.git", TRUE },
		{ "file:///srv/git/a", TRUE },
		{ "http://127.0.0.1:8080/a", TRUE },
		{ "http://localhost/a", TRUE },
		{ "http://x.example/a", FALSE },
		{ "http://127.0.0.1:x@x.example/a", FALSE },
		{ "http://localhost.x.example/a", FALSE },
		{ "ext::sh -c touch", FALSE },
		{ "ssh://x.example/a", FALSE },
		{ "git://x.example/a", FALSE },
		{ "x.example:a", FALSE },
		{ "/srv/git/a", FALSE },
		{ "--upload-pack=touch", FALSE },
		{ "https://x.example/\na", FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(varve_git_uri_is_allowed(cases[i].uri), ==, cases[i].allowed);
}

static void test_read(Fixture *fixture, gconstpointer data)
{
	const char *const objects[] = { "HEAD:demo.spec", "HEAD:none", "HEAD:patches", NULL };
	g_autoptr(VarveGit) git = varve_git_open_local(fixture->upstream, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) contents = varve_git_read(git, objects, 100, &error);
	gsize size;

	(void)data;
	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(contents->pdata[0], &size), 11, "Version: 2\n", 11);
	g_assert_null(contents->pdata[1]);
	g_assert_null(contents->pdata[2]);
	g_assert_null(varve_git_read(git, objects, 5, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

static void shell(const Fixture *fixture, const char *script)
{
	g_autofree char *all = g_strdup_printf("set -e; cd '%s'; %s", fixture->upstream, script);
	g_autoptr(GError) error = NULL;

	varve_run(&error, "sh", "-c", all, NULL);
	g_assert_no_error(error);
}

static gsize count_in(const Fixture *fixture, const char *below, const char *const *only)
{
	g_autofree char *directory = g_build_filename(fixture->upstream, below, NULL);
	g_autofree char *commit = NULL;
	g_autoptr(GError) error = NULL;
	gsize n = 1000;

	varve_git_count_changes(directory, only, "HEAD", &commit, &n, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(strlen(commit), ==, 40);
	return n;
}

/* One by one: each step is one file more, whether it is committed, staged or neither. */
static void test_changes(Fixture *fixture, gconstpointer data)
{
	static const char *const steps[] = {
		"echo 3 >demo.spec",
		"echo b >>patches/a.patch; git add patches/a.patch",
		"echo x >patches/new; git add patches/new",
		"chmod +x mode",
		"rm gone",
		"git rm --quiet --cached forgotten",
		"ln -sf elsewhere link",
		"rm turned; ln -s demo.spec turned",
		"echo x >'two\nlines'; git add two*",
	};

	(void)data;
	shell(fixture, "touch mode gone forgotten turned; ln -s demo.spec link; git add .; "
		       "git -c user.name=a -c user.email=a@x commit --quiet -m more; "
		       "touch mode; echo untracked >untracked");
	g_assert_cmpuint(count_in(fixture, ".", NULL), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		shell(fixture, steps[i]);
		g_assert_cmpuint(count_in(fixture, ".", NULL), ==, i + 1);
	}
}

static void test_changes_below(Fixture *fixture, gconstpointer data)
{
	static const char *const spec[] = { "demo.spec", NULL };
	static const char *const both[] = { "patches", "demo.spec", "nothing", NULL };
	static const char *const none[] = { "nothing", NULL };
	static const char *const patch[] = { "a.patch", NULL };

	(void)data;
	shell(fixture, "echo 3 >demo.spec; echo b >patches/a.patch; echo b >patches/b; git add .");
	g_assert_cmpuint(count_in(fixture, "patches", NULL), ==, 2);
	g_assert_cmpuint(count_in(fixture, "patches", patch), ==, 1);
	g_assert_cmpuint(count_in(fixture, ".", spec), ==, 1);
	g_assert_cmpuint(count_in(fixture, ".", both), ==, 3);
	g_assert_cmpuint(count_in(fixture, ".", none), ==, 0);
}

/* Where files are changed on their way into git, its own comparison would run the program. */
static void test_changes_touch_nothing(Fixture *fixture, gconstpointer data)
{
	(void)data;
	shell(fixture,
	      "git config filter.x.clean 'touch ../witness; cat'; "
	      "git config core.splitIndex true; git config core.fsmonitor 'touch ../witness'; "
	      "echo '* filter=x' >.gitattributes; echo 3 >demo.spec; rm -f ../witness; "
	      "ls -lR --full-time .git >../before; sleep 0.1");
	g_assert_cmpuint(count_in(fixture, ".", NULL), ==, 1);
	shell(fixture, "test ! -e ../witness; ls -lR --full-time .git | cmp - ../before");
}

static void test_changes_cannot_be_told(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *commit = NULL;
	gsize n;

	(void)data;
	g_assert_false(
		varve_git_count_changes(fixture->upstream, NULL, "nowhere", &commit, &n, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "there is no commit 'nowhere'"));
	g_clear_error(&error);
	g_assert_false(
		varve_git_count_changes(fixture->directory, NULL, "HEAD", &commit, &n, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "does not lie in a git repository"));
	g_assert_null(commit);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, data, function) g_test_add(path, Fixture, data, set_up, function, tear_down)
	g_test_add_func("/git/uris", test_uris);
	ADD("/git/last-before-a-date", NULL, test_before);
	ADD("/git/cached", NULL, test_cached);
	ADD("/git/locks-of-a-killed-git", NULL, test_stale_locks);
	ADD("/git/offline-makes-nothing", NULL, test_offline_makes_nothing);
	ADD("/git/pinned-commit", NULL, test_commit);
	ADD("/git/history", NULL, test_history);
	ADD("/git/export", NULL, test_export);
	ADD("/git/link-to-parent-is-corrupt", "../x", test_hostile_link);
	ADD("/git/absolute-link-is-corrupt", "/etc/passwd", test_hostile_link);
	ADD("/git/dot-git-is-refused", ".git", test_hostile_tree);
	ADD("/git/dot-dot-is-refused", "..", test_hostile_tree);
	ADD("/git/no-hooks", NULL, test_no_hooks);
	ADD("/git/read", NULL, test_read);
	ADD("/git/changes", NULL, test_changes);
	ADD("/git/changes-below-a-directory", NULL, test_changes_below);
	ADD("/git/changes-touch-nothing", NULL, test_changes_touch_nothing);
	ADD("/git/changes-cannot-be-told", NULL, test_changes_cannot_be_told);
	return g_test_run();
}
