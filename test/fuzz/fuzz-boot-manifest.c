/* Boot manifests: what is accepted is written the same way for ever. */
#include "format/boot-manifest.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarveBootManifest) manifest =
		varve_boot_manifest_parse((const char *)data, size, "input", NULL);
	g_autoptr(VarveBootManifest) again = NULL;
	g_autofree char *text = NULL, *repeated = NULL;

	if (!manifest)
		return 0;
	text = varve_boot_manifest_write(manifest);
	again = varve_boot_manifest_parse(text, strlen(text), "again", NULL);
	if (!again)
		__builtin_trap();
	repeated = varve_boot_manifest_write(again);
	if (strcmp(text, repeated) != 0)
		__builtin_trap();
	return 0;
}
