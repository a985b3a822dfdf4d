/* apt with a configuration of its own: its signature checks, its resolver, its downloads, but none
 * of the machine's sources, lists, preferences, hooks or installed packages. */
#pragma once

#include "package/deb822.h"

/** Which archive. Nothing is owned. */
typedef struct {
	const char *debian_arch;       /* "amd64", "arm64"; need not be the machine's */
	const char *suite;             /* "trixie" */
	const char *const *components; /* "main", … */
	const char *mirror; /* (nullable) URI; NULL: the machine's own. Where it ends in "/debian",
			     * SUITE-updates is taken from it too. */
	const char *security_mirror; /* (nullable) URI of SUITE-security; NULL: the machine's where
				      * @mirror is NULL, else "/debian-security" beside a
				      * "/debian", else none */
	const char *keyring;         /* (nullable) host path; NULL: Debian's archive keyring */
} VarveAptSource;

typedef struct VarveApt VarveApt;

/**
 * varve_apt_open:
 * Writes the configuration below @directory (made if missing; absolute, without quotes).
 *
 * Errors: NOT_FOUND (no mirror, no keyring, no apt), SYSTEM.
 */
VarveApt *varve_apt_open(const VarveAptSource *source, const char *directory, GError **error);
void varve_apt_free(VarveApt *apt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveApt, varve_apt_free)

/**
 * varve_apt_update:
 * Fetches the archive's lists and checks their signatures, where that was last done more than a
 * day ago, for another source, or @refresh. Where the network is away and lists of the same source
 * are there, they serve.
 *
 * @ret_age: (nullable) seconds since the lists in use were fetched.
 *
 * Errors: UNTRUSTED (a signature is missing or not by the keyring's keys), SYSTEM.
 */
gboolean varve_apt_update(VarveApt *apt, gboolean refresh, gint64 *ret_age, GError **error);

/**
 * varve_apt_resolve:
 * What an installation of @names into an empty system brings, recommendations aside.
 *
 * Returns: (caller frees with g_ptr_array_unref) VarveParagraph*: stanzas of the signed Packages
 * indexes, in apt's order; or NULL with CONFLICT and apt's own explanation.
 */
GPtrArray *varve_apt_resolve(VarveApt *apt, const GPtrArray *names, GError **error);

/**
 * varve_apt_download:
 * Downloads the packages of @stanzas to @directory under varve_apt_file_name(). apt checks their
 * digests; the caller checks again when it reads them.
 */
gboolean varve_apt_download(VarveApt *apt, const GPtrArray *stanzas, const char *directory,
			    GError **error);

/** varve_apt_file_name: (caller frees) "NAME_VERSION_ARCH.deb" as apt names what it downloads. */
char *varve_apt_file_name(const VarveParagraph *stanza, GError **error);
