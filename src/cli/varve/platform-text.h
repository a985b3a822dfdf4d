/* How the verbs of layers tell of the platform's signature. */
#pragma once

#include "base/json.h"
#include "layer/layer.h"

/**
 * varve_platform_find:
 * Who of @certificates (nullable) admitted @layer.
 *
 * @ret_signer: (borrowed) NULL where it is not admitted, or by somebody else.
 *
 * Errors: CORRUPT: what is there is no signature, or not by whom it names.
 */
gboolean varve_platform_find(const VarveLayer *layer, const GPtrArray *certificates,
			     const VarveCertificate **ret_signer, GError **error);

/** (caller frees) "not admitted", "admitted by platform.crt (development key)", "admitted, by none
 *  of these certificates". */
char *varve_platform_text(const VarveLayer *layer, const VarveCertificate *signer);

/** (caller owns) null, or an object: the fingerprint that is named, and the signer where known. */
json_t *varve_platform_json(const VarveLayer *layer, const VarveCertificate *signer);
