/* The stacks that were: what is accepted is written the same way for ever. */
#include "stack/past.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarvePast) past = varve_past_parse((const char *)data, size, "input", NULL);
	g_autoptr(VarvePast) again = NULL;
	g_autofree char *text = NULL, *repeated = NULL;

	if (!past)
		return 0;
	text = varve_past_write(past);
	again = varve_past_parse(text, strlen(text), "again", NULL);
	if (!again)
		__builtin_trap();
	repeated = varve_past_write(again);
	if (strcmp(text, repeated) != 0)
		__builtin_trap();
	return 0;
}
