/* Two texts of any bytes, divided by the first NUL: what is written of them must be both. */
#include "component/line-diff.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The side that @sign takes away from: what is left of @diff without it. */
static GString *side(const GString *diff, char sign)
{
	GString *text = g_string_new(NULL);
	const char *at = diff->str, *end = diff->str + diff->len;
	char last = ' ';

	at = memchr(at, '\n', (gsize)(end - at));
	for (at++; at < end;) {
		const char *feed = memchr(at, '\n', (gsize)(end - at));

		if (*at == '\\') {
			if (last != sign)
				g_string_truncate(text, text->len - 1);
		} else if (*at != sign) {
			g_string_append_len(text, at + 1, feed - at);
		}
		last = *at;
		at = feed + 1;
	}
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *before = (const char *)data;
	const char *middle = size ? memchr(before, '\0', size) : NULL;
	gsize n = middle ? (gsize)(middle - before) : size;
	const char *after = middle ? middle + 1 : before + size;
	gsize m = size - n - (middle ? 1 : 0);
	g_autoptr(GString) diff = varve_line_diff(before, n, after, m, G_MAXUINT / 4);
	g_autoptr(GString) left = NULL, right = NULL;

	if (diff->len == 0) {
		if (n != m || memcmp(before, after, n) != 0)
			__builtin_trap();
		return 0;
	}
	left = side(diff, '+');
	right = side(diff, '-');
	if (left->len != n || memcmp(left->str, before, n) != 0 || right->len != m ||
	    memcmp(right->str, after, m) != 0)
		__builtin_trap();
	return 0;
}
