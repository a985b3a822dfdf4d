/* Policies: hostile text is an error, never a crash; what is accepted can be asked. */
#include "policy/policy.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarvePolicy) policy = varve_policy_parse((const char *)data, size, "input", NULL);
	VarveTrusted signer = { .name = (char *)"layers.crt" };

	if (!policy)
		return 0;
	varve_policy_may_sign(policy, &signer, "ssh");
	/* Whoever may sign nothing may not sign anything: the default is to deny. */
	if (policy->allows->len == 0 && varve_policy_may_sign(policy, &signer, "ssh"))
		__builtin_trap();
	return 0;
}
