/* OpenPGP keys (RFC 4880) through librpm's own reader: what verifies packages verifies metadata. */
#include "rpm/keys.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "rpm/context.h"
#include "rpm/keys-internal.h"

#include <rpm/rpmcrypto.h>
#include <rpm/rpmpgp.h>
#include <string.h>

#define KEY_FILE_LIMIT (4u << 20)
#define SIGNATURE_MARK "-----BEGIN PGP SIGNATURE-----"
#define ARMOR_MARK "-----BEGIN PGP PUBLIC KEY BLOCK-----"

struct VarvePackageKeys {
	int references;
	rpmKeyring keyring;
	GPtrArray *keys; /* rpmPubkey: librpm's keyring cannot be listed */
	GString *description;
};

static void free_key(gpointer key)
{
	rpmPubkeyFree(key);
}

/* One certificate with its subkeys. */
static gboolean add_certificate(VarvePackageKeys *keys, const char *path, const uint8_t *packets,
				size_t size, GError **error)
{
	g_autoptr(GString) said = g_string_new(NULL);
	g_autofree char *id = NULL;
	char *lints = NULL;
	rpmPubkey key = NULL, *subkeys;
	pgpKeyID_t key_id;
	int n_subkeys = 0;
	rpmRC usable;

	varve_rpm_listen(said);
	usable = pgpPubKeyLint(packets, size, &lints);
	if (usable == RPMRC_OK)
		key = rpmPubkeyNew(packets, size);
	subkeys = key ? rpmGetSubkeys(key, &n_subkeys) : NULL;
	varve_rpm_listen(NULL);
	g_strstrip(said->str);
	if (!subkeys) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: a public key in it cannot be used%s%s: librpm takes RSA, DSA and "
			   "EdDSA "
			   "keys of version 4 with valid self-signatures",
			   path, lints || said->len ? ": " : "", lints ? lints : said->str);
		free(lints);
		rpmPubkeyFree(key);
		return FALSE;
	}
	free(lints);
	pgpPubkeyKeyID(packets, size, key_id);
	id = varve_hex(key_id, sizeof(key_id));
	g_string_append_printf(keys->description, "%s%s (ID %s)",
			       keys->description->len ? ", " : "", path, id);
	rpmKeyringAddKey(keys->keyring, key);
	g_ptr_array_add(keys->keys, key);
	for (int i = 0; i < n_subkeys; i++) {
		rpmKeyringAddKey(keys->keyring, subkeys[i]);
		g_ptr_array_add(keys->keys, subkeys[i]);
	}
	free(subkeys);
	return TRUE;
}

static gboolean add_packets(VarvePackageKeys *keys, const char *path, const uint8_t *packets,
			    size_t size, GError **error)
{
	while (size > 0) {
		size_t length = 0;

		if (pgpPubKeyCertLen(packets, size, &length) || length == 0 || length > size)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: does not hold OpenPGP public keys", path);
		if (!add_certificate(keys, path, packets, length, error))
			return FALSE;
		packets += length;
		size -= length;
	}
	return TRUE;
}

static gboolean add_file(VarvePackageKeys *keys, const char *path, GError **error)
{
	g_autofree char *data = NULL;
	size_t size;
	const char *block;

	if (!varve_file_read(AT_FDCWD, path, KEY_FILE_LIMIT, &data, &size, error))
		return FALSE;
	block = strstr(data, ARMOR_MARK);
	if (!block) {
		if (size == 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: is empty, expected an OpenPGP public key", path);
		return add_packets(keys, path, (const uint8_t *)data, size, error);
	}
	for (; block; block = strstr(block + strlen(ARMOR_MARK), ARMOR_MARK)) {
		uint8_t *packets = NULL;
		size_t length = 0;
		gboolean fine;

		if (pgpParsePkts(block, &packets, &length) != PGPARMOR_PUBKEY)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: the armour of a public key in it is damaged", path);
		fine = add_packets(keys, path, packets, length, error);
		free(packets);
		if (!fine)
			return FALSE;
	}
	return TRUE;
}

VarvePackageKeys *varve_package_keys_load(const char *const *paths, GError **error)
{
	g_autoptr(VarvePackageKeys) keys = g_new0(VarvePackageKeys, 1);

	varve_rpm_init();
	keys->references = 1;
	keys->keyring = rpmKeyringNew();
	keys->keys = g_ptr_array_new_with_free_func(free_key);
	keys->description = g_string_new(NULL);
	if (!paths || !paths[0]) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "no key to check packages against: name one with 'gpg-keys'");
		return NULL;
	}
	for (; *paths; paths++)
		if (!add_file(keys, *paths, error))
			return NULL;
	return g_steal_pointer(&keys);
}

VarvePackageKeys *varve_package_keys_ref(VarvePackageKeys *keys)
{
	g_atomic_int_inc(&keys->references);
	return keys;
}

void varve_package_keys_unref(VarvePackageKeys *keys)
{
	if (!keys || !g_atomic_int_dec_and_test(&keys->references))
		return;
	g_ptr_array_unref(keys->keys);
	rpmKeyringFree(keys->keyring);
	g_string_free(keys->description, TRUE);
	g_free(keys);
}

const char *varve_package_keys_describe(const VarvePackageKeys *keys)
{
	return keys->description->str;
}

rpmKeyring varve_package_keys_keyring(const VarvePackageKeys *keys)
{
	return keys->keyring;
}

void varve_package_keys_add_to(const VarvePackageKeys *keys, rpmKeyring keyring)
{
	for (guint i = 0; i < keys->keys->len; i++)
		rpmKeyringAddKey(keyring, g_ptr_array_index(keys->keys, i));
}

/* RFC 4880, 6.2. librpm decodes the armour of public keys only. The checksum guards against
 * accidents, and the signature against those too. (caller frees, nullable) */
static uint8_t *decode_armor(const char *text, size_t *ret_size)
{
	const char *start = strstr(text, SIGNATURE_MARK), *end;
	g_autoptr(GString) body = g_string_new(NULL);
	g_auto(GStrv) lines = NULL;
	gboolean in_headers = TRUE;

	end = start ? strstr(start, "-----END PGP SIGNATURE-----") : NULL;
	if (!end)
		return NULL;
	start += strlen(SIGNATURE_MARK);
	g_string_append_len(body, start, end - start);
	lines = g_strsplit(body->str, "\n", -1);
	g_string_truncate(body, 0);
	for (char **line = lines + 1; lines[0] && *line; line++) {
		g_strstrip(*line);
		if (in_headers)
			in_headers = **line != '\0';
		else if (**line == '=')
			break;
		else
			g_string_append(body, *line);
	}
	return g_base64_decode(body->str, ret_size);
}

/* The packets of a detached signature, armoured or not. */
static gboolean read_signature(const char *path, uint8_t **ret_packets, size_t *ret_size,
			       GError **error)
{
	g_autofree char *data = NULL;
	size_t size;

	if (!varve_file_read(AT_FDCWD, path, KEY_FILE_LIMIT, &data, &size, error))
		return FALSE;
	if (!strstr(data, "-----BEGIN PGP")) {
		*ret_packets = (uint8_t *)g_steal_pointer(&data);
		*ret_size = size;
		return TRUE;
	}
	*ret_packets = decode_armor(data, ret_size);
	if (!*ret_packets)
		return varve_fail(
			error, VARVE_ERROR_UNTRUSTED,
			"%s: is not an OpenPGP signature, so what it is for cannot be trusted",
			path);
	return TRUE;
}

gboolean varve_package_keys_check_detached(const VarvePackageKeys *keys, const char *data,
					   const char *signature, GError **error)
{
	g_autofree uint8_t *packets = NULL;
	g_autofree char *bytes = NULL, *id = NULL;
	g_autoptr(GString) said = g_string_new(NULL);
	pgpDigParams parameters = NULL;
	DIGEST_CTX digest;
	size_t size, length;
	rpmRC result;

	if (!varve_file_read(AT_FDCWD, data, 64u << 20, &bytes, &length, error) ||
	    !read_signature(signature, &packets, &size, error))
		return FALSE;
	varve_rpm_listen(said);
	if (pgpPrtParams(packets, size, PGPTAG_SIGNATURE, &parameters) != 0 || !parameters ||
	    pgpSignatureType(parameters) != PGPSIGTYPE_BINARY) {
		varve_rpm_listen(NULL);
		pgpDigParamsFree(parameters);
		return varve_fail(
			error, VARVE_ERROR_UNTRUSTED,
			"%s: is not one OpenPGP signature that librpm can read, so %s cannot be "
			"trusted",
			signature, data);
	}
	digest = rpmDigestInit((int)pgpDigParamsAlgo(parameters, PGPVAL_HASHALGO), RPMDIGEST_NONE);
	if (digest)
		rpmDigestUpdate(digest, bytes, length);
	result = digest ? rpmKeyringVerifySig(keys->keyring, parameters, digest) : RPMRC_FAIL;
	varve_rpm_listen(NULL);
	if (digest)
		rpmDigestFinal(digest, NULL, NULL, 0);
	id = varve_hex(pgpDigParamsSignID(parameters), PGP_KEYID_LEN);
	pgpDigParamsFree(parameters);
	if (result == RPMRC_OK)
		return TRUE;
	if (result == RPMRC_NOKEY)
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "%s: is signed by key %s, expected one of: %s", data, id,
				  varve_package_keys_describe(keys));
	return varve_fail(
		error, VARVE_ERROR_UNTRUSTED,
		"%s: does not match its signature by key %s: it was changed after it was signed, "
		"or the two are of different versions; keys tried: %s",
		data, id, varve_package_keys_describe(keys));
}
