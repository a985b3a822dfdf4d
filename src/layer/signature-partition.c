/* The signature partition's JSON, read and written. */
#include "layer/signature-partition.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

#define ROOT_HASH "rootHash"
#define SIGNATURE "signature"
#define FINGERPRINT "certificateFingerprint"
#define PLATFORM_SIGNATURE "platformSignature"
#define PLATFORM_FINGERPRINT "platformCertificateFingerprint"

void varve_signature_partition_clear(VarveSignaturePartition *partition)
{
	g_clear_pointer(&partition->signature, g_bytes_unref);
	g_clear_pointer(&partition->platform_signature, g_bytes_unref);
}

/* systemd's reader skips what is not base64; one text for one signature is enough for us. */
static GBytes *decode_base64(const char *text)
{
	gsize size;
	g_autofree guchar *bytes = g_base64_decode(text, &size);
	g_autofree char *again = g_base64_encode(bytes, size);

	if (size == 0 || strcmp(text, again) != 0)
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&bytes), size);
}

static gboolean check_keys(json_t *object, const char *what, GError **error)
{
	static const char *const known[] = {
		ROOT_HASH, SIGNATURE, FINGERPRINT, PLATFORM_SIGNATURE, PLATFORM_FINGERPRINT, NULL
	};
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		g_autofree char *shown = NULL;

		if (g_strv_contains(known, key))
			continue;
		shown = g_strescape(key, NULL);
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: unknown key '%s'", what, shown);
	}
	return TRUE;
}

static gboolean read_signature(const json_t *object, const char *key, const char *what,
			       GBytes **ret, GError **error)
{
	const char *text;

	if (!varve_json_get_string(object, key, what, &text, error))
		return FALSE;
	*ret = decode_base64(text);
	return *ret || varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' is not base64", what, key);
}

static gboolean read_digest(const json_t *object, const char *key, const char *what,
			    VarveDigest *ret, GError **error)
{
	const char *text;

	if (!varve_json_get_string(object, key, what, &text, error))
		return FALSE;
	return varve_digest_from_hex(text, ret) ||
	       varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' is not 64 lowercase hex digits",
			  what, key);
}

static gboolean read_platform(const json_t *object, const char *what,
			      VarveSignaturePartition *partition, GError **error)
{
	partition->has_platform_fingerprint = json_object_get(object, PLATFORM_FINGERPRINT) != NULL;
	if (!json_object_get(object, PLATFORM_SIGNATURE))
		return !partition->has_platform_fingerprint ||
		       varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '" PLATFORM_FINGERPRINT "' without '" PLATFORM_SIGNATURE "'",
				  what);
	return read_signature(object, PLATFORM_SIGNATURE, what, &partition->platform_signature,
			      error) &&
	       (!partition->has_platform_fingerprint ||
		read_digest(object, PLATFORM_FINGERPRINT, what, &partition->platform_fingerprint,
			    error));
}

static gboolean read_object(json_t *object, const char *what, VarveSignaturePartition *partition,
			    GError **error)
{
	partition->has_fingerprint = json_object_get(object, FINGERPRINT) != NULL;
	return check_keys(object, what, error) &&
	       read_digest(object, ROOT_HASH, what, &partition->root, error) &&
	       read_signature(object, SIGNATURE, what, &partition->signature, error) &&
	       (!partition->has_fingerprint ||
		read_digest(object, FINGERPRINT, what, &partition->fingerprint, error)) &&
	       read_platform(object, what, partition, error);
}

gboolean varve_signature_partition_parse(const char *text, gsize size, const char *what,
					 VarveSignaturePartition *ret, GError **error)
{
	g_auto(VarveSignaturePartition) partition = { 0 };
	g_autoptr(json_t) object = NULL;
	size_t length = strnlen(text, size);

	if (length == 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: empty, expected JSON with the root hash and its signature; "
				  "the layer was not sealed",
				  what);
	for (size_t i = length; i < size; i++) {
		if (text[i])
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: byte %zu follows the JSON and is not NUL", what, i);
	}
	object = varve_json_parse(text, length, what, error);
	if (!object || !read_object(object, what, &partition, error))
		return FALSE;
	*ret = partition;
	partition.signature = partition.platform_signature = NULL;
	return TRUE;
}

static void set_signature(json_t *object, const char *key, GBytes *signature)
{
	g_autofree char *base64 =
		g_base64_encode(g_bytes_get_data(signature, NULL), g_bytes_get_size(signature));

	json_object_set_new(object, key, json_string(base64));
}

static void set_digest(json_t *object, const char *key, const VarveDigest *digest)
{
	char hex[VARVE_DIGEST_HEX_SIZE];

	varve_digest_to_hex(digest, hex);
	json_object_set_new(object, key, json_string(hex));
}

GBytes *varve_signature_partition_write(const VarveSignaturePartition *partition, gsize size,
					GError **error)
{
	g_autoptr(json_t) object = json_object();
	g_autofree char *text = NULL;
	gsize length;
	char *padded;

	set_digest(object, ROOT_HASH, &partition->root);
	set_signature(object, SIGNATURE, partition->signature);
	if (partition->has_fingerprint)
		set_digest(object, FINGERPRINT, &partition->fingerprint);
	if (partition->platform_signature)
		set_signature(object, PLATFORM_SIGNATURE, partition->platform_signature);
	if (partition->platform_signature && partition->has_platform_fingerprint)
		set_digest(object, PLATFORM_FINGERPRINT, &partition->platform_fingerprint);
	text = varve_json_dump(object, TRUE);
	length = strlen(text);
	if (length > size) {
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "signature partition: %zu bytes are needed and it has %zu; seal the "
			   "layer again with 'varve layer seal'",
			   length, size);
		return NULL;
	}
	padded = g_malloc0(size);
	memcpy(padded, text, length);
	return g_bytes_new_take(padded, size);
}
