/* A lock of components that somebody edited: what is read is written so that it reads the same. */
#include "component/components-lock.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarveComponentsLock) lock =
		varve_components_lock_parse((const char *)data, size, "input", NULL);
	g_autoptr(VarveComponentsLock) again = NULL;
	g_autofree char *text = NULL, *second = NULL;

	if (!lock)
		return 0;
	text = varve_components_lock_print(lock);
	again = varve_components_lock_parse(text, strlen(text), "printed", NULL);
	if (!again)
		__builtin_trap();
	second = varve_components_lock_print(again);
	if (strcmp(text, second) != 0)
		__builtin_trap();
	return 0;
}
