/* The signature partition: JSON with the root hash and who signed it. systemd's document, and two
 * members of ours for the platform's signature (docs/formats.md). */
#pragma once

#include "base/digest.h"

/* What a sealed layer has: room for a second signature, so that admitting it moves nothing. */
#define VARVE_SIGNATURE_PARTITION_SIZE ((gsize)16 * 1024)

/** What is in it. Claims: nothing here was verified. */
typedef struct {
	VarveDigest root;
	GBytes *signature;        /* PKCS#7 over the root hash's 64 digits, by a layer key */
	gboolean has_fingerprint; /* of the certificate: optional, but right where it is given */
	VarveDigest fingerprint;
	GBytes *platform_signature;        /* (nullable) the same by the platform key */
	gboolean has_platform_fingerprint; /* only where there is a platform signature */
	VarveDigest platform_fingerprint;
} VarveSignaturePartition;

void varve_signature_partition_clear(VarveSignaturePartition *partition);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveSignaturePartition, varve_signature_partition_clear)

/**
 * varve_signature_partition_parse:
 * The partition lies outside every signature, so everything in it is either understood or refused:
 * an unknown key, a byte behind the JSON that is not NUL, base64 in another spelling.
 *
 * @text: the whole partition.
 * @what: for messages.
 * @ret: cleared by the caller; untouched on failure.
 *
 * Errors: CORRUPT.
 */
gboolean varve_signature_partition_parse(const char *text, gsize size, const char *what,
					 VarveSignaturePartition *ret, GError **error);

/**
 * varve_signature_partition_write:
 * Returns: (caller unrefs) @size bytes: the JSON and NULs.
 *
 * Errors: UNSUPPORTED (it does not fit into @size).
 */
GBytes *varve_signature_partition_write(const VarveSignaturePartition *partition, gsize size,
					GError **error);
