/* The clean root that a component is built in: composed of packages by the house's own solver and
 * installer, kept by what it was made of. What every build needs lies below; what the component
 * asks for lies on it. */
#pragma once

#include "component/prepare.h"
#include "format/partition-types.h"

/* Who builds: a user that no program of an upstream has (docs/components-build.md). */
#define VARVE_BUILD_USER 60999u

/** Where builds take place. Zero-initialise; nothing is owned. */
typedef struct {
	const VarveDefinition *definition;
	const VarveUpstream *upstream;
	const VarveArch *arch;
	const char *work;   /* the work directory */
	const char *keys;   /* a keys directory: the package key */
	const char *mirror; /* (nullable) of a debian upstream, as for an import */
	gboolean refresh;   /* fetch the archive's lists anew */
	/* How components are made ready, archives included; for varve_build_run() alone. */
	const VarvePrepare *prepare;
} VarveBuildPlace;

/** A root. Strings are owned. */
typedef struct {
	char *base;      /* root directory of what every build needs */
	char *requires;  /* (nullable) root directory of what lies on it */
	char *key;       /* what both were made of */
	char **packages; /* NEVRAs of both, sorted */
} VarveBuildRoot;

void varve_build_root_clear(VarveBuildRoot *root);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveBuildRoot, varve_build_root_clear)

/** varve_build_own_directory: (caller frees) WORK/upstream/components/ARCH: the repository of what
 * is built here, which every later build and layer asks first. */
char *varve_build_own_directory(const VarveBuildPlace *place);

/** varve_build_own_packages: (caller frees) the names of all packages in it, sorted. */
char **varve_build_own_packages(const VarveBuildPlace *place, GError **error);

/**
 * varve_build_root_make:
 * Imports, solves, fetches and installs as far as needed.
 *
 * @requires: (nullable) build requirements, RPM capabilities.
 * @not_own: (nullable) packages of the component itself: an earlier build of it is no part of its
 * own root, or no build would ever be like the one before.
 *
 * Errors: NOT_FOUND (no package set "build", an unknown package), CONFLICT, those of
 * varve_import_run() and varve_install().
 */
gboolean varve_build_root_make(const VarveBuildPlace *place, const char *const *requires,
			       const char *const *not_own, VarveBuildRoot *ret_root,
			       GError **error);
