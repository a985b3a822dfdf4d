/* dm-verity through libcryptsetup (Linux, admin-guide/device-mapper/verity). */
#include "device/verity-device.h"

#include "base/error.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <libdevmapper.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 4096

typedef struct crypt_device CryptDevice;

static void crypt_device_clear(CryptDevice *device)
{
	crypt_free(device);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CryptDevice, crypt_device_clear)

/* The library tells its reasons line by line; the errno alone says little. */
static void collect(int level, const char *message, void *data)
{
	GString *said = data;

	if (level != CRYPT_LOG_ERROR)
		return;
	if (said->len > 0)
		g_string_append(said, "; ");
	g_string_append(said, message);
	while (said->len > 0 &&
	       (said->str[said->len - 1] == '\n' || said->str[said->len - 1] == '.'))
		g_string_truncate(said, said->len - 1);
}

/* The library would wait for udev rules that a base need not have, for ever; without udev it makes
 * the node below /dev/mapper itself. */
static void work_without_udev(void)
{
	dm_udev_set_sync_support(0);
	dm_udev_set_checking(0);
}

static gboolean fail(const VarveVerityDevice *device, int result, const GString *said,
		     GError **error)
{
	const char *detail = said->len > 0 ? said->str : g_strerror(-result);

	if (access("/dev/mapper/control", F_OK) < 0)
		return varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"verity device '%s': the kernel has no device-mapper; the modules "
			"dm-mod and dm-verity belong into the initrd",
			device->name);
	switch (-result) {
	case EEXIST:
	case EBUSY:
		return varve_fail(
			error, VARVE_ERROR_CONFLICT,
			"verity device '%s' exists already, or its partition is in use: %s",
			device->name, detail);
	case ENOKEY:
	case EKEYREJECTED:
	case EKEYEXPIRED:
	case EKEYREVOKED:
	case EBADMSG:
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "verity device '%s': the kernel does not accept the root hash's "
				  "signature (%s): no certificate in its keyrings made it",
				  device->name, g_strerror(-result));
	case EPERM:
	case EIO:
		return varve_fail(
			error, VARVE_ERROR_CORRUPT,
			"verity device '%s': the hash tree does not lead to the root hash: %s",
			device->name, detail);
	default:
		return varve_fail(error, VARVE_ERROR_SYSTEM, "verity device '%s': %s", device->name,
				  detail);
	}
}

static int activate(CryptDevice *crypt, const VarveVerityDevice *device)
{
	const char *root = (const char *)device->root.bytes;
	gsize size = 0;
	const char *signature = NULL;

	if (!device->signature)
		return crypt_activate_by_volume_key(crypt, device->name, root, VARVE_DIGEST_SIZE,
						    CRYPT_ACTIVATE_READONLY);
	signature = g_bytes_get_data(device->signature, &size);
	return crypt_activate_by_signed_key(crypt, device->name, root, VARVE_DIGEST_SIZE, signature,
					    size, CRYPT_ACTIVATE_READONLY);
}

gboolean varve_verity_device_open(const VarveVerityDevice *device, GError **error)
{
	struct crypt_params_verity parameters = {
		.hash_name = "sha256",
		.data_device = device->data_device,
		.hash_device = device->hash_device,
		.salt = "",
		.salt_size = 0,
		.hash_type = 1,
		.data_block_size = BLOCK,
		.hash_block_size = BLOCK,
		.data_size = device->data_blocks,
		.hash_area_offset = device->tree_offset,
		/* All that a superblock would say is said here. */
		.flags = CRYPT_VERITY_NO_HEADER,
	};
	g_autoptr(GString) said = g_string_new(NULL);
	g_autoptr(CryptDevice) crypt = NULL;
	int result;

	work_without_udev();
	result = crypt_init(&crypt, device->hash_device);
	if (result < 0)
		return fail(device, result, said, error);
	crypt_set_log_callback(crypt, collect, said);
	result = crypt_format(crypt, CRYPT_VERITY, NULL, NULL, NULL, NULL, 0, &parameters);
	if (result >= 0)
		result = activate(crypt, device);
	if (result < 0)
		return fail(device, result, said, error);
	return TRUE;
}

gboolean varve_verity_device_close(const char *name, gboolean deferred, GError **error)
{
	int result;

	work_without_udev();
	result = crypt_deactivate_by_name(NULL, name, deferred ? CRYPT_DEACTIVATE_DEFERRED : 0);
	if (result == 0)
		return TRUE;
	return varve_fail_errno(error, -result == ENODEV ? ENOENT : -result,
				"verity device '%s' cannot be removed", name);
}
