/* GUID partition tables (UEFI 2.10, 5.3), read from hostile files and written byte for byte. */
#pragma once

#include "format/guid.h"

#define VARVE_GPT_NAME_MAX 36 /* UTF-16 units; we write and accept ASCII only */

#define VARVE_GPT_ATTRIBUTE_GROW (UINT64_C(1) << 59)
#define VARVE_GPT_ATTRIBUTE_READ_ONLY (UINT64_C(1) << 60)
#define VARVE_GPT_ATTRIBUTE_NO_AUTO (UINT64_C(1) << 63)

typedef struct {
	VarveGuid type;
	VarveGuid id;
	uint64_t offset; /* bytes */
	uint64_t size;   /* bytes */
	uint64_t attributes;
	char name[VARVE_GPT_NAME_MAX + 1];
} VarveGptPartition;

typedef struct {
	uint32_t sector_size; /* 512 or 4096 */
	VarveGuid disk_id;
	uint64_t disk_size;      /* bytes */
	gboolean backup_differs; /* read only: the table at the end is missing or another */
	guint n_partitions;
	VarveGptPartition partitions[128];
} VarveGpt;

/**
 * varve_gpt_read:
 * Reads and checks the primary table of @fd: both CRCs, every partition inside the file and the
 * usable area, no two overlapping. The backup is consulted only to say whether it differs.
 *
 * @ret_gpt: (caller frees with g_free)
 * Errors: CORRUPT with the field that is wrong, SYSTEM.
 */
gboolean varve_gpt_read(int fd, VarveGpt **ret_gpt, GError **error);

/**
 * varve_gpt_write:
 * Writes protective MBR, primary and backup table for @gpt into @fd; the file must already have
 * disk_size bytes. Offsets and sizes must be multiples of the sector size and not overlap.
 */
gboolean varve_gpt_write(int fd, const VarveGpt *gpt, GError **error);

/** varve_gpt_find: (borrowed, nullable) the first partition of @type. */
const VarveGptPartition *varve_gpt_find(const VarveGpt *gpt, const VarveGuid *type);

/** Where the first partition may start and what follows the last (bytes), for @sector_size. */
#define VARVE_GPT_FIRST_OFFSET (1024 * 1024)
uint64_t varve_gpt_tail_size(uint32_t sector_size);
