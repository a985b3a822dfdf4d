/* Finding block devices by what sysfs says of them; no udev is needed. libc only. */
#pragma once

#include <stddef.h>

#define VARVE_DEVICE_PATH_SIZE 64

/**
 * varve_block_find:
 * Looks through /sys/class/block for the partition whose PARTUUID is @uuid (any case).
 *
 * @ret_device: "/dev/vda2"
 *
 * Returns: 1 found, 0 not there (yet), -1 with errno.
 */
int varve_block_find(const char *uuid, char ret_device[VARVE_DEVICE_PATH_SIZE]);

/**
 * varve_block_find_sibling:
 * The partition called @name (PARTNAME) on the disk that @device ("/dev/vda2") is a partition of.
 */
int varve_block_find_sibling(const char *device, const char *name,
			     char ret_device[VARVE_DEVICE_PATH_SIZE]);

/** varve_block_name: PARTNAME of the partition @device. Returns 0, or -1 with errno. */
int varve_block_name(const char *device, char *ret_name, size_t size);

/** varve_block_list: writes "vda, vda1 (esp, PARTUUID)", …: for messages; "none" where there is
 * none. */
void varve_block_list(char *ret_text, size_t size);

/**
 * varve_uuid_from_hash:
 * The PARTUUID text of 128 bits of a root hash (Discoverable Partitions Specification): the first
 * where @half is 0, the last where it is 1.
 *
 * @hex: 64 hex digits. Returns 0, or -1 with EINVAL.
 */
int varve_uuid_from_hash(const char *hex, int half, char ret_uuid[37]);
