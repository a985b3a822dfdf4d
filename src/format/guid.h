/* GUIDs: their text form and the mixed-endian one of partition tables and UEFI variables (UEFI
 * 2.10, appendix A). */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct {
	uint8_t bytes[16]; /* in the order of the text form, not the mixed-endian one on disk */
} VarveGuid;

gboolean varve_guid_from_text(const char *text, VarveGuid *ret_guid);
void varve_guid_to_text(const VarveGuid *guid, char text[37]);

/** varve_guid_get, varve_guid_put: 16 bytes at @at, first three fields little-endian. */
VarveGuid varve_guid_get(const uint8_t *at);
void varve_guid_put(uint8_t *at, const VarveGuid *guid);
