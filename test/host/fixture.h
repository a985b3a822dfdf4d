/* What the tests of packages share: tiny packages and repositories made once (make-packages). */
#pragma once

#include "package/universe.h"

/** The directory that make-packages filled, and the key that vouches for the good ones. */
typedef struct {
	char *dir;
	char *key;
} Fixture;

typedef struct {
	const char *path;
	void (*run)(Fixture *fixture, gconstpointer data);
} FixtureTest;

/** (caller frees) the path of @name in the fixture. */
char *fixture_path(const Fixture *fixture, const char *name);

/** fixture_open_source: @source's name and keys default to "test" and the good key. */
VarveUniverse *fixture_open_source(Fixture *fixture, VarveRepositorySource *source, GError **error);
/** fixture_open: the repository in directory @name; fixture_open_repo: "repo", which must open. */
VarveUniverse *fixture_open(Fixture *fixture, const char *name, GError **error);
VarveUniverse *fixture_open_repo(Fixture *fixture);

/** fixture_fetch: solves and fetches what @what names, separated by semicolons. */
gboolean fixture_fetch(VarveUniverse *universe, const char *what, GPtrArray **ret_packages,
		       GError **error);

/** fixture_main: makes the packages, runs @tests, removes everything; skips where a program that
 *  making them needs is not there. */
int fixture_main(int argc, char **argv, const FixtureTest *tests, gsize n_tests);
