/* The OpenPGP keys that packages and repository metadata are checked against: those of the
 * definition and no others, never the user's keyring, never the system's RPM database. */
#pragma once

#include <glib.h>

typedef struct VarvePackageKeys VarvePackageKeys;

/**
 * varve_package_keys_load:
 * Reads public keys (ASCII-armoured or binary; a file may hold several).
 *
 * @paths: at least one; NULL-terminated.
 *
 * Errors: NOT_FOUND, CORRUPT (not a public key), USAGE (no path at all).
 */
VarvePackageKeys *varve_package_keys_load(const char *const *paths, GError **error);
VarvePackageKeys *varve_package_keys_ref(VarvePackageKeys *keys);
void varve_package_keys_unref(VarvePackageKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePackageKeys, varve_package_keys_unref)

/** (borrowed) the files, for messages: "keys/fedora-43.asc (ID 0123456789abcdef), …". */
const char *varve_package_keys_describe(const VarvePackageKeys *keys);

/**
 * varve_package_keys_check_detached:
 * Checks that the detached signature @signature (armoured or binary) over the file @data was made
 * by one of @keys, in a keyring directory of its own that is removed again.
 *
 * Errors: UNTRUSTED (naming @data and the keys tried), NOT_FOUND, SYSTEM.
 */
gboolean varve_package_keys_check_detached(const VarvePackageKeys *keys, const char *data,
					   const char *signature, GError **error);
