/* From fetched packages to a root directory, all or nothing. */
#pragma once

#include "package/universe.h"

/** How to install. Zero-initialise; nothing is owned. */
typedef struct {
	/* The directory that appears, whole, when everything went well: the root, or with @lower
	 * what the packages add to it (parents of what is added included, as copies). What was
	 * there before is replaced. Built under @root with ".partial" appended, which a later run
	 * removes. */
	const char *root;
	const char *lower; /* (nullable) root directory of the base; only read */
	/* Numbers for owners' names: char * → GUINT_TO_POINTER(id). A name that is in neither these
	 * tables nor the root's etc/passwd and etc/group is an error. "root" is always 0. */
	GHashTable *users;
	GHashTable *groups;
	const char *database; /* as in VarveTransaction */
	const char *read_database;
	const char *write_database; /* replaced when everything went well */
	gint64 epoch;
	gboolean no_docs;
	gboolean any_owner; /* an owner without a number is root (a tools tree, which never travels)
			     */
} VarveInstall;

/** What was installed. */
typedef struct {
	GPtrArray *packages; /* VarvePackage *, from the headers, sorted; repository as it was
				solved */
	GPtrArray *files;    /* VarvePackageFile *, sorted by path; a directory of several packages
			      * comes once, by the first package */
	GHashTable *owners;  /* path → VarvePackageFile * of files (both borrowed) */
} VarveInstalled;

void varve_installed_free(VarveInstalled *installed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveInstalled, varve_installed_free)

/**
 * varve_install:
 * Installs @packages (VarvePackage *, fetched) with progress. Owners, set-id bits and capabilities
 * are as the headers say, whatever users the root knew while packages were unpacked.
 *
 * With @lower, a package whose scriptlet removes a path of the base is a CONFLICT.
 *
 * Errors: those of varve_transaction_run(); NOT_FOUND (an owner without a number: names package,
 * path and owner).
 */
gboolean varve_install(VarveUniverse *universe, const GPtrArray *packages,
		       const VarveInstall *install, VarveInstalled **ret_installed, GError **error);

/** varve_installed_read: the same facts of @packages without installing anything (a cached root).
 */
gboolean varve_installed_read(VarveUniverse *universe, const GPtrArray *packages,
			      VarveInstalled **ret_installed, GError **error);
