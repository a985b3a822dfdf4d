/* Importing an upstream as a definition describes it: which packages, where to, signed by what. */
#pragma once

#include "definition/definition.h"
#include "package/debian-import.h"

/* The package set of what components are built with: in a repository of its own, because much of it
 * is what an upstream drops. */
#define VARVE_BUILD_SET "build"

/** What and how. Zero-initialise; nothing is owned. */
typedef struct {
	const VarveDefinition *definition;
	const VarveUpstream *upstream;
	const VarveArch *arch;
	const char *work;            /* the work directory */
	const char *keys;            /* a keys directory */
	const char *mirror;          /* (nullable) instead of the definition's or the machine's */
	const char *security_mirror; /* (nullable) goes with @mirror */
	gboolean refresh, prune;     /* as in VarveDebianImport */
	const char *const *own;      /* (nullable) names that are made here: asked of no archive */
	/* (nullable) Instead of all package sets: these packages, whole, whatever the upstream
	 * drops (what programs are built with needs it: perl), into a repository of their own. */
	const char *const *build_packages;
} VarveImport;

/** varve_import_directory: (caller frees) WORK/upstream/NAME/ARCH: the repository of an import. */
char *varve_import_directory(const char *work, const VarveUpstream *upstream,
			     const VarveArch *arch);

/** varve_import_build_directory: (caller frees) WORK/upstream/NAME/ARCH-build: that of
 * @build_packages.
 */
char *varve_import_build_directory(const char *work, const VarveUpstream *upstream,
				   const VarveArch *arch);

/**
 * varve_import_run:
 * Imports the closure of every package that a package set of the definition names for @upstream.
 * Cheap where nothing changed.
 *
 * Errors: those of varve_debian_import(); USAGE (the upstream needs no import, or no package set
 * is spelled for it).
 */
gboolean varve_import_run(const VarveImport *import, VarveDebianImported *ret_imported,
			  GError **error);
