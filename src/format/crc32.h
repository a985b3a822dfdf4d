/* The two 32-bit cyclic redundancy checks of our formats. For headers: plain, not fast. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** varve_crc32: of GPT and zlib (polynomial 0x04c11db7, reflected, inverted at both ends). */
uint32_t varve_crc32(const void *data, size_t size);

/** varve_crc32c: Castagnoli's, starting from @seed and not inverted at the end, as EROFS has it. */
uint32_t varve_crc32c(uint32_t seed, const void *data, size_t size);
