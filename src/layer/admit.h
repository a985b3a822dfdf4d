/* Admitting: the platform's signature beside the layer key's, so that a kernel under Secure Boot
 * accepts the layer too (docs/formats.md, signature partition). */
#pragma once

#include "crypt/signature.h"

/**
 * varve_layer_admit:
 * Copies the sealed layer @path to @output with a platform signature over its root hash. Nothing
 * else changes, not even a place; one that is there is replaced. What the policy says of the layer
 * is the caller's to ask before.
 *
 * @root: (nullable) the root hash that the policy was asked about: no other is signed.
 * @output: may be @path. It appears under its name only when it is whole and on disk: a layer that
 * is being admitted is never seen with half a signature.
 *
 * Errors: those of varve_layer_open(), CONFLICT (key and certificate differ, or it is another layer
 * than @root), UNSUPPORTED (the
 * signature partition has no room: the layer was sealed without), SYSTEM.
 */
gboolean varve_layer_admit(const char *path, const VarveDigest *root, const VarvePrivateKey *key,
			   const VarveCertificate *certificate, const char *output, GError **error);
