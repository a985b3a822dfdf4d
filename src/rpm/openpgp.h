/* OpenPGP signatures by the package key, made by gpg: of packages' headers and of repomd.xml. */
#pragma once

#include <glib.h>

typedef struct VarveOpenpgp VarveOpenpgp;

/**
 * varve_openpgp_open:
 * @home: gpg's home directory with exactly one secret key that can sign, without a passphrase
 * ("package-gnupg" of a keys directory). It is not written to: gpg works in a private temporary
 * home whose files are links to it, so that the path may be long and several processes may sign.
 *
 * Errors: NOT_FOUND (no such directory, no secret key, no gpg), CONFLICT (several secret keys).
 */
VarveOpenpgp *varve_openpgp_open(const char *home, GError **error);
/** varve_openpgp_free: ends gpg's agent and removes the temporary home. (Those of a process that
 * was killed are removed by the next varve_openpgp_open().) */
void varve_openpgp_free(VarveOpenpgp *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveOpenpgp, varve_openpgp_free)

/** (borrowed) the fingerprint, uppercase hex. */
const char *varve_openpgp_fingerprint(const VarveOpenpgp *key);

/**
 * varve_openpgp_sign:
 * A detached signature of @size bytes at @data. Thread-safe. It is a VarveRpmSign, with @key as
 * user data.
 *
 * @time: the date of the signature, or, where the key is younger, that of the key: with the
 * algorithms that gpg makes keys of the same bytes then have the same signature.
 */
gboolean varve_openpgp_sign(const void *data, gsize size, gint64 time, gpointer key,
			    GBytes **ret_signature, GError **error);

/** varve_openpgp_sign_file: writes @path.asc, an armoured detached signature of @path, with @time
 *  as above. */
gboolean varve_openpgp_sign_file(VarveOpenpgp *key, const char *path, gint64 time, GError **error);

/**
 * varve_openpgp_sign_packages:
 * Signs those of the RPM files @paths that carry no signature, in place, through rpmsign.
 *
 * @time: the date of the signatures, as above; 0: now.
 * @ret_signed: how many those were.
 */
gboolean varve_openpgp_sign_packages(VarveOpenpgp *key, const GPtrArray *paths, gint64 time,
				     guint *ret_signed, GError **error);

/** varve_openpgp_public: (caller frees) the public key, armoured. */
char *varve_openpgp_public(VarveOpenpgp *key, GError **error);
