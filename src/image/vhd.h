/* Fixed VHD images (Virtual Hard Disk Image Format Specification 1.0): raw bytes and one footer. */
#pragma once

#include <glib.h>
#include <stdint.h>

#define VARVE_VHD_FOOTER_SIZE 512

/**
 * varve_vhd_footer:
 * The footer of a fixed disk of @size bytes (a multiple of 512).
 *
 * @epoch: seconds since 1970; times before 2000 are written as 2000.
 * @id: 16 bytes.
 */
void varve_vhd_footer(guint64 size, gint64 epoch, const uint8_t id[16],
		      uint8_t footer[VARVE_VHD_FOOTER_SIZE]);
