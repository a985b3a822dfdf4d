/* Bringing an upstream of the definition into the work directory: what `varve import` does, and
 * what `varve build` does first. */
#pragma once

#include "definition/definition.h"
#include "format/partition-types.h"
#include "package/debian-import.h"

/** Nothing is owned. */
typedef struct {
	const VarveDefinition *definition;
	const VarveUpstream *upstream; /* of type debian */
	const VarveArch *arch;
	const char *mirror; /* (nullable) overrides the definition's */
	const char *keys;   /* directory */
	const char *work;
	gboolean refresh;
	gboolean prune;
} VarveImportRequest;

/**
 * varve_import_upstream:
 * Imports the closure of every package set of the definition that the upstream spells, the tools
 * tree's too, into WORK/upstream/NAME/ARCH.
 *
 * @ret_imported: (nullable)
 * @ret_directory: (nullable, caller frees) the repository.
 */
gboolean varve_import_upstream(const VarveImportRequest *request, VarveDebianImported *ret_imported,
			       char **ret_directory, GError **error);

/**
 * varve_import_own:
 * Packages the node's programs as RPMs into WORK/upstream/local/ARCH.
 *
 * @varvectl, @init: host paths; of @arch, or the repository is made without them where they are
 * not.
 */
gboolean varve_import_own(const char *varvectl, const char *init, const VarveDefinition *definition,
			  const VarveArch *arch, const char *keys, const char *work,
			  char **ret_directory, GError **error);

/** varve_import_is_own: whether the package @name is built here and so is never asked of an
 * archive. */
gboolean varve_import_is_own(const char *name);
