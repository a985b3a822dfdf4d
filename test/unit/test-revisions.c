/* component/revisions.c: which commits of a definition changed which component. */
#include "component/revisions.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

#include <string.h>

typedef struct {
	char *directory, *lock;
} Fixture;

static void run_git(const Fixture *fixture, const char *const *arguments)
{
	static const char *const env[] = { "GIT_AUTHOR_NAME=Jo",
					   "GIT_AUTHOR_EMAIL=jo@x.example",
					   "GIT_COMMITTER_NAME=Jo",
					   "GIT_COMMITTER_EMAIL=jo@x.example",
					   "GIT_CONFIG_GLOBAL=/dev/null",
					   "GIT_AUTHOR_DATE=@1767225600 +0000",
					   "GIT_COMMITTER_DATE=@1767225600 +0000",
					   NULL };
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	VarveProcess process = { .env = env, .directory = fixture->directory };
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(argv, (gpointer) "git");
	for (; *arguments; arguments++)
		g_ptr_array_add(argv, (gpointer)*arguments);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	varve_process_run(&process, NULL, &error);
	g_assert_no_error(error);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
	(void)data;
	fixture->directory = g_dir_make_tmp("test-changes-XXXXXX", NULL);
	fixture->lock = g_build_filename(fixture->directory, "locks", "components.lock", NULL);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
	(void)data;
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->directory, NULL));
	g_free(fixture->directory);
	g_free(fixture->lock);
}

/* A lock in which a and b have these fingerprints, and a this commit; committed. */
static void commit(const Fixture *fixture, const char *a, const char *a_commit, const char *b,
		   const char *message)
{
	const char *const add[] = { "add", "-A", NULL };
	const char *const make[] = { "commit", "--quiet", "--allow-empty", "-m", message, NULL };
	g_autofree char *parent = g_path_get_dirname(fixture->lock);
	g_autofree char *text = g_strdup_printf("version = 1\n\n\"a\".commit = \"%s\"\n"
						"\"a\".fingerprint = \"%s\"\n\n"
						"\"b\".fingerprint = \"%s\"\n",
						a_commit, a, b);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, fixture->lock, text, strlen(text), 0644, NULL));
	run_git(fixture, add);
	run_git(fixture, make);
}

static void test_history(Fixture *fixture, gconstpointer data)
{
	const char *const init[] = { "init", "--quiet", NULL };
	g_autoptr(VarveRevisions) changes = NULL;
	g_autoptr(GPtrArray) a = NULL, b = NULL, pending = NULL, new = NULL;
	const VarveComponentChange *change;
	g_autofree char *attributes = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	run_git(fixture, init);
	/* As who does not want to see the lock in every difference has it. */
	attributes = g_build_filename(fixture->directory, ".gitattributes", NULL);
	g_assert_true(varve_file_write(AT_FDCWD, attributes, "*.lock -diff\n", 13, 0644, NULL));
	commit(fixture, "f1", "c1", "g1", "One\n\nwith \"b\".fingerprint = \"in a message\"");
	commit(fixture, "f1", "c1", "g2", "Two");
	commit(fixture, "f1", "c1", "g2", "Three, of something else");
	commit(fixture, "f2", "c2", "g2", "Four");
	changes = varve_revisions_read(fixture->lock, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(varve_revisions_known(changes));
	a = varve_revisions_of(changes, "a", "f2", "c2", "We <we@y.example>");
	g_assert_cmpuint(a->len, ==, 2);
	change = a->pdata[0];
	g_assert_cmpstr(change->upstream, ==, "c1");
	g_assert_cmpstr(change->author, ==, "Jo <jo@x.example>");
	g_assert_cmpint(change->time, ==, 1767225600);
	g_assert_true(g_str_has_prefix(change->message, "One\n"));
	change = a->pdata[1];
	g_assert_cmpstr(change->upstream, ==, "c2");
	b = varve_revisions_of(changes, "b", "g2", NULL, "We <we@y.example>");
	g_assert_cmpuint(b->len, ==, 2);
	g_assert_cmpstr(((VarveComponentChange *)b->pdata[1])->message, ==, "Two\n");
	pending = varve_revisions_of(changes, "a", "f3", "c3", "We <we@y.example>");
	g_assert_cmpuint(pending->len, ==, 3);
	change = pending->pdata[2];
	g_assert_null(change->commit);
	g_assert_cmpstr(change->author, ==, "We <we@y.example>");
	g_assert_cmpstr(change->upstream, ==, "c3");
	g_assert_cmpint(change->time, ==, 1767225600);
	new = varve_revisions_of(changes, "new", "f", NULL, "We <we@y.example>");
	g_assert_cmpuint(new->len, ==, 1);
}

/* azldev's own lock files are counted by themselves, each by its component. */
static void test_azldev(Fixture *fixture, gconstpointer data)
{
	const char *const init[] = { "init", "--quiet", NULL };
	static const struct {
		const char *text, *b;
	} states[] = {
		{ "version = 1\nupstream-commit = 'c1'\ninput-fingerprint = 'sha256:1'\n", "1" },
		{ "version = 1\nupstream-commit = 'c1'\nmanual-bump = 1\ninput-fingerprint = "
		  "'sha256:2'\n",
		  "1" },
		{ "version = 1\nupstream-commit = 'c1'\nmanual-bump = 1\ninput-fingerprint = "
		  "'sha256:2'\nresolution-input-hash = 'x'\n",
		  "1" },
		{ "version = 1\nupstream-commit = 'c2'\ninput-fingerprint = 'sha256:3'\n", "2" },
	};
	g_autofree char *locks = g_path_get_dirname(fixture->lock);
	g_autofree char *lock = g_build_filename(locks, "a.lock", NULL);
	g_autoptr(VarveRevisions) changes = NULL;
	g_autoptr(GPtrArray) a = NULL, pending = NULL, ours = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	run_git(fixture, init);
	g_assert_true(varve_dir_make(locks, 0755, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
		g_assert_true(varve_file_write(AT_FDCWD, lock, states[i].text,
					       strlen(states[i].text), 0644, NULL));
		commit(fixture, "f1", "c1", states[i].b, "One");
	}
	changes = varve_revisions_read(fixture->lock, locks, &error);
	g_assert_no_error(error);
	a = varve_revisions_of_azldev(changes, "a", "sha256:3", "c2", "We");
	g_assert_cmpuint(a->len, ==, 3);
	g_assert_cmpstr(((VarveComponentChange *)a->pdata[1])->upstream, ==, "c1");
	g_assert_cmpstr(((VarveComponentChange *)a->pdata[2])->upstream, ==, "c2");
	pending = varve_revisions_of_azldev(changes, "a", "sha256:4", "c2", "We");
	g_assert_cmpuint(pending->len, ==, 4);
	ours = varve_revisions_of(changes, "a", "f1", "c1", "We");
	g_assert_cmpuint(ours->len, ==, 1);
}

static void test_none(Fixture *fixture, gconstpointer data)
{
	g_autofree char *parent = g_path_get_dirname(fixture->lock);
	g_autoptr(VarveRevisions) changes = NULL;
	g_autoptr(GPtrArray) a = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_true(varve_dir_make(parent, 0755, NULL));
	changes = varve_revisions_read(fixture->lock, NULL, &error);
	g_assert_no_error(error);
	g_assert_false(varve_revisions_known(changes));
	a = varve_revisions_of(changes, "a", "f", NULL, "We");
	g_assert_cmpuint(a->len, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/revisions/history", Fixture, NULL, set_up, test_history, tear_down);
	g_test_add("/revisions/azldev", Fixture, NULL, set_up, test_azldev, tear_down);
	g_test_add("/revisions/no-repository", Fixture, NULL, set_up, test_none, tear_down);
	return g_test_run();
}
