/* Records of floors: hostile text is an error, never a crash; what is accepted is written the same
 * way for ever, and makes a policy stricter only. */
#include "stack/record.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarveRecord) record = varve_record_parse((const char *)data, size, "input", NULL);
	g_autoptr(VarveRecord) again = NULL;
	g_autoptr(VarvePolicy) policy = NULL;
	g_autofree char *text = NULL, *repeated = NULL;

	if (!record)
		return 0;
	text = varve_record_write(record, NULL);
	again = varve_record_parse(text, strlen(text), "again", NULL);
	if (!again)
		__builtin_trap();
	repeated = varve_record_write(again, NULL);
	if (strcmp(text, repeated) != 0 || varve_record_raise(record, again))
		__builtin_trap();
	policy = varve_record_policy(record);
	if (policy->allows->len != 0 || policy->trusted->len != 0)
		__builtin_trap();
	return 0;
}
