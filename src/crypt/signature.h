/* X.509 certificates, private keys (files or PKCS#11 URIs), and detached PKCS#7 signatures in the
 * form that the kernel's dm-verity, systemd-dissect and veritysetup accept (facts: DER, detached,
 * binary, no signed attributes, no certificates inside). */
#pragma once

#include "base/digest.h"

#include <glib.h>

typedef struct VarveCertificate VarveCertificate;
typedef struct VarvePrivateKey VarvePrivateKey;

/**
 * varve_certificate_load: reads one PEM or DER certificate from @path; more than one is an error.
 * varve_certificate_parse: the same from memory; @name is for messages.
 * Errors: NOT_FOUND, CORRUPT.
 */
VarveCertificate *varve_certificate_load(const char *path, GError **error);
VarveCertificate *varve_certificate_parse(const void *data, size_t size, const char *name,
					  GError **error);
void varve_certificate_free(VarveCertificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveCertificate, varve_certificate_free)

/**
 * varve_certificates_load_dir:
 * All files *.crt of the directory @path (relative to @dirfd), sorted by name.
 *
 * Returns: (caller unrefs) VarveCertificate *, owned by the array; varve_certificate_name() is the
 * file's name. Errors: NOT_FOUND (no such directory, or none in it), CORRUPT.
 */
GPtrArray *varve_certificates_load_dir(int dirfd, const char *path, GError **error);

/** What the certificate is called in messages: its path or the name given. */
const char *varve_certificate_name(const VarveCertificate *certificate);
/** SHA-256 of the DER certificate. */
const VarveDigest *varve_certificate_fingerprint(const VarveCertificate *certificate);
/** SHA-256 of its public key (SubjectPublicKeyInfo, DER), which other certificates may share. */
void varve_certificate_key_digest(const VarveCertificate *certificate, VarveDigest *ret_digest);
/** The subject's common name, printable characters only; "" where there is none. */
const char *varve_certificate_subject(const VarveCertificate *certificate);
/** Seconds since the epoch of notBefore and notAfter. */
void varve_certificate_validity(const VarveCertificate *certificate, gint64 *ret_from,
				gint64 *ret_to);
/** Whether both have the same public key, whatever else they say. */
gboolean varve_certificate_same_key(const VarveCertificate *a, const VarveCertificate *b);
/** Whether `varve keys init` marked it as a development certificate (an extension of ours). */
gboolean varve_certificate_is_development(const VarveCertificate *certificate);
/** (caller frees) the certificate as PEM. */
char *varve_certificate_to_pem(const VarveCertificate *certificate);
/** (caller unrefs) the certificate as DER: the bytes that its fingerprint is of. */
GBytes *varve_certificate_to_der(const VarveCertificate *certificate);

/**
 * varve_private_key_load:
 * @where: a file (PEM or DER, unencrypted; refused when group or others can read it), or a
 * `pkcs11:` URI, opened through OpenSSL's provider or engine for PKCS#11.
 */
VarvePrivateKey *varve_private_key_load(const char *where, GError **error);
void varve_private_key_free(VarvePrivateKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePrivateKey, varve_private_key_free)

/**
 * varve_signature_make:
 * Signs @size bytes: PKCS#7 SignedData, DER, detached, SHA-256, no attributes, no certificates.
 *
 * Errors: CONFLICT where @key is not the certificate's, SYSTEM.
 */
GBytes *varve_signature_make(const VarvePrivateKey *key, const VarveCertificate *certificate,
			     const void *data, size_t size, GError **error);

/**
 * varve_signature_make_around:
 * The same with the data inside, as the kernel takes policies (IPE).
 */
GBytes *varve_signature_make_around(const VarvePrivateKey *key, const VarveCertificate *certificate,
				    const void *data, size_t size, GError **error);

/**
 * varve_signature_verify:
 * Looks for the one of @certificates (an array of VarveCertificate *) whose key made @signature
 * over the data. The certificates are pinned: no chain is built; validity dates are not consulted
 * (a node's clock may be wrong; revocation is by list and by rollback index).
 *
 * @ret_signer: (borrowed from @certificates)
 *
 * Errors: CORRUPT (not a PKCS#7 of this form), UNTRUSTED (none of them, or altered data).
 */
gboolean varve_signature_verify(const GPtrArray *certificates, const void *data, size_t size,
				const void *signature, size_t signature_size,
				const VarveCertificate **ret_signer, GError **error);
