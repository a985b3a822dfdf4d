/* A node's own policy files: hostile text is an error, never a crash; whatever is accepted leaves
 * no policy looser than it was. */
#include "policy/tighten.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char base_text[] = "[[allow]]\ncertificate = \"a.crt\"\nlayers = [\"a\"]\n"
				"roles = [\"extension\"]\npaths = [\"/usr/**\"]\n"
				"[rollback-floors]\na = 7\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarvePolicy) base =
		varve_policy_parse(base_text, strlen(base_text), "base", NULL);
	g_autoptr(GPtrArray) idle = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(VarvePolicy) local =
		varve_tighten_parse((const char *)data, size, "input", base, idle, NULL);
	const VarveFloor *floor;

	if (!local)
		return 0;
	varve_policy_tighten(base, local);
	floor = g_hash_table_lookup(base->floors, "a");
	if (base->allows->len != 1 || base->check == VARVE_CHECK_NEVER || !base->refuse_ended ||
	    floor->index < 7)
		__builtin_trap();
	return 0;
}
