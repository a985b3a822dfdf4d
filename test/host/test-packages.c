/* Packages end to end with tiny RPMs: what is trusted, what a solution is, what an installation
 * leaves, and how each of them fails. Installing needs root; the rest does not. */
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/progress.h"
#include "package/install.h"
#include "package/lock.h"
#include "rpm/reader.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Made once by make-packages. */
typedef struct {
	char *dir;
	char *key;
} Fixture;

static char *in(const Fixture *fixture, const char *name)
{
	return g_build_filename(fixture->dir, name, NULL);
}

static VarveUniverse *open_source(Fixture *fixture, VarveRepositorySource *source, GError **error)
{
	g_autofree char *cache = in(fixture, "cache");
	const char *keys[] = { fixture->key, NULL };
	VarveUniverseOptions options = { .name = "test",
					 .arch = varve_arch_find("x86-64"),
					 .repositories = source,
					 .n_repositories = 1,
					 .cache = cache };

	if (!source->keys)
		source->keys = keys;
	if (!source->name)
		source->name = "test";
	return varve_universe_open(&options, error);
}

static VarveUniverse *open_named(Fixture *fixture, const char *name, GError **error)
{
	g_autofree char *path = in(fixture, name);
	g_autofree char *url = g_filename_to_uri(path, NULL, NULL);
	VarveRepositorySource source = { .name = name, .baseurl = url };

	return open_source(fixture, &source, error);
}

static VarveUniverse *open_repo(Fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	VarveUniverse *universe = open_named(fixture, "repo", &error);

	g_assert_no_error(error);
	return universe;
}

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
	g_autoptr(VarveUniverse) universe = open_repo(fixture);

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
	g_autoptr(VarveUniverse) universe = open_repo(fixture);
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

static void test_on_a_base(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveUniverse) universe = open_repo(fixture);
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
	g_autoptr(VarveUniverse) universe = open_repo(fixture);
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
	g_autoptr(VarveUniverse) universe = open_named(fixture, name, &error);

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
	universe = open_named(fixture, "xz", &error);
	g_assert_no_error(error);
	assert_solution(universe, "fine", "fine-1-1.noarch");
	g_clear_pointer(&universe, varve_universe_free);
	universe = open_named(fixture, "zstd", &error);
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
	g_autofree char *home = in(fixture, "gnupg-good");

	(void)data;
	if (!g_file_test(root, G_FILE_TEST_IS_DIR)) {
		g_test_skip("there is no corpus (VARVE_CORPUS)");
		return;
	}
	for (int i = 0; i < 5; i++) {
		g_autofree char *name = g_strdup_printf("repo_%02d", i);
		g_autofree char *from = g_build_filename(root, "repodata", name, NULL);
		g_autofree char *to = in(fixture, name);
		g_autofree char *repomd = g_build_filename(to, "repodata", "repomd.xml", NULL);
		g_autofree char *signature = g_strconcat(repomd, ".asc", NULL);
		g_autoptr(VarveUniverse) universe = NULL;
		g_autoptr(GError) error = NULL;

		g_assert_true(varve_run(&error, "cp", "-r", from, to, NULL));
		g_assert_true(varve_run(&error, "chmod", "-R", "u+w", to, NULL));
		g_assert_true(varve_run(&error, "gpg", "--homedir", home, "--batch", "--quiet",
					"--armor", "--output", signature, "--detach-sign", repomd,
					NULL));
		universe = open_named(fixture, name, &error);
		if (i == 1) /* its primary.xml.gz is not what repomd.xml says */
			g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		else
			g_assert_no_error(error);
	}
}

static void test_stale(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = in(fixture, "stale");
	g_autofree char *url = g_filename_to_uri(path, NULL, NULL);
	VarveRepositorySource source = { .baseurl = url, .max_age_days = 30 };
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveUniverse) universe = open_source(fixture, &source, &error);

	(void)data;
	g_assert_null(universe);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_REFUSED);
	g_assert_nonnull(strstr(error->message, "2017-07-14"));
	g_clear_error(&error);
	source.max_age_days = 0;
	universe = open_source(fixture, &source, &error);
	g_assert_no_error(error);
}

static void test_bad_address(Fixture *fixture, gconstpointer data)
{
	VarveRepositorySource source = { .baseurl = "ftp://example.org/" };
	const char *none[] = { NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveUniverse) universe = open_source(fixture, &source, &error);

	(void)data;
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	g_clear_error(&error);
	source.metalink = "https://example.org/";
	g_assert_null(open_source(fixture, &source, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	g_clear_error(&error);
	source.metalink = NULL;
	source.baseurl = "file:///nowhere";
	source.keys = none;
	g_assert_null(open_source(fixture, &source, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
}

static gboolean solve_and_fetch(VarveUniverse *universe, const char *what, GPtrArray **ret_packages,
				GError **error)
{
	g_auto(GStrv) install = g_strsplit(what, ";", -1);
	VarveSolveRequest request = { .install = (const char *const *)install };
	g_autoptr(GPtrArray) packages = NULL;

	if (!varve_universe_solve(universe, &request, &packages, error) ||
	    !varve_universe_fetch(universe, packages, error))
		return FALSE;
	*ret_packages = g_steal_pointer(&packages);
	return TRUE;
}

static void assert_not_fetched(Fixture *fixture, const char *repository, const char *package,
			       VarveError code, const char *says)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveUniverse) universe = open_named(fixture, repository, &error);
	g_autoptr(GPtrArray) packages = NULL;

	g_assert_no_error(error);
	g_assert_false(solve_and_fetch(universe, package, &packages, &error));
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
	g_autofree char *package = in(fixture, "repo/leaf-1-1.noarch.rpm");
	g_autofree char *copy = in(fixture, "changed.rpm");
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
	g_autofree char *port_file = in(fixture, "port"), *log = in(fixture, "requests");
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

static void test_resume(Fixture *fixture, gconstpointer data)
{
	GPid server = 0;
	g_autofree char *address = start_server(fixture, &server);
	g_autofree char *url = g_strconcat(address, "/repo", NULL);
	g_autofree char *missing = g_strconcat(address, "/nothing-here", NULL);
	g_autofree char *cut = in(fixture, "cut"), *log = in(fixture, "requests");
	VarveRepositorySource source = { .name = "remote", .baseurl = url };
	g_autoptr(VarveUniverse) universe = NULL, none = NULL;
	g_autoptr(GPtrArray) packages = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *requests = NULL;
	const char *resumed;

	(void)data;
	universe = open_source(fixture, &source, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_set_contents(cut, "", 0, NULL));
	g_assert_false(solve_and_fetch(universe, "large", &packages, &error));
	g_assert_nonnull(strstr(error->message, "large-1-1.noarch"));
	g_clear_error(&error);
	unlink(cut);
	unlink(log);
	g_assert_true(solve_and_fetch(universe, "large", &packages, &error));
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(log, &requests, NULL, NULL));
	resumed = strstr(requests, "large-1-1.noarch.rpm bytes=");
	g_assert_nonnull(resumed);
	g_assert_cmpint(atoi(strchr(resumed, '=') + 1), >, 1000000);
	/* A second time nothing is fetched. */
	unlink(log);
	g_clear_pointer(&packages, g_ptr_array_unref);
	g_assert_true(solve_and_fetch(universe, "large", &packages, &error));
	g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
	source.baseurl = missing;
	none = open_source(fixture, &source, &error);
	g_assert_null(none);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	g_spawn_close_pid(server);
}

static gboolean resolve(Fixture *fixture, const char *repository, const char *lock_name,
			const char *what, gboolean update, GPtrArray **ret_packages, GError **error)
{
	g_autofree char *path = in(fixture, lock_name);
	g_autofree char *directory = in(fixture, repository);
	g_autofree char *url = g_filename_to_uri(directory, NULL, NULL);
	/* One name for all versions of it: only the bytes differ. */
	VarveRepositorySource source = { .name = "upstream", .baseurl = url };
	g_autoptr(VarveUniverse) universe = open_source(fixture, &source, NULL);
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
	g_autofree char *path = in(fixture, "lock");
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

/* One installation of @what to @root below the fixture. */
typedef struct {
	VarveUniverse *universe;
	VarveInstalled *installed;
	char *root;
} Done;

static void done_clear(Done *done)
{
	varve_installed_free(done->installed);
	varve_universe_free(done->universe);
	g_free(done->root);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Done, done_clear)

static gboolean install(Fixture *fixture, const char *what, const char *name, VarveInstall *how,
			Done *done, GError **error)
{
	g_autoptr(GPtrArray) packages = NULL;

	done->universe = open_repo(fixture);
	done->root = in(fixture, name);
	how->root = done->root;
	how->epoch = 1700000000;
	return solve_and_fetch(done->universe, what, &packages, error) &&
	       varve_install(done->universe, packages, how, &done->installed, error);
}

static gboolean needs_root(void)
{
	if (geteuid() == 0)
		return FALSE;
	g_test_skip("installing packages needs root");
	return TRUE;
}

static char *read_in(const Done *done, const char *path)
{
	g_autofree char *full = g_build_filename(done->root, path, NULL);
	char *text = NULL;

	g_file_get_contents(full, &text, NULL, NULL);
	return text;
}

static gboolean exists_in(const Done *done, const char *path)
{
	g_autofree char *full = g_build_filename(done->root, path, NULL);
	struct stat st;

	return lstat(full, &st) == 0;
}

static void test_install(Fixture *fixture, gconstpointer data)
{
	g_auto(Done) done = { 0 };
	VarveInstall how = { 0 };
	g_autoptr(GError) error = NULL;
	const VarvePackageFile *file;
	g_autofree char *proc = NULL;
	struct stat st;

	(void)data;
	if (needs_root())
		return;
	g_assert_true(install(fixture, "base;tool", "installed", &how, &done, &error));
	g_assert_no_error(error);
	g_assert_true(exists_in(&done, "usr/bin/escape"));
	g_assert_true(exists_in(&done, "bin"));
	/* No database, no scratch, nothing of the transaction. */
	g_assert_false(exists_in(&done, ".varve-transaction"));
	g_assert_false(exists_in(&done, "var"));
	g_assert_false(exists_in(&done, "usr/lib/sysimage"));
	proc = g_build_filename(done.root, "proc", NULL);
	g_assert_cmpint(stat(proc, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0555);
	g_assert_cmpuint(done.installed->packages->len, ==, 3);
	file = g_hash_table_lookup(done.installed->owners, "etc/base.conf");
	g_assert_nonnull(file);
	g_assert_cmpstr(file->package->nevra, ==, "base-1-1.noarch");
	/* of "base", newline */
	g_assert_cmpstr(file->digest, ==,
			"f34848ca92665c342abd5816c9e3eda0e82180671195362bcd0080544a3bc2ac");
	g_assert_cmpuint(file->size, ==, 5);
	g_assert_cmpuint(file->mode, ==, S_IFREG | 0644);
	g_assert_cmpstr(file->package->repository, ==, "repo");
}

static void test_scriptlets(Fixture *fixture, gconstpointer data)
{
	g_auto(Done) done = { 0 };
	VarveInstall how = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *order = NULL, *escape = NULL, *net = NULL, *pids = NULL;
	g_auto(GStrv) numbers = NULL, interfaces = NULL;

	(void)data;
	if (needs_root())
		return;
	g_assert_true(install(fixture, "scripts", "scripted", &how, &done, &error));
	g_assert_no_error(error);
	order = read_in(&done, "tmp/order");
	g_assert_cmpstr(order, ==, "pre 1\npost 1\nposttrans lua\n");
	escape = read_in(&done, "tmp/escape");
	g_assert_nonnull(escape);
	if (strstr(escape, "LEAKED"))
		g_error("a scriptlet got out:\n%s", escape);
	g_assert_nonnull(strstr(escape, "tests held\n")); /* it ran to its end */
	/* No interface but lo. */
	net = read_in(&done, "tmp/net");
	interfaces = g_strsplit(g_strchomp(net), "\n", -1);
	g_assert_cmpuint(g_strv_length(interfaces), ==, 3);
	g_assert_nonnull(strstr(interfaces[2], "lo:"));
	/* Only processes of the transaction, counted from 1. */
	pids = read_in(&done, "tmp/pids");
	numbers = g_strsplit(g_strchomp(pids), "\n", -1);
	g_assert_cmpstr(numbers[0], ==, "1");
	for (char **number = numbers; *number; number++)
		g_assert_cmpint(atoi(*number), <, 100);
	/* Whatever the path says, it is inside. */
	g_assert_true(exists_in(&done, "varve-test-canary"));
	g_assert_true(exists_in(&done, "varve-test-canary-lua"));
	g_assert_false(g_file_test("/varve-test-canary", G_FILE_TEST_EXISTS));
	g_assert_false(g_file_test("/varve-test-canary-lua", G_FILE_TEST_EXISTS));
}

static void test_scriptlet_fails(Fixture *fixture, gconstpointer data)
{
	g_auto(Done) done = { 0 };
	VarveInstall how = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *partial = NULL;

	(void)data;
	if (needs_root())
		return;
	g_assert_false(install(fixture, "fails", "failed", &how, &done, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "fails-1-1.noarch"));
	g_assert_nonnull(strstr(error->message, "%post"));
	g_assert_nonnull(strstr(error->message, "the reason is this"));
	g_assert_false(g_file_test(done.root, G_FILE_TEST_EXISTS));
	partial = g_strconcat(done.root, ".partial", NULL);
	g_assert_false(g_file_test(partial, G_FILE_TEST_EXISTS));
}

static void test_path_conflict(Fixture *fixture, gconstpointer data)
{
	g_auto(Done) done = { 0 };
	VarveInstall how = { 0 };
	g_autoptr(GError) error = NULL;

	(void)data;
	if (needs_root())
		return;
	g_assert_false(install(fixture, "clash1;clash2", "clashed", &how, &done, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "/usr/share/clash"));
	g_assert_nonnull(strstr(error->message, "clash1-1-1.noarch"));
	g_assert_nonnull(strstr(error->message, "clash2-1-1.noarch"));
}

static void test_owners(Fixture *fixture, gconstpointer data)
{
	g_auto(Done) without = { 0 }, done = { 0 };
	g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
	VarveInstall how = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *setgid = NULL, *capable = NULL, *directory = NULL;
	const VarvePackageFile *file;
	struct stat st;

	(void)data;
	if (needs_root())
		return;
	g_assert_false(install(fixture, "owned", "unowned", &how, &without, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "svc"));
	g_clear_error(&error);
	g_hash_table_insert(ids, (gpointer) "svc", GUINT_TO_POINTER(777));
	how.users = how.groups = ids;
	g_assert_true(install(fixture, "owned", "owned", &how, &done, &error));
	g_assert_no_error(error);
	setgid = g_build_filename(done.root, "usr/bin/setgid", NULL);
	g_assert_cmpint(stat(setgid, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 02755);
	g_assert_cmpint(st.st_gid, ==, 777);
	directory = g_build_filename(done.root, "var/lib/svc", NULL);
	g_assert_cmpint(stat(directory, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0750);
	g_assert_cmpint(st.st_uid, ==, 777);
	capable = g_build_filename(done.root, "usr/sbin/capable", NULL);
	g_assert_cmpint(stat(capable, &st), ==, 0);
	g_assert_cmpint(st.st_gid, ==, 777);
	g_assert_cmpint(getxattr(capable, "security.capability", NULL, 0), >, 0);
	file = g_hash_table_lookup(done.installed->owners, "usr/sbin/capable");
	g_assert_cmpstr(file->capabilities, ==, "cap_net_raw=ep");
	g_assert_cmpstr(file->group, ==, "svc");
}

/* A base with its database beside it; @how then installs on top. */
static void install_base(Fixture *fixture, Done *base, char **ret_database)
{
	VarveInstall how = { 0 };
	g_autoptr(GError) error = NULL;

	*ret_database = in(fixture, "base-database");
	how.write_database = *ret_database;
	g_assert_true(install(fixture, "base;tool", "base-root", &how, base, &error));
	g_assert_no_error(error);
}

static gboolean install_above(Fixture *fixture, const Done *base, const char *database,
			      const char *what, Done *done, GError **error)
{
	VarveSolveRequest request = { .install = (const char *[]){ what, NULL } };
	g_autoptr(GPtrArray) below = NULL, packages = NULL;
	VarveInstall how = { .lower = base->root, .read_database = database };

	done->universe = open_repo(fixture);
	done->root = in(fixture, "extension-root");
	how.root = done->root;
	g_assert_true(solve_and_fetch(done->universe, "base;tool", &below, error));
	request.installed = below;
	return varve_universe_solve(done->universe, &request, &packages, error) &&
	       varve_universe_fetch(done->universe, packages, error) &&
	       varve_install(done->universe, packages, &how, &done->installed, error);
}

static void test_extension(Fixture *fixture, gconstpointer data)
{
	g_auto(Done) base = { 0 }, done = { 0 }, shadows = { 0 }, takes = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *database = NULL, *made = NULL, *usr = NULL;

	(void)data;
	if (needs_root())
		return;
	install_base(fixture, &base, &database);
	g_assert_true(install_above(fixture, &base, database, "extension", &done, &error));
	g_assert_no_error(error);
	/* Exactly what it adds, a scriptlet's file included; nothing of the base, none of
	 * overlayfs's notes, and the base is as it was. */
	made = read_in(&done, "usr/share/extension/made");
	g_assert_cmpstr(made, ==, "by post\n");
	g_assert_false(exists_in(&done, "usr/bin"));
	g_assert_false(exists_in(&done, "etc"));
	g_assert_false(exists_in(&done, "proc"));
	g_assert_false(exists_in(&done, ".varve-transaction"));
	usr = g_build_filename(done.root, "usr", NULL);
	g_assert_cmpint(listxattr(usr, NULL, 0), ==, 0);
	g_assert_false(exists_in(&base, "usr/share/extension"));
	/* A path of the base, with other bytes. */
	g_assert_false(install_above(fixture, &base, database, "shadows", &shadows, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "/etc/base.conf"));
	g_assert_nonnull(strstr(error->message, "base-1-1.noarch"));
	g_clear_error(&error);
	g_assert_false(install_above(fixture, &base, database, "takes", &takes, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "/etc/base.conf"));
	g_assert_true(exists_in(&base, "etc/base.conf"));
}

static void test_database_inside(Fixture *fixture, gconstpointer data)
{
	g_auto(Done) done = { 0 };
	VarveInstall how = { .database = "usr/lib/sysimage/rpm" };
	g_autoptr(GError) error = NULL;

	(void)data;
	if (needs_root())
		return;
	g_assert_true(install(fixture, "base", "server", &how, &done, &error));
	g_assert_no_error(error);
	g_assert_true(exists_in(&done, "usr/lib/sysimage/rpm/rpmdb.sqlite"));
	g_assert_false(exists_in(&done, "usr/lib/sysimage/rpm/rpmdb.sqlite-wal"));
	g_assert_false(exists_in(&done, ".varve-transaction"));
}

/* Killed while a scriptlet sleeps: nothing under the final name, no process left, and the next run
 * is not in the way of what lies there. */
static void test_killed(Fixture *fixture, gconstpointer data)
{
	g_auto(Done) done = { 0 };
	VarveInstall how = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *sleeping = in(fixture, "killed.partial/root/tmp/sleeping");
	g_autofree char *partial = in(fixture, "killed.partial");
	pid_t pid;
	int status;

	(void)data;
	if (needs_root())
		return;
	pid = fork();
	if (pid == 0) {
		install(fixture, "sleeps", "killed", &how, &done, NULL);
		_exit(0);
	}
	for (int i = 0; i < 200 && !g_file_test(sleeping, G_FILE_TEST_EXISTS); i++)
		g_usleep(50000);
	g_assert_true(g_file_test(sleeping, G_FILE_TEST_EXISTS));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	g_assert_true(WIFSIGNALED(status));
	g_assert_true(g_file_test(partial, G_FILE_TEST_EXISTS));
	/* The mounts went with the namespace, so that the tree can be removed at once. */
	g_usleep(200000);
	g_assert_true(install(fixture, "base", "killed", &how, &done, &error));
	g_assert_no_error(error);
	g_assert_false(g_file_test(partial, G_FILE_TEST_EXISTS));
	g_assert_true(exists_in(&done, "usr/bin/sh"));
	g_assert_false(exists_in(&done, "tmp/sleeping"));
}

static void set_up(Fixture *fixture, gconstpointer data)
{
	fixture->dir = g_strdup(data);
	fixture->key = in(fixture, "good.asc");
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
	(void)data;
	g_free(fixture->key);
	g_free(fixture->dir);
}

static void drop(const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
	(void)domain;
	(void)level;
	(void)message;
	(void)data;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Fixture *fixture, gconstpointer data);
	} tests[] = {
		{ "/packages/solve", test_solve },
		{ "/packages/leave-out", test_leave_out },
		{ "/packages/on-a-base", test_on_a_base },
		{ "/packages/unsatisfiable", test_unsatisfiable },
		{ "/packages/metadata-trust", test_metadata_trust },
		{ "/packages/corpus-metadata", test_corpus_metadata },
		{ "/packages/stale", test_stale },
		{ "/packages/bad-address", test_bad_address },
		{ "/packages/package-trust", test_package_trust },
		{ "/packages/changed-anywhere", test_changed_anywhere },
		{ "/packages/resume", test_resume },
		{ "/packages/lock", test_lock },
		{ "/packages/install", test_install },
		{ "/packages/scriptlets", test_scriptlets },
		{ "/packages/scriptlet-fails", test_scriptlet_fails },
		{ "/packages/path-conflict", test_path_conflict },
		{ "/packages/owners", test_owners },
		{ "/packages/extension", test_extension },
		{ "/packages/database-inside", test_database_inside },
		{ "/packages/killed", test_killed },
	};
	static const char *const programs[] = { "rpmbuild", "rpmsign", "createrepo_c", "gpg",
						"cc",       "python3", "zstd" };
	g_autofree char *dir = NULL, *maker = NULL;
	g_autoptr(GError) error = NULL;
	int status = 0, result;

	g_test_init(&argc, &argv, NULL);
	varve_progress_set_quiet(TRUE);
	g_log_set_handler("librepo", G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO, drop, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *found = g_find_program_in_path(programs[i]);

		if (!found) {
			g_print("1..0 # SKIP %s is not installed\n", programs[i]);
			return 0;
		}
	}
	g_unsetenv("http_proxy");
	g_unsetenv("SOURCE_DATE_EPOCH");
	dir = g_dir_make_tmp("varve-packages-XXXXXX", NULL);
	maker = g_test_build_filename(G_TEST_DIST, "make-packages", NULL);
	if (!g_spawn_sync(NULL, (char *[]){ maker, dir, NULL }, NULL, G_SPAWN_DEFAULT, NULL, NULL,
			  NULL, NULL, &status, &error) ||
	    !g_spawn_check_wait_status(status, &error))
		g_error("make-packages: %s", error->message);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, dir, set_up, tests[i].run, tear_down);
	result = g_test_run();
	varve_dir_remove(AT_FDCWD, dir, NULL);
	return result;
}
