/* Packages before they are installed, with tiny RPMs: what is trusted, what a solution is, what is
 * fetched and what is locked, and how each of them fails. */
#include "fixture.h"

#include "base/error.h"
#include "base/process.h"
#include "package/lock.h"
#include "rpm/reader.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The solution's names, sorted, in one string; or the error. */
static char *names_of(VarveUniverse *universe, const VarveSolveRequest *request, GError **error)
{
	g_autoptr(GPtrArray) packages = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	if (!varve_universe_solve(universe, request, &packages, error))
		return NULL;
	for (guint i = 0; i < packages->len; i++)
		for (guint j = i + 1; j < packages->len; j++)
			if (varve_package_compare(packages->pdata[i], packages->pdata[j]) > 0) {
				gpointer swap = packages->pdata[i];

				packages->pdata[i] = packages->pdata[j];
				packages->pdata[j] = swap;
			}
	for (guint i = 0; i < packages->len; i++)
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       ((VarvePackage *)packages->pdata[i])->nevra);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void assert_solution(VarveUniverse *universe, const char *what, const char *expected)
{
	g_auto(GStrv) install = g_strsplit(what, ";", -1);
	VarveSolveRequest request = { .install = (const char *const *)install };
	g_autoptr(GError) error = NULL;
	g_autofree char *found = names_of(universe, &request, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(found, ==, expected);
}

static void test_solve(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveUniverse) universe = fixture_open_repo(fixture);

	(void)data;
	assert_solution(universe, "leaf", "leaf-1-1.noarch");
	/* The newest, unless asked otherwise. */
	assert_solution(universe, "tool", "leaf-1-1.noarch tool-2-1.noarch");
	assert_solution(universe, "tool = 1", "leaf-1-1.noarch tool-1-1.noarch");
	assert_solution(universe, "old", "leaf-1-1.noarch old-1-1.noarch tool-1-1.noarch");
	/* Rich dependencies: or, if (not installed: does not hold), and. */
	assert_solution(universe, "rich", "leaf-1-1.noarch rich-1-1.noarch tool-2-1.noarch");
	/* Weak dependencies are not followed. */
	assert_solution(universe, "weak", "weak-1-1.noarch");
	/* A capability, a path of primary metadata, a path of filelists, asked for and required. */
	assert_solution(universe, "/bin/sh", "base-1-1.noarch");
	assert_solution(universe, "/usr/bin/escape", "base-1-1.noarch");
	assert_solution(universe, "/usr/share/noise", "large-1-1.noarch");
	assert_solution(universe, "wants-file", "outside-bin-1-1.noarch wants-file-1-1.noarch");
}

static void test_leave_out(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveUniverse) universe = fixture_open_repo(fixture);
	VarveSolveRequest request = { .install = (const char *[]){ "extension", NULL },
				      .exclude = (const char *[]){ "tool", "base", NULL } };
	g_autoptr(GError) error = NULL;
	g_autofree char *names = names_of(universe, &request, &error);

	(void)data;
	g_assert_no_error(error);
	/* Neither the tool nor what only it needs. */
	g_assert_cmpstr(names, ==, "extension-1-1.noarch");
	/* And the next request sees them again. */
	assert_solution(universe, "tool", "leaf-1-1.noarch tool-2-1.noarch");
}

/* What was built here comes first, the first of it before the next; what is about to be built anew
 * is passed over. */
static void test_own(Fixture *fixture, gconstpointer data)
{
	static const char *const install[] = { "leaf", NULL }, *const not_own[] = { "leaf", NULL };
	g_autofree char *newer = fixture_path(fixture, "reduced");
	g_autofree char *repo = fixture_path(fixture, "repo");
	g_autofree char *newer_url = g_strconcat("file://", newer, NULL);
	g_autofree char *repo_url = g_strconcat("file://", repo, NULL);
	g_autofree char *cache = fixture_path(fixture, "cache-own");
	const char *keys[] = { fixture->key, NULL };
	VarveRepositorySource sources[] = {
		{ .name = "upstream", .baseurl = newer_url, .keys = keys },
		{ .name = "own", .baseurl = repo_url, .keys = keys, .own = TRUE },
		{ .name = "second", .baseurl = newer_url, .keys = keys, .own = TRUE },
	};
	VarveUniverseOptions options = { .name = "test",
					 .arch = varve_arch_native(),
					 .repositories = sources,
					 .n_repositories = G_N_ELEMENTS(sources),
					 .cache = cache };
	VarveSolveRequest request = { .install = install };
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveUniverse) universe = varve_universe_open(&options, &error);
	g_autoptr(GPtrArray) first = NULL, second = NULL;

	(void)data;
	g_assert_no_error(error);
	g_assert_true(varve_universe_solve(universe, &request, &first, &error));
	g_assert_cmpuint(first->len, ==, 1);
	g_assert_cmpstr(((VarvePackage *)first->pdata[0])->repository, ==, "own");
	request.not_own = not_own;
	g_assert_true(varve_universe_solve(universe, &request, &second, &error));
	g_assert_cmpstr(((VarvePackage *)second->pdata[0])->repository, ==, "upstream");
}

static void test_on_a_base(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveUniverse) universe = fixture_open_repo(fixture);
	VarveSolveRequest base = { .install = (const char *[]){ "base", "tool = 1", NULL } };
	VarveSolveRequest extension = { .install = (const char *[]){ "extension", NULL } };
	g_autoptr(GPtrArray) below = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *names = NULL;

	(void)data;
	g_assert_true(varve_universe_solve(universe, &base, &below, &error));
	extension.installed = below;
	names = names_of(universe, &extension, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(names, ==, "extension-1-1.noarch");
	/* The base stays as it is: what needs another version of its package is a conflict. */
	extension.install = (const char *[]){ "tool = 2", NULL };
	g_clear_pointer(&names, g_free);
	names = names_of(universe, &extension, &error);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
}

static void test_unsatisfiable(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveUniverse) universe = fixture_open_repo(fixture);
	VarveSolveRequest request = {
		.install =
			(const char *[]){ "needs-broken", "hates", "leaf", "no-such-name", NULL },
	};
	g_autoptr(GError) error = NULL;
	g_autofree char *names = names_of(universe, &request, &error);
	g_autofree char *golden = g_test_build_filename(G_TEST_DIST, "unsatisfiable.txt", NULL);
	g_autofree char *expected = NULL;

	(void)data;
	g_assert_null(names);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_true(g_file_get_contents(golden, &expected, NULL, NULL));
	g_strchomp(expected);
	g_assert_cmpstr(error->message, ==, expected);
}

static void assert_not_opened(Fixture *fixture, const char *name, VarveError code, const char *says)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveUniverse) universe = fixture_open(fixture, name, &error);

	g_assert_null(universe);
	g_assert_error(error, VARVE_ERROR, (int)code);
	if (!strstr(error->message, says))
		g_error("expected '%s' in: %s", says, error->message);
	g_assert_nonnull(strstr(error->message, name));
}

static void test_metadata_trust(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveUniverse) universe = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	assert_not_opened(fixture, "unsigned-metadata", VARVE_ERROR_UNTRUSTED, "repomd.xml.asc");
	assert_not_opened(fixture, "stranger-metadata", VARVE_ERROR_UNTRUSTED, "good.asc");
	assert_not_opened(fixture, "changed-metadata", VARVE_ERROR_UNTRUSTED, "does not match");
	assert_not_opened(fixture, "not-there", VARVE_ERROR_NOT_FOUND, "repomd.xml");
	universe = fixture_open(fixture, "xz", &error);
	g_assert_no_error(error);
	assert_solution(universe, "fine", "fine-1-1.noarch");
	g_clear_pointer(&universe, varve_universe_free);
	universe = fixture_open(fixture, "zstd", &error);
	g_assert_no_error(error);
	assert_solution(universe, "fine", "fine-1-1.noarch");
}

/* Metadata of other tools and times, signed here so that they are read at all. */
static void test_corpus_metadata(Fixture *fixture, gconstpointer data)
{
	const char *given = g_getenv("VARVE_CORPUS");
	g_autofree char *root = given ? g_strdup(given)
				      : g_build_filename(g_test_get_dir(G_TEST_DIST), "..", "..",
							 "..", "shared", "corpus", NULL);
	g_autofree char *home = fixture_path(fixture, "gnupg-good");

	(void)data;
	if (!g_file_test(root, G_FILE_TEST_IS_DIR)) {
		g_test_skip("there is no corpus (VARVE_CORPUS)");
		return;
	}
	for (int i = 0; i < 5; i++) {
		g_autofree char *name = g_strdup_printf("repo_%02d", i);
		g_autofree char *from = g_build_filename(root, "repodata", name, NULL);
		g_autofree char *to = fixture_path(fixture, name);
		g_autofree char *repomd = g_build_filename(to, "repodata", "repomd.xml", NULL);
		g_autofree char *signature = g_strconcat(repomd, ".asc", NULL);
		g_autoptr(VarveUniverse) universe = NULL;
		g_autoptr(GError) error = NULL;

		g_assert_true(varve_run(&error, "cp", "-r", from, to, NULL));
		g_assert_true(varve_run(&error, "chmod", "-R", "u+w", to, NULL));
		g_assert_true(varve_run(&error, "gpg", "--homedir", home, "--batch", "--quiet",
					"--armor", "--output", signature, "--detach-sign", repomd,
					NULL));
		universe = fixture_open(fixture, name, &error);
		if (i == 1) /* its primary.xml.gz is not what repomd.xml says */
			g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		else
			g_assert_no_error(error);
	}
}

static void test_stale(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = fixture_path(fixture, "stale");
	g_autofree char *url = g_filename_to_uri(path, NULL, NULL);
	VarveRepositorySource source = { .baseurl = url, .max_age_days = 30 };
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveUniverse) universe = fixture_open_source(fixture, &source, &error);

	(void)data;
	g_assert_null(universe);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_REFUSED);
	g_assert_nonnull(strstr(error->message, "2017-07-14"));
	g_clear_error(&error);
	source.max_age_days = 0;
	universe = fixture_open_source(fixture, &source, &error);
	g_assert_no_error(error);
}

static void test_bad_address(Fixture *fixture, gconstpointer data)
{
	VarveRepositorySource source = { .baseurl = "ftp://example.org/" };
	const char *none[] = { NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveUniverse) universe = fixture_open_source(fixture, &source, &error);

	(void)data;
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	g_clear_error(&error);
	source.metalink = "https://example.org/";
	g_assert_null(fixture_open_source(fixture, &source, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	g_clear_error(&error);
	source.metalink = NULL;
	source.baseurl = "file:///nowhere";
	source.keys = none;
	g_assert_null(fixture_open_source(fixture, &source, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
}

static void assert_not_fetched(Fixture *fixture, const char *repository, const char *package,
			       VarveError code, const char *says)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveUniverse) universe = fixture_open(fixture, repository, &error);
	g_autoptr(GPtrArray) packages = NULL;

	g_assert_no_error(error);
	g_assert_false(fixture_fetch(universe, package, &packages, &error));
	g_assert_error(error, VARVE_ERROR, (int)code);
	g_assert_nonnull(strstr(error->message, package));
	if (!strstr(error->message, says))
		g_error("expected '%s' in: %s", says, error->message);
}

static void test_package_trust(Fixture *fixture, gconstpointer data)
{
	(void)data;
	assert_not_fetched(fixture, "other", "stranger", VARVE_ERROR_UNTRUSTED, "good.asc");
	assert_not_fetched(fixture, "other", "unsigned", VARVE_ERROR_UNTRUSTED, "not signed");
	assert_not_fetched(fixture, "damaged", "fine", VARVE_ERROR_CORRUPT, "digest differs");
}

/* A bit changed anywhere in a signed package is noticed, wherever it is; so is a missing end. */
static void test_changed_anywhere(Fixture *fixture, gconstpointer data)
{
	g_autofree char *package = fixture_path(fixture, "repo/leaf-1-1.noarch.rpm");
	g_autofree char *copy = fixture_path(fixture, "changed.rpm");
	g_autoptr(VarvePackageKeys) keys =
		varve_package_keys_load((const char *[]){ fixture->key, NULL }, NULL);
	g_autofree char *bytes = NULL;
	gsize size, accepted = 0, tried = 0;

	(void)data;
	g_assert_true(varve_rpm_verify(package, keys, NULL, NULL, NULL));
	g_assert_true(g_file_get_contents(package, &bytes, &size, NULL));
	/* Nobody reads the lead (96 bytes). */
	for (gsize i = 96; i < size; i += 11) {
		g_autoptr(VarvePackage) found = NULL;

		bytes[i] ^= 0x10;
		g_assert_true(g_file_set_contents_full(copy, bytes, (gssize)size,
						       G_FILE_SET_CONTENTS_NONE, 0600, NULL));
		tried++;
		if (varve_rpm_verify(copy, keys, &found, NULL, NULL)) {
			accepted++;
			g_assert_cmpstr(found->nevra, ==, "leaf-1-1.noarch");
		}
		bytes[i] ^= 0x10;
	}
	/* What is left is space that the unsigned signature header reserves: it says nothing. */
	g_test_message("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " changes were of unused bytes",
		       accepted, tried);
	g_assert_cmpuint(accepted, <, tried);
	for (gsize cut = 1; cut < size; cut += size / 40) {
		unlink(copy); /* GLib does not shorten a file that is there */
		g_assert_true(g_file_set_contents_full(copy, bytes, (gssize)(size - cut),
						       G_FILE_SET_CONTENTS_NONE, 0600, NULL));
		if (varve_rpm_verify(copy, keys, NULL, NULL, NULL))
			g_error("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes were enough",
				size - cut, size);
	}
}

static void die_with_the_test(gpointer data)
{
	(void)data;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* The address of a server of @fixture's directory, which ends with the test. */
static char *start_server(Fixture *fixture, GPid *ret_pid)
{
	g_autofree char *program = g_test_build_filename(G_TEST_DIST, "range-server", NULL);
	g_autofree char *port_file = fixture_path(fixture, "port"),
			*log = fixture_path(fixture, "requests");
	char *argv[] = { program, fixture->dir, port_file, log, NULL };
	g_autofree char *port = NULL;

	unlink(port_file);
	g_assert_true(g_spawn_async(NULL, argv, NULL,
				    G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
				    die_with_the_test, NULL, ret_pid, NULL));
	for (int i = 0; i < 200 && !g_file_get_contents(port_file, &port, NULL, NULL); i++)
		g_usleep(50000);
	g_assert_nonnull(port);
	return g_strdup_printf("http://127.0.0.1:%s", port);
}

/* DIR/NAME.metalink, which points at @repository on the server and claims @sha256 of repomd.xml. */
static char *make_metalink(Fixture *fixture, const char *address, const char *repository,
			   const char *sha256)
{
	g_autofree char *name = g_strconcat(repository, ".metalink", NULL);
	g_autofree char *path = fixture_path(fixture, name);
	g_autofree char *text = g_strdup_printf(
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		"<metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\"><files>"
		"<file name=\"repomd.xml\"><verification><hash type=\"sha256\">%s</hash>"
		"</verification><resources maxconnections=\"1\"><url protocol=\"http\" "
		"type=\"http\" "
		"preference=\"100\">%s/%s/repodata/repomd.xml</url></resources></file></files>"
		"</metalink>\n",
		sha256, address, repository);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	return g_strdup_printf("%s/%s", address, name);
}

static char *repomd_digest(Fixture *fixture, const char *repository)
{
	g_autofree char *path =
		g_build_filename(fixture->dir, repository, "repodata", "repomd.xml", NULL);
	g_autofree char *text = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(path, &text, &size, NULL));
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)text, size);
}

static void test_mirrors(Fixture *fixture, gconstpointer data)
{
	GPid server = 0;
	g_autofree char *address = start_server(fixture, &server);
	g_autofree char *good = repomd_digest(fixture, "other");
	g_autofree char *unsigned_digest = repomd_digest(fixture, "unsigned-metadata");
	g_autofree char *metalink = make_metalink(fixture, address, "other", good);
	g_autofree char *lying = make_metalink(fixture, address, "repo", good);
	g_autofree char *unsigned_metalink =
		make_metalink(fixture, address, "unsigned-metadata", unsigned_digest);
	g_autofree char *list = fixture_path(fixture, "mirrors"), *mirrors = NULL,
			*mirrorlist = NULL;
	VarveRepositorySource source = { .name = "by-metalink", .metalink = metalink };
	g_autoptr(VarveUniverse) first = NULL, second = NULL, third = NULL, fourth = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	first = fixture_open_source(fixture, &source, &error);
	g_assert_no_error(error);
	assert_solution(first, "fine", "fine-1-1.noarch");
	/* The metalink vouches for other bytes than the mirror has. */
	source.metalink = lying;
	second = fixture_open_source(fixture, &source, &error);
	g_assert_null(second);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	/* One that came over http vouches for nothing. */
	source.metalink = unsigned_metalink;
	third = fixture_open_source(fixture, &source, &error);
	g_assert_null(third);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED);
	g_clear_error(&error);
	/* A dead mirror is passed over. */
	mirrors = g_strdup_printf("%s/nothing-here/\n%s/$basearch-is-not-in-it/\n%s/other/\n",
				  address, address, address);
	g_assert_true(g_file_set_contents(list, mirrors, -1, NULL));
	mirrorlist = g_strconcat(address, "/mirrors", NULL);
	source = (VarveRepositorySource){ .name = "by-list", .mirrorlist = mirrorlist };
	fourth = fixture_open_source(fixture, &source, &error);
	g_assert_no_error(error);
	assert_solution(fourth, "fine", "fine-1-1.noarch");
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	g_spawn_close_pid(server);
}

static void test_resume(Fixture *fixture, gconstpointer data)
{
	GPid server = 0;
	g_autofree char *address = start_server(fixture, &server);
	g_autofree char *url = g_strconcat(address, "/repo", NULL);
	g_autofree char *missing = g_strconcat(address, "/nothing-here", NULL);
	g_autofree char *cut = fixture_path(fixture, "cut"),
			*log = fixture_path(fixture, "requests");
	VarveRepositorySource source = { .name = "remote", .baseurl = url };
	g_autoptr(VarveUniverse) universe = NULL, none = NULL;
	g_autoptr(GPtrArray) packages = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *requests = NULL;
	const char *resumed;

	(void)data;
	universe = fixture_open_source(fixture, &source, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_set_contents(cut, "", 0, NULL));
	g_assert_false(fixture_fetch(universe, "large", &packages, &error));
	g_assert_nonnull(strstr(error->message, "large-1-1.noarch"));
	g_clear_error(&error);
	unlink(cut);
	unlink(log);
	g_assert_true(fixture_fetch(universe, "large", &packages, &error));
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(log, &requests, NULL, NULL));
	resumed = strstr(requests, "large-1-1.noarch.rpm bytes=");
	g_assert_nonnull(resumed);
	g_assert_cmpint(atoi(strchr(resumed, '=') + 1), >, 1000000);
	/* A second time nothing is fetched. */
	unlink(log);
	g_clear_pointer(&packages, g_ptr_array_unref);
	g_assert_true(fixture_fetch(universe, "large", &packages, &error));
	g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
	source.baseurl = missing;
	none = fixture_open_source(fixture, &source, &error);
	g_assert_null(none);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	g_spawn_close_pid(server);
}

static gboolean resolve(Fixture *fixture, const char *repository, const char *lock_name,
			const char *what, gboolean update, GPtrArray **ret_packages, GError **error)
{
	g_autofree char *path = fixture_path(fixture, lock_name);
	g_autofree char *directory = fixture_path(fixture, repository);
	g_autofree char *url = g_filename_to_uri(directory, NULL, NULL);
	/* One name for all versions of it: only the bytes differ. */
	VarveRepositorySource source = { .name = "upstream", .baseurl = url };
	g_autoptr(VarveUniverse) universe = fixture_open_source(fixture, &source, NULL);
	g_autoptr(VarveLock) lock = varve_lock_open(path, error);
	g_auto(GStrv) install = g_strsplit(what, ";", -1);
	VarveSolveRequest request = { .install = (const char *const *)install };

	g_assert_nonnull(universe);
	return lock &&
	       varve_lock_resolve(lock, universe, "base", &request, update, ret_packages, error) &&
	       varve_lock_save(lock, error);
}

static void assert_lock_refuses(Fixture *fixture, const char *repository, const char *what,
				VarveError code, const char *says)
{
	g_autoptr(GPtrArray) packages = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_false(resolve(fixture, repository, "lock", what, FALSE, &packages, &error));
	g_assert_error(error, VARVE_ERROR, (int)code);
	g_assert_nonnull(strstr(error->message, "--update-lock"));
	if (!strstr(error->message, says))
		g_error("expected '%s' in: %s", says, error->message);
}

static void test_lock(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = fixture_path(fixture, "lock");
	g_autofree char *first = NULL, *again = NULL;
	g_autoptr(GPtrArray) packages = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_true(resolve(fixture, "repo", "lock", "tool;weak", FALSE, &packages, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(packages->len, ==, 3);
	g_assert_true(g_file_get_contents(path, &first, NULL, NULL));
	g_assert_nonnull(
		strstr(first, "\n[layers.\"base\".x86-64]\n\"leaf-1-1.noarch\" = { repository"));
	g_clear_pointer(&packages, g_ptr_array_unref);
	g_assert_true(resolve(fixture, "repo", "lock", "tool;weak", FALSE, &packages, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(packages->len, ==, 3);
	g_assert_true(g_file_get_contents(path, &again, NULL, NULL));
	g_assert_cmpstr(first, ==, again);
	/* The same name and version with other bytes; gone; asked for more; asked for less. */
	assert_lock_refuses(fixture, "rebuilt", "tool;weak", VARVE_ERROR_CONFLICT,
			    "leaf-1-1.noarch");
	assert_lock_refuses(fixture, "reduced", "tool;weak", VARVE_ERROR_NOT_FOUND,
			    "leaf-1-1.noarch");
	assert_lock_refuses(fixture, "repo", "tool;weak;rich", VARVE_ERROR_CONFLICT, "rich");
	assert_lock_refuses(fixture, "repo", "tool", VARVE_ERROR_CONFLICT, "weak-1-1.noarch");
	g_clear_pointer(&packages, g_ptr_array_unref);
	g_assert_true(resolve(fixture, "reduced", "lock", "tool;weak", TRUE, &packages, &error));
	g_assert_no_error(error);
	g_clear_pointer(&again, g_free);
	g_assert_true(g_file_get_contents(path, &again, NULL, NULL));
	g_assert_nonnull(strstr(again, "leaf-2-1.noarch"));
}

int main(int argc, char **argv)
{
	static const FixtureTest tests[] = {
		{ "/packages/solve", test_solve },
		{ "/packages/leave-out", test_leave_out },
		{ "/packages/own", test_own },
		{ "/packages/on-a-base", test_on_a_base },
		{ "/packages/unsatisfiable", test_unsatisfiable },
		{ "/packages/metadata-trust", test_metadata_trust },
		{ "/packages/corpus-metadata", test_corpus_metadata },
		{ "/packages/stale", test_stale },
		{ "/packages/bad-address", test_bad_address },
		{ "/packages/package-trust", test_package_trust },
		{ "/packages/changed-anywhere", test_changed_anywhere },
		{ "/packages/mirrors", test_mirrors },
		{ "/packages/resume", test_resume },
		{ "/packages/lock", test_lock },
	};

	return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
