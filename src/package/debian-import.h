/* A Debian suite's needed closure as a signed rpm-md repository: fetched by apt, converted, kept by
 * content, indexed. */
#pragma once

#include "format/partition-types.h"

#include <glib.h>

/** What to import. Zero-initialise; nothing is owned. */
typedef struct {
	const char *suite;             /* "trixie" */
	const char *const *components; /* (nullable) NULL: "main" */
	const char *mirror;            /* (nullable) as in VarveAptSource, like the next two */
	const char *security_mirror;
	const char *keyring;
	const VarveArch *arch;
	const char *const *wanted;    /* Debian package names */
	const char *const *essential; /* (nullable) taken always */
	const char *const *drop;      /* (nullable) never taken */
	const char *keys;             /* a keys directory: its package-gnupg signs */
	const char *cache;            /* directory: apt's lists, .debs, converted packages */
	const char *output;           /* directory: the repository */
	gboolean refresh;             /* fetch the lists anew */
	gboolean prune; /* drop packages of earlier imports from the repository and the cache; else
			 * they stay, so that a lock file of yesterday still finds what it names */
} VarveDebianImport;

typedef struct {
	guint packages;     /* in the closure, "setup" included */
	guint fetched;      /* .debs */
	guint converted;    /* the others were in the cache */
	guint removed;      /* from the repository */
	gint64 list_age;    /* seconds since the archive's lists were fetched */
	gboolean published; /* FALSE: the index was up to date */
} VarveDebianImported;

/**
 * varve_debian_import:
 * Makes or updates the repository. Killed at any point, it leaves the old index or the new one,
 * and the next run goes on with all that was fetched and converted. One process at a time works in
 * a cache directory; others wait.
 *
 * Errors: UNTRUSTED (an archive signature or a package's digest does not match), CONFLICT (the
 * packages cannot be had together), NOT_FOUND, CORRUPT, SYSTEM.
 */
gboolean varve_debian_import(const VarveDebianImport *import, VarveDebianImported *ret_imported,
			     GError **error);
