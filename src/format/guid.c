/* GUIDs (RFC 9562; UEFI 2.10, appendix A). */
#include "format/guid.h"

#include <stdio.h>
#include <string.h>

gboolean varve_guid_from_text(const char *text, VarveGuid *ret_guid)
{
	VarveGuid guid;
	size_t n = 0;

	if (strlen(text) != 36)
		return FALSE;
	for (size_t i = 0; i < 36;) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i++] != '-')
				return FALSE;
			continue;
		}
		if (!g_ascii_isxdigit(text[i]) || !g_ascii_isxdigit(text[i + 1]))
			return FALSE;
		guid.bytes[n++] = (uint8_t)(g_ascii_xdigit_value(text[i]) << 4 |
					    g_ascii_xdigit_value(text[i + 1]));
		i += 2;
	}
	*ret_guid = guid;
	return TRUE;
}

void varve_guid_to_text(const VarveGuid *guid, char text[37])
{
	const uint8_t *b = guid->bytes;

	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

/* The first three fields are little-endian there; its own inverse. */
static VarveGuid swap(const uint8_t *b)
{
	return (VarveGuid){ { b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10],
			      b[11], b[12], b[13], b[14], b[15] } };
}

VarveGuid varve_guid_get(const uint8_t *at)
{
	return swap(at);
}

void varve_guid_put(uint8_t *at, const VarveGuid *guid)
{
	VarveGuid swapped = swap(guid->bytes);

	memcpy(at, swapped.bytes, sizeof(swapped.bytes));
}
