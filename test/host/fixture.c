/* Tiny packages and repositories for the tests of packages. */
#include "fixture.h"

#include "base/file.h"
#include "base/progress.h"

char *fixture_path(const Fixture *fixture, const char *name)
{
	return g_build_filename(fixture->dir, name, NULL);
}

VarveUniverse *fixture_open_source(Fixture *fixture, VarveRepositorySource *source, GError **error)
{
	g_autofree char *cache = fixture_path(fixture, "cache");
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

VarveUniverse *fixture_open(Fixture *fixture, const char *name, GError **error)
{
	g_autofree char *path = fixture_path(fixture, name);
	g_autofree char *url = g_filename_to_uri(path, NULL, NULL);
	VarveRepositorySource source = { .name = name, .baseurl = url };

	return fixture_open_source(fixture, &source, error);
}

VarveUniverse *fixture_open_repo(Fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	VarveUniverse *universe = fixture_open(fixture, "repo", &error);

	g_assert_no_error(error);
	return universe;
}

gboolean fixture_fetch(VarveUniverse *universe, const char *what, GPtrArray **ret_packages,
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

static void set_up(Fixture *fixture, gconstpointer data)
{
	fixture->dir = g_strdup(data);
	fixture->key = fixture_path(fixture, "good.asc");
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

int fixture_main(int argc, char **argv, const FixtureTest *tests, gsize n_tests)
{
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
	for (gsize i = 0; i < n_tests; i++)
		g_test_add(tests[i].path, Fixture, dir, set_up, tests[i].run, tear_down);
	result = g_test_run();
	varve_dir_remove(AT_FDCWD, dir, NULL);
	return result;
}
