/* Manifests: what is accepted is written the same way for ever. */
#include "format/manifest.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarveManifest) manifest =
		varve_manifest_parse((const char *)data, size, "input", NULL);
	g_autoptr(VarveManifest) again = NULL;
	g_autofree char *text = NULL, *second = NULL;

	if (!manifest)
		return 0;
	text = varve_manifest_write(manifest);
	again = varve_manifest_parse(text, strlen(text), "written", NULL);
	if (!again)
		__builtin_trap();
	second = varve_manifest_write(again);
	if (strcmp(text, second) != 0)
		__builtin_trap();
	return 0;
}
