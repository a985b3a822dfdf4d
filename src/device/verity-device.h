/* dm-verity devices through libcryptsetup. The table is made of what the caller has verified in
 * memory, never of a superblock read again. */
#pragma once

#include "base/digest.h"

#include <sys/types.h>

/** What the device is made of. Paths are block devices; both may be the same. */
typedef struct {
	const char *name; /* of the device: /dev/mapper/NAME */
	const char *data_device;
	const char *hash_device;
	guint64 data_blocks; /* of 4096 bytes, from the start of @data_device */
	guint64 tree_offset; /* bytes: the first hash block, behind the superblock */
	VarveDigest root;
	GBytes *signature; /* (nullable) PKCS#7 for the kernel to check: kernel mode */
} VarveVerityDevice;

/**
 * varve_verity_device_open:
 * Activates it read-only. In kernel mode a signature that the kernel does not accept is UNTRUSTED:
 * the caller must not try again without it.
 *
 * Errors: UNSUPPORTED (no device-mapper), UNTRUSTED, CORRUPT (the tree's top does not match the
 * root), CONFLICT (the name is in use), SYSTEM.
 */
gboolean varve_verity_device_open(const VarveVerityDevice *device, GError **error);

/**
 * varve_verity_device_close:
 * @deferred: the kernel removes it when its last user is gone, by itself.
 *
 * Errors: NOT_FOUND, BUSY, SYSTEM.
 */
gboolean varve_verity_device_close(const char *name, gboolean deferred, GError **error);

/**
 * varve_verity_device_keep:
 * Takes a deferred removal of @name back, so that it can be mounted once more. Close it again, with
 * @deferred, when that is done.
 *
 * Errors: NOT_FOUND (it is gone), CONFLICT (it is no device that checks every block against @root),
 * SYSTEM.
 */
gboolean varve_verity_device_keep(const char *name, const VarveDigest *root, GError **error);

/** varve_verity_device_list: (caller frees with g_strfreev) the names of all devices of the
 *  device-mapper that begin with @prefix. Errors: UNSUPPORTED, SYSTEM. */
char **varve_verity_device_list(const char *prefix, GError **error);

/**
 * varve_verity_device_root:
 * Which root hash the kernel checks every block of @device against.
 *
 * @device: of a filesystem, as st_dev has it.
 *
 * Errors: NOT_FOUND (it is no dm-verity device, or one that hands out blocks that do not match),
 * UNSUPPORTED (no device-mapper), SYSTEM (root alone may ask).
 */
gboolean varve_verity_device_root(dev_t device, VarveDigest *ret_root, GError **error);

/** varve_verity_device_root_named: the same for the device called @name, which need have no node in
 *  /dev: a deferred removal takes that away at once. */
gboolean varve_verity_device_root_named(const char *name, VarveDigest *ret_root, GError **error);

/**
 * varve_verity_table_root: the root hash in the parameters of a device-mapper table's only target.
 * Returns: FALSE where the target does not check every block with SHA-256 (also with the options
 * that make it hand out what does not match).
 */
gboolean varve_verity_table_root(const char *type, const char *parameters, VarveDigest *ret_root);
