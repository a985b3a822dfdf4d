/* Cyclic redundancy checks, bit by bit: at most a few kilobytes are ever checked. */
#include "format/crc32.h"

static uint32_t reflected(uint32_t polynomial, uint32_t crc, const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		crc ^= at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? polynomial : 0);
	}
	return crc;
}

uint32_t varve_crc32(const void *data, size_t size)
{
	return ~reflected(0xedb88320, UINT32_MAX, data, size);
}

uint32_t varve_crc32c(uint32_t seed, const void *data, size_t size)
{
	return reflected(0x82f63b78, seed, data, size);
}
