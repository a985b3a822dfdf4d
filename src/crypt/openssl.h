/* What the files of crypt/ share of OpenSSL; nobody outside includes it. */
#pragma once

#include "base/error.h"
#include "crypt/signature.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

struct VarveCertificate {
	X509 *x509;
	char *name; /* for messages: where it came from */
	char *subject;
	VarveDigest fingerprint;
};

struct VarvePrivateKey {
	EVP_PKEY *pkey;
	char *name;
	OSSL_PROVIDER *providers[2]; /* kept loaded as long as the key lives; NULL for files */
	void *engine;                /* ENGINE *, or NULL */
};

/* The mark of development certificates: an arc of ours below {joint-iso-itu-t(2) uuid(25)}
 * (Rec. ITU-T X.667), a non-critical extension whose value is a UTF8String for people. */
#define VARVE_OID_DEVELOPMENT "2.25.305074742408587220309061437389024961667"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_OBJECT, ASN1_OBJECT_free)

/**
 * varve_fail_openssl: varve_fail() with ": " and the newest reason of OpenSSL's queue appended;
 * the queue is emptied.
 */
gboolean varve_fail_openssl(GError **error, VarveError code, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/** varve_private_key_check: CONFLICT where @key is not @certificate's. A token's key that does not
 *  show its public half passes: what it signs tells. */
gboolean varve_private_key_check(const VarvePrivateKey *key, const VarveCertificate *certificate,
				 GError **error);
