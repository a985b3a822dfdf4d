/* dm-verity through libcryptsetup (Linux, admin-guide/device-mapper/verity). */
#include "device/verity-device.h"

#include "base/error.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <libdevmapper.h>
#include <string.h>
#include <sys/sysmacros.h>
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

/* What the kernel said of the signature. The library has one code of its own for most of it, and
 * that means "exists already"; device-mapper's own error is only in the words. */
static int refine(const VarveVerityDevice *device, int result, const GString *said)
{
	static const int about_keys[] = { ENOKEY,  EKEYREJECTED, EKEYEXPIRED, EKEYREVOKED,
					  EBADMSG, ENOPKG,       ELIBBAD };

	for (gsize i = 0; device->signature && i < G_N_ELEMENTS(about_keys); i++) {
		if (strstr(said->str, g_strerror(about_keys[i])))
			return -about_keys[i];
	}
	return result;
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
	result = refine(device, result, said);
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
	case ENOPKG:
	case ELIBBAD:
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "verity device '%s': the kernel does not accept the root hash's "
				  "signature (%s): it is by no certificate of its keyrings, or no "
				  "signature over this root hash",
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

/* Without a device of its own the library prints to standard error. */
static void be_quiet(int level, const char *message, void *data)
{
	(void)level;
	(void)message;
	(void)data;
}

gboolean varve_verity_device_close(const char *name, gboolean deferred, GError **error)
{
	int result;

	work_without_udev();
	crypt_set_log_callback(NULL, be_quiet, NULL);
	result = crypt_deactivate_by_name(NULL, name, deferred ? CRYPT_DEACTIVATE_DEFERRED : 0);
	if (result == 0)
		return TRUE;
	return varve_fail_errno(error, -result == ENODEV ? ENOENT : -result,
				"verity device '%s' cannot be removed", name);
}

gboolean varve_verity_table_root(const char *type, const char *parameters, VarveDigest *ret_root)
{
	/* version, data device, hash device, two block sizes, blocks, start of the tree, algorithm,
	 * root hash, salt, options. */
	enum { ALGORITHM = 7, ROOT, OPTIONS = 10 };
	g_auto(GStrv) words = NULL;
	VarveDigest root;

	if (!type || !parameters || strcmp(type, "verity") != 0)
		return FALSE;
	words = g_strsplit(parameters, " ", -1);
	if (g_strv_length(words) < OPTIONS || strcmp(words[ALGORITHM], "sha256") != 0 ||
	    !varve_digest_from_hex(words[ROOT], &root))
		return FALSE;
	for (char **word = words + OPTIONS; *word; word++) {
		if (strcmp(*word, "ignore_corruption") == 0 ||
		    strcmp(*word, "check_at_most_once") == 0)
			return FALSE;
	}
	*ret_root = root;
	return TRUE;
}

/* The library writes to standard error of its own accord. */
static void say_nothing(int level, const char *file, int line, int errnum, const char *format, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)errnum;
	(void)format;
}

typedef struct dm_task DmTask;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmTask, dm_task_destroy)

/* A task that the library does not print about, or NULL. */
static DmTask *task_new(int type, const char *name, GError **error)
{
	g_autoptr(DmTask) task = NULL;

	if (access("/dev/mapper/control", F_OK) < 0) {
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "there is no device-mapper on this machine");
		return NULL;
	}
	work_without_udev();
	dm_log_with_errno_init(say_nothing);
	task = dm_task_create(type);
	if (!task || (name && !dm_task_set_name(task, name))) {
		varve_fail(error, VARVE_ERROR_SYSTEM, "the device-mapper cannot be asked");
		return NULL;
	}
	return g_steal_pointer(&task);
}

/* What the kernel says when it is asked for the table: the only target's, if it checks. */
static gboolean table_root(DmTask *task, VarveDigest *ret_root)
{
	char *type = NULL, *parameters = NULL;
	guint64 start, length;
	void *next;

	if (!dm_task_no_open_count(task) || !dm_task_run(task))
		return FALSE;
	next = dm_get_next_target(task, NULL, &start, &length, &type, &parameters);
	return !next && start == 0 && varve_verity_table_root(type, parameters, ret_root);
}

gboolean varve_verity_device_root_named(const char *name, VarveDigest *ret_root, GError **error)
{
	g_autoptr(DmTask) task = task_new(DM_DEVICE_TABLE, name, error);

	if (!task)
		return FALSE;
	if (table_root(task, ret_root))
		return TRUE;
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "there is no device '%s' on which dm-verity checks every block", name);
}

gboolean varve_verity_device_keep(const char *name, const VarveDigest *root, GError **error)
{
	g_autoptr(DmTask) table = task_new(DM_DEVICE_TABLE, name, error);
	g_autoptr(DmTask) cancel = NULL, node = NULL;
	VarveDigest found;

	if (!table)
		return FALSE;
	if (!table_root(table, &found))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no device '%s' on which dm-verity checks every block",
				  name);
	if (!varve_digest_equal(&found, root))
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "device '%s' checks against another root hash than its layer's",
				  name);
	cancel = task_new(DM_DEVICE_TARGET_MSG, name, error);
	if (!cancel)
		return FALSE;
	if (!dm_task_set_sector(cancel, 0) ||
	    !dm_task_set_message(cancel, "@cancel_deferred_remove") || !dm_task_run(cancel))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "device '%s' went away", name);
	/* The library took its name away when the removal was asked for. */
	node = task_new(DM_DEVICE_MKNODES, name, error);
	if (!node)
		return FALSE;
	if (!dm_task_run(node))
		return varve_fail(error, VARVE_ERROR_SYSTEM, "/dev/mapper/%s cannot be made again",
				  name);
	dm_task_update_nodes();
	return TRUE;
}

char **varve_verity_device_list(const char *prefix, GError **error)
{
	g_autoptr(DmTask) task = task_new(DM_DEVICE_LIST, NULL, error);
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	struct dm_names *names;

	if (!task)
		return NULL;
	if (!dm_task_run(task) || !(names = dm_task_get_names(task))) {
		varve_fail(error, VARVE_ERROR_SYSTEM,
			   "the device-mapper does not list its devices; are you root?");
		return NULL;
	}
	/* A list in one buffer: each says how far the next is, the last one 0; none has no number.
	 */
	while (names->dev) {
		if (g_str_has_prefix(names->name, prefix))
			g_ptr_array_add(found, g_strdup(names->name));
		if (!names->next)
			break;
		names = (void *)((char *)names + names->next);
	}
	g_ptr_array_add(found, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&found), FALSE);
}

gboolean varve_verity_device_root(dev_t device, VarveDigest *ret_root, GError **error)
{
	g_autofree char *sysfs =
		g_strdup_printf("/sys/dev/block/%u:%u/dm", major(device), minor(device));
	g_autoptr(DmTask) task = NULL;

	if (access(sysfs, F_OK) < 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "device %u:%u is no device of the device-mapper", major(device),
				  minor(device));
	if (access("/dev/mapper/control", F_OK) == 0 &&
	    access("/dev/mapper/control", R_OK | W_OK) < 0)
		return varve_fail_errno(error, errno, "only root may ask the device-mapper");
	task = task_new(DM_DEVICE_TABLE, NULL, error);
	if (!task)
		return FALSE;
	if (dm_task_set_major(task, (int)major(device)) &&
	    dm_task_set_minor(task, (int)minor(device)) && table_root(task, ret_root))
		return TRUE;
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "device %u:%u is not one on which dm-verity checks every block",
			  major(device), minor(device));
}
