/* The code integrity policy of an edition (Linux, admin-guide/LSM/ipe), as the initrd carries it:
 * signed by the platform key, loaded by `varvectl boot`. */
#pragma once

#include "crypt/signature.h"
#include "definition/definition.h"

/** (static) "audit", "enforce"; "off". */
const char *varve_code_integrity_word(VarveCodeIntegrity integrity);

/** (static) The policy's text. One for all editions: whether it is enforced is said beside it. */
const char *varve_code_integrity_policy(void);

/**
 * varve_code_integrity_sign:
 * Returns: (caller unrefs) the policy inside a PKCS#7 by the platform key, as the kernel takes it.
 *
 * Errors: CONFLICT (key and certificate differ), SYSTEM.
 */
GBytes *varve_code_integrity_sign(const VarvePrivateKey *key, const VarveCertificate *certificate,
				  GError **error);
