/* Versions and capabilities: "A\nB". Orders must hold both ways, and everything equals itself. */
#include "format/version.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int (*Compare)(const char *a, const char *b);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const Compare compares[] = { varve_rpm_version_compare, varve_rpm_evr_compare,
					    varve_version_compare };
	g_autofree char *text = g_strndup((const char *)data, size);
	char *second = strchr(text, '\n');

	if (!second)
		return 0;
	*second++ = '\0';
	for (size_t i = 0; i < G_N_ELEMENTS(compares); i++) {
		int order = compares[i](text, second);

		if (order < -1 || order > 1 || compares[i](second, text) != -order ||
		    compares[i](text, text) != 0)
			__builtin_trap();
	}
	varve_capability_satisfies(text, second);
	return 0;
}
