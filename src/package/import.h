/* Importing an upstream as a definition describes it: which packages, where to, signed by what. */
#pragma once

#include "definition/definition.h"
#include "package/debian-import.h"

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
} VarveImport;

/** varve_import_directory: (caller frees) WORK/upstream/NAME/ARCH: the repository of an import. */
char *varve_import_directory(const char *work, const VarveUpstream *upstream,
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
