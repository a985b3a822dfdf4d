/* `sources` files of an upstream's repository: what is read is written so that it reads the same.
 */
#include "component/sources-file.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarveSourcesFile) sources =
		varve_sources_file_parse((const char *)data, size, "input", NULL);
	g_autoptr(VarveSourcesFile) again = NULL;
	g_autofree char *text = NULL, *second = NULL;

	if (!sources)
		return 0;
	text = varve_sources_file_print(sources);
	again = varve_sources_file_parse(text, strlen(text), "printed", NULL);
	if (!again)
		__builtin_trap();
	second = varve_sources_file_print(again);
	if (strcmp(text, second) != 0)
		__builtin_trap();
	return 0;
}
