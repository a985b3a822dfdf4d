/* Installing tiny packages as root: what an installation leaves, what scriptlets can reach, and how
 * it fails. */
#include "fixture.h"

#include "base/error.h"
#include "package/install.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

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

	done->universe = fixture_open_repo(fixture);
	done->root = fixture_path(fixture, name);
	how->root = done->root;
	how->epoch = 1700000000;
	return fixture_fetch(done->universe, what, &packages, error) &&
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

	*ret_database = fixture_path(fixture, "base-database");
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

	done->universe = fixture_open_repo(fixture);
	done->root = fixture_path(fixture, "extension-root");
	how.root = done->root;
	g_assert_true(fixture_fetch(done->universe, "base;tool", &below, error));
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
	g_autofree char *sleeping = fixture_path(fixture, "killed.partial/root/tmp/sleeping");
	g_autofree char *partial = fixture_path(fixture, "killed.partial");
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

int main(int argc, char **argv)
{
	static const FixtureTest tests[] = {
		{ "/install/install", test_install },
		{ "/install/scriptlets", test_scriptlets },
		{ "/install/scriptlet-fails", test_scriptlet_fails },
		{ "/install/path-conflict", test_path_conflict },
		{ "/install/owners", test_owners },
		{ "/install/extension", test_extension },
		{ "/install/database-inside", test_database_inside },
		{ "/install/killed", test_killed },
	};

	return fixture_main(argc, argv, tests, G_N_ELEMENTS(tests));
}
