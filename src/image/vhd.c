/* The footer of fixed VHD images. */
#include "image/vhd.h"

#include <string.h>

#define EPOCH_2000 946684800
#define SECTOR 512

/* Offsets in the footer; all numbers are big-endian. */
enum {
	COOKIE = 0,
	FEATURES = 8,
	FORMAT_VERSION = 12,
	DATA_OFFSET = 16,
	TIME = 24,
	CREATOR = 28,
	CREATOR_VERSION = 32,
	CREATOR_HOST = 36,
	ORIGINAL_SIZE = 40,
	CURRENT_SIZE = 48,
	GEOMETRY = 56,
	TYPE = 60,
	CHECKSUM = 64,
	ID = 68,
};

static void put32(uint8_t *at, guint32 value)
{
	value = GUINT32_TO_BE(value);
	memcpy(at, &value, sizeof(value));
}

static void put64(uint8_t *at, guint64 value)
{
	value = GUINT64_TO_BE(value);
	memcpy(at, &value, sizeof(value));
}

/* The specification's appendix "CHS Calculation". */
static void put_geometry(uint8_t *at, guint64 size)
{
	guint64 sectors = MIN(size / SECTOR, (guint64)65535 * 16 * 255);
	guint64 per_track = 255, heads = 16, cylinders_heads = sectors / per_track;

	if (sectors < (guint64)65535 * 16 * 63) {
		per_track = 17;
		cylinders_heads = sectors / per_track;
		heads = MAX((cylinders_heads + 1023) / 1024, 4);
		if (cylinders_heads >= heads * 1024 || heads > 16) {
			per_track = 31;
			heads = 16;
			cylinders_heads = sectors / per_track;
		}
		if (cylinders_heads >= heads * 1024) {
			per_track = 63;
			cylinders_heads = sectors / per_track;
		}
	}
	at[0] = (uint8_t)(cylinders_heads / heads >> 8);
	at[1] = (uint8_t)(cylinders_heads / heads);
	at[2] = (uint8_t)heads;
	at[3] = (uint8_t)per_track;
}

void varve_vhd_footer(guint64 size, gint64 epoch, const uint8_t id[16],
		      uint8_t footer[VARVE_VHD_FOOTER_SIZE])
{
	guint32 sum = 0;

	memset(footer, 0, VARVE_VHD_FOOTER_SIZE);
	memcpy(footer + COOKIE, "conectix", 8);
	put32(footer + FEATURES, 2);
	put32(footer + FORMAT_VERSION, 0x00010000);
	put64(footer + DATA_OFFSET, G_MAXUINT64);
	put32(footer + TIME, epoch > EPOCH_2000 ? (guint32)(epoch - EPOCH_2000) : 0);
	/* Readers take the size from CURRENT_SIZE and not from the geometry, which cannot express
	 * it, only for creators that they know: "win " is one. */
	memcpy(footer + CREATOR, "win ", 4);
	put32(footer + CREATOR_VERSION, 0x000a0000);
	memcpy(footer + CREATOR_HOST, "Wi2k", 4);
	put64(footer + ORIGINAL_SIZE, size);
	put64(footer + CURRENT_SIZE, size);
	put_geometry(footer + GEOMETRY, size);
	put32(footer + TYPE, 2);
	memcpy(footer + ID, id, 16);
	for (gsize i = 0; i < VARVE_VHD_FOOTER_SIZE; i++)
		sum += footer[i];
	put32(footer + CHECKSUM, ~sum);
}
