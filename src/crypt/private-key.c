/* Private keys: files that nobody else can read, and PKCS#11 tokens (RFC 7512 URIs) through
 * OpenSSL's provider for them, or the older engine where only that is installed. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the engine is deprecated, and all that Debian 12 has */
#include "crypt/openssl.h"

#include "ground/fd.h"

#include <fcntl.h>
#include <openssl/decoder.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/store.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_MAX (64 * 1024)

static gboolean read_secret(const char *path, char **ret_data, size_t *ret_size, GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	g_autofree char *data = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return varve_fail_errno(error, errno, "private key '%s'", path);
	if (fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "private key '%s': stat", path);
	if (!S_ISREG(st.st_mode))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "private key '%s': not a regular file", path);
	if (st.st_mode & 077)
		return varve_fail(
			error, VARVE_ERROR_REFUSED,
			"private key '%s': its mode is %04o, so others than its owner "
			"may use it; make it private with 'chmod 600', and make a new key "
			"if anyone could have read it",
			path, st.st_mode & 07777);
	if (st.st_size > KEY_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "private key '%s': %lld bytes, expected at most %d", path,
				  (long long)st.st_size, KEY_MAX);
	data = g_malloc((size_t)st.st_size + 1);
	n = varve_fd_read_full(fd, data, (size_t)st.st_size, 0);
	if (n < 0)
		return varve_fail_errno(error, errno, "private key '%s': read", path);
	data[n] = '\0';
	*ret_data = g_steal_pointer(&data);
	*ret_size = (size_t)n;
	return TRUE;
}

static EVP_PKEY *load_file(const char *path, GError **error)
{
	EVP_PKEY *pkey = NULL;
	g_autofree char *data = NULL;
	const unsigned char *at;
	OSSL_DECODER_CTX *decoder;
	gboolean encrypted;
	size_t size = 0, left;
	int result;

	if (!read_secret(path, &data, &size, error))
		return NULL;
	encrypted = strstr(data, "ENCRYPTED") != NULL;
	decoder = OSSL_DECODER_CTX_new_for_pkey(&pkey, NULL, NULL, NULL,
						OSSL_KEYMGMT_SELECT_PRIVATE_KEY, NULL, NULL);
	at = (const unsigned char *)data;
	left = size;
	/* An empty passphrase: without one OpenSSL would ask on the terminal. */
	result = decoder && !encrypted &&
		 OSSL_DECODER_CTX_set_passphrase(decoder, (const unsigned char *)"", 0) == 1 &&
		 OSSL_DECODER_from_data(decoder, &at, &left) == 1;
	OSSL_DECODER_CTX_free(decoder);
	OPENSSL_cleanse(data, size);
	if (result && pkey) {
		ERR_clear_error();
		return pkey;
	}
	EVP_PKEY_free(pkey);
	if (encrypted) {
		ERR_clear_error();
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "private key '%s': encrypted; give an unencrypted file of mode 0600, or "
			   "keep the key in a token and name it by a pkcs11: URI",
			   path);
	} else {
		varve_fail_openssl(error, VARVE_ERROR_CORRUPT,
				   "private key '%s': neither a PEM nor a DER private key", path);
	}
	return NULL;
}

static EVP_PKEY *load_from_provider(VarvePrivateKey *key, const char *uri)
{
	EVP_PKEY *pkey = NULL;
	OSSL_STORE_CTX *store;

	key->providers[0] = OSSL_PROVIDER_try_load(NULL, "pkcs11", 1);
	if (!key->providers[0])
		return NULL;
	/* Naming one provider ends the automatic loading of the default one. */
	key->providers[1] = OSSL_PROVIDER_try_load(NULL, "default", 1);
	store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
	while (store && !pkey && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			pkey = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	OSSL_STORE_close(store);
	return pkey;
}

/* Joins the parts of @list that are no PIN; the PIN goes to @pin (RFC 7512, 2.4). */
static char *take_pin(const char *list, const char *separator, char **pin)
{
	g_auto(GStrv) parts = g_strsplit(list, separator, -1);
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; parts[i]; i++) {
		if (g_str_has_prefix(parts[i], "pin-value=")) {
			g_free(*pin);
			*pin = g_uri_unescape_string(parts[i] + strlen("pin-value="), NULL);
			continue;
		}
		if (text->len > 0)
			g_string_append(text, separator);
		g_string_append(text, parts[i]);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The URI without its PIN, for messages: ours and those that the engine prints by itself. */
static char *split_pin(const char *uri, char **ret_pin)
{
	g_auto(GStrv) halves = g_strsplit(uri, "?", 2);
	g_autofree char *path = take_pin(halves[0], ";", ret_pin);
	g_autofree char *query = halves[1] ? take_pin(halves[1], "&", ret_pin) : NULL;

	return g_strconcat(path, query && *query ? "?" : NULL, query, NULL);
}

#ifndef OPENSSL_NO_ENGINE
static EVP_PKEY *load_from_engine(VarvePrivateKey *key, const char *pin)
{
	ENGINE *engine;

	ENGINE_load_dynamic();
	engine = ENGINE_by_id("pkcs11");
	if (!engine)
		return NULL;
	if (ENGINE_init(engine) != 1) {
		ENGINE_free(engine);
		return NULL;
	}
	key->engine = engine;
	if (pin && ENGINE_ctrl_cmd_string(engine, "PIN", pin, 0) != 1)
		return NULL;
	return ENGINE_load_private_key(engine, key->name, NULL, NULL);
}
#else
static EVP_PKEY *load_from_engine(VarvePrivateKey *key, const char *pin)
{
	(void)key;
	(void)pin;
	return NULL;
}
#endif

static EVP_PKEY *load_token(VarvePrivateKey *key, const char *uri, const char *pin, GError **error)
{
	EVP_PKEY *pkey = load_from_provider(key, uri);

	if (!pkey && !key->providers[0]) {
		ERR_clear_error();
		pkey = load_from_engine(key, pin);
	}
	if (pkey) {
		ERR_clear_error();
		return pkey;
	}
	if (!key->providers[0] && !key->engine) {
		ERR_clear_error();
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "private key '%s': OpenSSL has neither a provider nor an engine for "
			   "PKCS#11; install pkcs11-provider or libengine-pkcs11-openssl",
			   key->name);
	} else {
		varve_fail_openssl(error, VARVE_ERROR_NOT_FOUND,
				   "private key '%s': the token gives no such key (is the URI "
				   "right, and has it a pin-value or pin-source?)",
				   key->name);
	}
	return NULL;
}

VarvePrivateKey *varve_private_key_load(const char *where, GError **error)
{
	g_autoptr(VarvePrivateKey) key = g_new0(VarvePrivateKey, 1);

	if (g_str_has_prefix(where, "pkcs11:")) {
		g_autofree char *pin = NULL;

		key->name = split_pin(where, &pin);
		key->pkey = load_token(key, where, pin, error);
	} else {
		key->name = g_strdup(where);
		key->pkey = load_file(where, error);
	}
	return key->pkey ? g_steal_pointer(&key) : NULL;
}

gboolean varve_private_key_check(const VarvePrivateKey *key, const VarveCertificate *certificate,
				 GError **error)
{
	/* Not X509_check_private_key(): a token's key need not show the public half in a form that
	 * it can compare. */
	if (EVP_PKEY_eq(X509_get0_pubkey(certificate->x509), key->pkey) != 0) {
		ERR_clear_error();
		return TRUE;
	}
	return varve_fail(error, VARVE_ERROR_CONFLICT,
			  "private key '%s' is not the key of certificate '%s' (CN=%s); give the "
			  "two that were made together",
			  key->name, certificate->name, certificate->subject);
}

void varve_private_key_free(VarvePrivateKey *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
#ifndef OPENSSL_NO_ENGINE
	if (key->engine) {
		ENGINE_finish(key->engine);
		ENGINE_free(key->engine);
	}
#endif
	for (size_t i = 0; i < G_N_ELEMENTS(key->providers); i++) {
		if (key->providers[i])
			OSSL_PROVIDER_unload(key->providers[i]);
	}
	g_free(key->name);
	g_free(key);
}
