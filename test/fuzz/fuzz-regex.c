/* Regular expressions of definitions, over texts of upstreams: the first line is the expression. */
#include "definition/regex.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	gsize pattern_size = end ? (gsize)(end - data) : size;
	g_autofree char *pattern = g_strndup((const char *)data, pattern_size);
	const char *text = (const char *)data + pattern_size + (end ? 1 : 0);
	gsize length = size - pattern_size - (end ? 1 : 0);
	g_autoptr(GString) replaced = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveRegex) regex = varve_regex_new(pattern, &error);
	guint n = 0;

	if (!regex != !!error)
		__builtin_trap();
	if (!regex || !varve_regex_replace(regex, text, length, "", replaced, &n, NULL))
		return 0;
	/* What was taken out was there; and the same asked again is the same. */
	if (replaced->len > length || n > length + 1 || (n == 0 && replaced->len != length))
		__builtin_trap();
	return 0;
}
