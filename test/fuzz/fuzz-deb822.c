/* Control files and package indexes from anywhere; and copyright files, which have their syntax. */
#include "package/deb822.h"
#include "package/debian-license.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) paragraphs =
		varve_deb822_parse((const char *)data, size, "input", NULL);
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *license = varve_debian_license(text);

	if (!*license)
		__builtin_trap();
	for (guint i = 0; paragraphs && i < paragraphs->len; i++)
		varve_paragraph_get(g_ptr_array_index(paragraphs, i), "Package");
	return 0;
}
