/* One rpm-md repository: its metadata fetched, checked and cached; its packages fetched and
 * checked. Nothing is ever used that no key of the definition vouches for. */
#pragma once

#include "rpm/keys.h"
#include "rpm/package.h"

typedef struct VarvePackageRepository VarvePackageRepository;

/** Where a repository is. Zero-initialise; nothing is owned. */
typedef struct {
	const char *name;       /* unique in its upstream, for messages, cache and lock file */
	const char *metalink;   /* exactly one of these three; $basearch and $releasever are */
	const char *mirrorlist; /* replaced; baseurl is https:, http: or file: (used in place) */
	const char *baseurl;
	const char *const *keys; /* paths of OpenPGP public keys */
	const char *releasever;  /* nullable */
	guint max_age_days;      /* metadata older than this are an error; 0: any age */
	gboolean own;            /* built here: the lock file records names, not digests */
} VarveRepositorySource;

typedef struct {
	const char *basearch; /* RPM's spelling */
	const char *cache;    /* directory, made if missing; one subdirectory a repository */
} VarveRepositoryOptions;

/**
 * varve_package_repository_open:
 * Fetches repomd.xml and its signature, checks it against @source's keys only, then fetches what
 * it names and the solver needs (unchanged files come from the cache), checking their digests.
 *
 * Errors: USAGE (not exactly one address; no key), NOT_FOUND (repository or file is missing: never
 * skipped), UNTRUSTED (repomd.xml.asc is missing, does not match, or is by another key), CORRUPT (a
 * digest differs), REFUSED (older than max_age_days), SYSTEM (network).
 */
VarvePackageRepository *varve_package_repository_open(const VarveRepositorySource *source,
						      const VarveRepositoryOptions *options,
						      GError **error);
void varve_package_repository_free(VarvePackageRepository *repository);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePackageRepository, varve_package_repository_free)

const char *varve_package_repository_name(const VarvePackageRepository *repository);
gboolean varve_package_repository_is_own(const VarvePackageRepository *repository);
const VarvePackageKeys *varve_package_repository_keys(const VarvePackageRepository *repository);
/** SHA-256 of repomd.xml: what a cache of solutions is keyed by. */
const VarveDigest *varve_package_repository_digest(const VarvePackageRepository *repository);
/** Seconds since the epoch: the newest timestamp that repomd.xml has for its files. */
gint64 varve_package_repository_timestamp(const VarvePackageRepository *repository);
/** (borrowed) local, checked metadata files, compressed as they came. */
const char *varve_package_repository_repomd(const VarvePackageRepository *repository);
const char *varve_package_repository_primary(const VarvePackageRepository *repository);
/** varve_package_repository_filelists: fetches them at the first call. (borrowed) NULL with @error.
 */
const char *varve_package_repository_filelists(VarvePackageRepository *repository, GError **error);

/**
 * varve_package_repository_fetch:
 * Makes @packages (VarvePackage * of this repository) local: what is in the cache with the right
 * digest stays, the rest is fetched in parallel, a part-fetched file being resumed. Digests are
 * checked; signatures are not yet (varve_rpm_verify).
 *
 * @fetched: (nullable) called with the bytes that came since the last call and the package, from
 * this thread.
 *
 * On success each package's path is set. Errors: NOT_FOUND, CORRUPT, SYSTEM; the message lists
 * every package that could not be had.
 */
typedef void (*VarveFetched)(guint64 bytes, const char *nevra, gpointer data);
gboolean varve_package_repository_fetch(VarvePackageRepository *repository,
					const GPtrArray *packages, VarveFetched fetched,
					gpointer data, GError **error);
