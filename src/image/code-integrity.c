/* The text of the policy. */
#include "image/code-integrity.h"

#include <string.h>

/* The initramfs is not among what may be executed: the policy is activated when all that runs from
 * there has been started. It stays below the root for ever, writable for who gets there, and the
 * kernel would go on taking what is in it for verified. */
static const char policy[] = "policy_name=varve policy_version=1.0.0\n"
			     "DEFAULT action=ALLOW\n"
			     "DEFAULT op=EXECUTE action=DENY\n"
			     "op=EXECUTE dmverity_signature=TRUE action=ALLOW\n";

const char *varve_code_integrity_word(VarveCodeIntegrity integrity)
{
	static const char *const words[] = { "off", "audit", "enforce" };

	return words[integrity];
}

const char *varve_code_integrity_policy(void)
{
	return policy;
}

GBytes *varve_code_integrity_sign(const VarvePrivateKey *key, const VarveCertificate *certificate,
				  GError **error)
{
	return varve_signature_make_around(key, certificate, policy, strlen(policy), error);
}
