/* What a node will say of layers, asked before they are shipped or admitted: the same policy, the
 * same rules, so that nothing leaves that would be refused. */
#pragma once

#include "base/error.h"
#include "crypt/signature.h"

/** VarveVerdict: what is judged. Zero-initialise, fill; nothing is owned. */
typedef struct {
	const char *base_root;    /* host directory with the base's policy and certificates */
	const char *base;         /* the sealed base */
	const char *const *files; /* NULL-terminated: sealed extensions, together on top of it */
	gboolean whole; /* hash every byte and compare every path: they were made elsewhere */
	gint64 today;   /* days since the epoch */
} VarveVerdict;

/**
 * varve_verdict:
 * @ret_roots: (nullable) room for one more than there are files: the root hash of each as it was
 * judged, and last the base's. Untouched on failure.
 *
 * Errors: REFUSED: the message lists every layer that a node would refuse, with code, sentence and
 * next step; those of varve_policy_load(); CORRUPT, UNTRUSTED: the base itself.
 */
gboolean varve_verdict(const VarveVerdict *verdict, VarveDigest *ret_roots, GError **error);

/**
 * varve_verdict_platform_key:
 * Whether @certificate may be the platform's on nodes that run this base: what signs layers must
 * never be able to sign a kernel, so none of the base's own certificates has its key.
 *
 * Errors: REFUSED; NOT_FOUND, CORRUPT (the base's certificates).
 */
gboolean varve_verdict_platform_key(const char *base_root, const VarveCertificate *certificate,
				    GError **error);
