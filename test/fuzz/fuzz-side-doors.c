/* Command lines: whatever stands there, what is found can be printed, and a word that is a side
 * door by itself is one behind anything that is whole. */
#include "stack/side-doors.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *longer = g_strconcat("init=/x ", text, NULL);
	g_autoptr(GPtrArray) doors = varve_side_doors_find(text);
	g_autoptr(GPtrArray) more = varve_side_doors_find(longer);

	for (guint i = 0; i < doors->len; i++) {
		const VarveSideDoor *door = doors->pdata[i];

		for (const char *c = door->word; *c; c++) {
			if (*c < ' ' || *c > '~')
				__builtin_trap();
		}
	}
	if (more->len != doors->len + 1)
		__builtin_trap();
	return 0;
}
