/* component/autospec.c and history.c: numbers and changelogs out of histories that are made here.
 */
#include "component/autospec.h"

#include "base/file.h"
#include "base/process.h"

#include <string.h>

typedef struct {
	char *directory;
	gint64 time;
	GPtrArray *changes;
} Fixture;

static void git_in(const Fixture *fixture, const char *const *arguments)
{
	g_autofree char *author =
		g_strdup_printf("GIT_AUTHOR_DATE=@%" G_GINT64_FORMAT " +0900", fixture->time);
	g_autofree char *committer =
		g_strdup_printf("GIT_COMMITTER_DATE=@%" G_GINT64_FORMAT " +0900", fixture->time);
	const char *const env[] = { "GIT_AUTHOR_NAME=Jo Doe",
				    "GIT_AUTHOR_EMAIL=jo@x.example",
				    "GIT_COMMITTER_NAME=Jo Doe",
				    "GIT_COMMITTER_EMAIL=jo@x.example",
				    "GIT_CONFIG_GLOBAL=/dev/null",
				    author,
				    committer,
				    NULL };
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	VarveProcess process = { .env = env };
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(argv, (gpointer) "git");
	g_ptr_array_add(argv, (gpointer) "-C");
	g_ptr_array_add(argv, fixture->directory);
	for (; *arguments; arguments++)
		g_ptr_array_add(argv, (gpointer)*arguments);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	varve_process_run(&process, NULL, &error);
	g_assert_no_error(error);
}

static void put(const Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(fixture->directory, name, NULL);

	g_assert_true(varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, NULL));
}

/* A day later, each. */
static void commit(Fixture *fixture, const char *version, const char *message)
{
	const char *const add[] = { "add", "-A", NULL };
	const char *const make[] = { "commit", "--quiet", "--allow-empty", "-m", message, NULL };

	fixture->time += 24 * 3600;
	if (version) {
		g_autofree char *spec = g_strdup_printf("Name: demo\nVersion: %s\n"
							"Release: %%autorelease\n# %s\n"
							"%%changelog\n%%autochangelog\n",
							version, message);

		put(fixture, "demo.spec", spec);
	}
	git_in(fixture, add);
	git_in(fixture, make);
}

static void set_up(Fixture *fixture, gconstpointer data)
{
	const char *const init[] = { "init", "--quiet", "-b", "main", NULL };

	(void)data;
	fixture->directory = g_dir_make_tmp("test-autospec-XXXXXX", NULL);
	fixture->time =
		1767225600 - 24 * 3600; /* the first commit is of Thu Jan 1 2026, 00:00 UTC */
	fixture->changes = g_ptr_array_new();
	git_in(fixture, init);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
	(void)data;
	for (guint i = 0; i < fixture->changes->len; i++)
		varve_component_change_free(fixture->changes->pdata[i]);
	g_ptr_array_unref(fixture->changes);
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->directory, NULL));
	g_free(fixture->directory);
}

static void change(Fixture *fixture, const char *upstream, const char *message)
{
	VarveComponentChange *made = g_new0(VarveComponentChange, 1);

	made->author = g_strdup("We <we@y.example>");
	made->time = 1780272000; /* Mon Jun 1 2026 */
	made->message = g_strdup(message);
	made->upstream = g_strdup(upstream);
	g_ptr_array_add(fixture->changes, made);
}

static char *head_of(const Fixture *fixture, const char *revision)
{
	g_autoptr(VarveGit) git = varve_git_open_local(fixture->directory, NULL);
	g_autoptr(GError) error = NULL;
	char *name = varve_git_resolve(git, revision, &error);

	g_assert_no_error(error);
	return name;
}

static void check(Fixture *fixture, const char *version, guint64 number, const char *changelog)
{
	g_autoptr(VarveGit) git = varve_git_open_local(fixture->directory, NULL);
	g_autofree char *head = head_of(fixture, "HEAD");
	g_autofree char *spec = g_strdup_printf("Name: demo\nVersion: %s\n", version);
	VarveAutospecHistory history = { .git = git,
					 .commit = head,
					 .spec_name = "demo.spec",
					 .changes = fixture->changes,
					 .spec = spec };
	g_auto(VarveAutospec) result = { 0 };
	g_autoptr(GError) error = NULL;

	varve_autospec_work_out(&history, &result, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(result.number, ==, number);
	g_assert_cmpstr(result.changelog, ==, changelog);
}

static void test_linear(Fixture *fixture, gconstpointer data)
{
	(void)data;
	commit(fixture, "1.0", "Initial import");
	commit(fixture, "1.0", "Fix a\n\n[skip changelog]");
	commit(fixture, "2.0", "Update to 2.0\n\nNobody reads this.");
	put(fixture, "sources", "x\n");
	commit(fixture, NULL, "Upload");
	commit(fixture, "2.0", "Fix 50% of it\n\n... and more\n\n- the rest\n  of it");
	commit(fixture, NULL, "Rebuilt");
	check(fixture, "2.0", 4,
	      "* Tue Jan 06 2026 Jo Doe <jo@x.example> - 2.0-4\n- Rebuilt\n\n"
	      "* Mon Jan 05 2026 Jo Doe <jo@x.example> - 2.0-3\n"
	      "- Fix 50%% of it and more\n- the rest of it\n\n"
	      "* Sat Jan 03 2026 Jo Doe <jo@x.example> - 2.0-1\n- Update to 2.0\n\n"
	      "* Thu Jan 01 2026 Jo Doe <jo@x.example> - 1.0-1\n- Initial import");
}

static void test_file(Fixture *fixture, gconstpointer data)
{
	(void)data;
	commit(fixture, "1.0", "Old");
	put(fixture, "changelog", "* Mon Nov 25 2019 A <a@x.example> 1.0-1\n- as it stands, 5%\n");
	commit(fixture, "1.0", "Move the changelog");
	commit(fixture, "1.0", "New");
	check(fixture, "1.0", 3,
	      "* Sat Jan 03 2026 Jo Doe <jo@x.example> - 1.0-3\n- New\n\n"
	      "* Mon Nov 25 2019 A <a@x.example> 1.0-1\n- as it stands, 5%");
}

static void test_removed_file(Fixture *fixture, gconstpointer data)
{
	const char *const remove[] = { "rm", "--quiet", "changelog", NULL };

	(void)data;
	put(fixture, "changelog", "* old\n");
	commit(fixture, "1.0", "Old");
	git_in(fixture, remove);
	commit(fixture, "1.0", "Drop the file");
	check(fixture, "1.0", 2,
	      "* Fri Jan 02 2026 Jo Doe <jo@x.example> - 1.0-2\n- Drop the file");
}

/* Ours stand where they were made: one before the upstream's update, two after it. */
static void test_ours(Fixture *fixture, gconstpointer data)
{
	g_autofree char *old = NULL, *new = NULL;

	(void)data;
	commit(fixture, "1.0", "One");
	old = head_of(fixture, "HEAD");
	commit(fixture, "1.0", "Two");
	commit(fixture, "2.0", "Three");
	new = head_of(fixture, "HEAD");
	change(fixture, old, "Ours on one");
	change(fixture, "0123456789012345678901234567890123456789", "Of a branch that is gone");
	change(fixture, new, "Ours on three");
	change(fixture, new, "More of ours");
	check(fixture, "2.0", 3,
	      "* Mon Jun 01 2026 We <we@y.example> - 2.0-3\n- More of ours\n\n"
	      "* Mon Jun 01 2026 We <we@y.example> - 2.0-2\n- Ours on three\n\n"
	      "* Sat Jan 03 2026 Jo Doe <jo@x.example> - 2.0-1\n- Three\n\n"
	      "* Fri Jan 02 2026 Jo Doe <jo@x.example> - 1.0-3\n- Two\n\n"
	      "* Mon Jun 01 2026 We <we@y.example> - 1.0-2\n- Ours on one\n\n"
	      "* Thu Jan 01 2026 Jo Doe <jo@x.example> - 1.0-1\n- One");
}

/* An overlay that changes the version begins anew. */
static void test_own_version(Fixture *fixture, gconstpointer data)
{
	(void)data;
	commit(fixture, "1.0", "One");
	change(fixture, NULL, "Take 1.1");
	check(fixture, "1.1", 1,
	      "* Mon Jun 01 2026 We <we@y.example> - 1.1-1\n- Take 1.1\n\n"
	      "* Thu Jan 01 2026 Jo Doe <jo@x.example> - 1.0-1\n- One");
}

static void test_merge(Fixture *fixture, gconstpointer data)
{
	const char *const branch[] = { "checkout", "--quiet", "-b", "side", NULL };
	const char *const back[] = { "checkout", "--quiet", "main", NULL };
	const char *const merge[] = { "merge", "--quiet", "--no-ff", "-m", "Merge", "side", NULL };

	(void)data;
	commit(fixture, "1.0", "One");
	git_in(fixture, branch);
	commit(fixture, "1.0", "Two");
	commit(fixture, "1.0", "Three");
	git_in(fixture, back);
	git_in(fixture, merge);
	commit(fixture, "1.0", "Four");
	check(fixture, "1.0", 5,
	      "* Sun Jan 04 2026 Jo Doe <jo@x.example> - 1.0-5\n- Four\n\n"
	      "* Sat Jan 03 2026 Jo Doe <jo@x.example> - 1.0-3\n- Three\n\n"
	      "* Fri Jan 02 2026 Jo Doe <jo@x.example> - 1.0-2\n- Two\n\n"
	      "* Thu Jan 01 2026 Jo Doe <jo@x.example> - 1.0-1\n- One");
}

static void test_long_history(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveGit) git = NULL;
	g_autofree char *head = NULL;
	VarveAutospecHistory history = { .spec_name = "demo.spec", .spec = "" };
	g_auto(VarveAutospec) result = { 0 };
	g_autoptr(GError) error = NULL;

	(void)data;
	for (guint i = 0; i < 150; i++)
		commit(fixture, i == 0 ? "1.0" : NULL, "Rebuilt");
	git = varve_git_open_local(fixture->directory, NULL);
	head = head_of(fixture, "HEAD");
	history.git = git;
	history.commit = head;
	varve_autospec_work_out(&history, &result, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(result.number, ==, 150);
}

static void test_local(Fixture *fixture, gconstpointer data)
{
	VarveAutospecHistory history = { .spec_name = "demo.spec",
					 .changes = fixture->changes,
					 .spec = "Version: 3\n" };
	g_auto(VarveAutospec) result = { 0 }, none = { 0 };

	(void)data;
	g_assert_true(varve_autospec_work_out(&history, &none, NULL));
	g_assert_cmpuint(none.number, ==, 1);
	change(fixture, NULL, "One");
	change(fixture, NULL, "Two");
	g_assert_true(varve_autospec_work_out(&history, &result, NULL));
	g_assert_cmpuint(result.number, ==, 2);
}

static void test_apply(void)
{
	const VarveAutospec autospec = { .number = 7, .changelog = (char *)"* entry\n- a" };
	const char *spec = "Name: a\nRelease: %autorelease\n%changelog\n%autochangelog\nold\n";
	VarveAutospecUse use;
	g_autofree char *text = NULL, *twice = NULL, *plain = NULL;

	varve_autospec_look(spec, &use);
	g_assert_true(use.autorelease && use.autochangelog && !use.processed);
	text = varve_autospec_apply(spec, &use, &autospec);
	g_assert_cmpstr(text, ==,
			"## START: Set by rpmautospec\n## RPMAUTOSPEC: autorelease, autochangelog\n"
			"%define autorelease(e:s:pb:n) %{?-p:0.}%[%{?-b*}%{!?-b:1} - 1 + 7]"
			"%{?-e:.%{-e*}}%{?-s:.%{-s*}}%{!?-n:%{?dist}}\n"
			"## END: Set by rpmautospec\n\n"
			"Name: a\nRelease: %autorelease\n%changelog\n"
			"## START: Generated by rpmautospec\n* entry\n- a\n"
			"## END: Generated by rpmautospec\n");
	varve_autospec_look(text, &use);
	g_assert_true(use.processed);
	twice = varve_autospec_apply(text, &use, &autospec);
	g_assert_cmpstr(twice, ==, text);
	varve_autospec_look("Release: 1\n%changelog\n- a\n", &use);
	g_assert_false(use.autorelease || use.autochangelog);
	plain = varve_autospec_apply("Release: 1\n%changelog\n- a\n", &use, &autospec);
	g_assert_cmpstr(plain, ==, "Release: 1\n%changelog\n- a\n");
	varve_autospec_look("Release: 1\n", &use);
	g_assert_true(use.autochangelog);
}

static void test_wrap(void)
{
	const char *const items[] = { "a word that is followed by so many others that the line has "
				      "to be wrapped here-after",
				      "https://x.example/a/very/long/address/that/does/not/fit/"
				      "into/one/line/of/seventy/five",
				      NULL };
	g_autofree char *entry = varve_changelog_entry("A <a@x.example>", 0, NULL, items);

	g_assert_cmpstr(
		entry, ==,
		"* Thu Jan 01 1970 A <a@x.example>\n"
		"- a word that is followed by so many others that the line has to be wrapped\n"
		"  here-after\n"
		"- https://x.example/a/very/long/address/that/does/not/fit/into/one/line/of/\n"
		"  seventy/five");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)
	ADD("/autospec/linear", test_linear);
	ADD("/autospec/changelog-file", test_file);
	ADD("/autospec/changelog-file-removed", test_removed_file);
	ADD("/autospec/ours-where-they-were-made", test_ours);
	ADD("/autospec/own-version", test_own_version);
	ADD("/autospec/merge", test_merge);
	ADD("/autospec/more-than-a-page", test_long_history);
	ADD("/autospec/local", test_local);
	g_test_add_func("/autospec/apply", test_apply);
	g_test_add_func("/autospec/wrap", test_wrap);
	return g_test_run();
}
