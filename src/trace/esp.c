/* The ESP of a running node, mounted where nobody sees it (systemd's BOOT_LOADER_INTERFACE and UEFI
 * 2.10, 13.3, for what lies where). */
#include "base/error.h"
#include "base/file.h"
#include "ground/block.h"
#include "ground/fd.h"
#include "ground/mount.h"
#include "trace/boot.h"
#include "trace/mounts.h"

#include <string.h>
#include <sys/stat.h>

#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

static void read_directory(int fd, const char *directory, gboolean image, GPtrArray *files)
{
	varve_autofd dir = varve_dir_open_beneath(fd, directory, NULL);
	g_auto(GStrv) names = NULL;

	if (dir < 0 || !varve_dir_list(dir, ".", &names, NULL))
		return;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_strdup_printf("%s/%s", directory, *name);
		g_autofree char *lower = g_ascii_strdown(*name, -1);
		g_autoptr(GBytes) bytes = NULL;
		char *data;
		size_t size;

		if (!g_str_has_suffix(lower, ".efi") ||
		    !varve_file_read_beneath(dir, *name, VARVE_EFI_LIMIT, &data, &size, NULL))
			continue;
		bytes = g_bytes_new_take(data, size);
		g_ptr_array_add(files, varve_esp_file_new(path, image, bytes));
	}
}

GPtrArray *varve_esp_read(int fd)
{
	GPtrArray *files = g_ptr_array_new_with_free_func((GDestroyNotify)varve_esp_file_free);

	read_directory(fd, VARVE_ESP_IMAGES, TRUE, files);
	read_directory(fd, "EFI/BOOT", FALSE, files);
	read_directory(fd, "EFI/systemd", FALSE, files);
	return files;
}

static gboolean find_esp(const char *base, char ret_device[VARVE_DEVICE_PATH_SIZE], GError **error)
{
	char uuid[37], device[VARVE_DEVICE_PATH_SIZE];

	if (varve_uuid_from_hash(base, 0, uuid) < 0 || varve_block_find(uuid, device) != 1)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no partition of the base");
	if (varve_block_find_sibling(device, "esp", ret_device) != 1)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "the disk of %s has no partition called 'esp'", device);
	return TRUE;
}

/* Where somebody has mounted it already: writable, it cannot be mounted read-only a second time. */
static int open_mounted(const char *device)
{
	g_autoptr(GPtrArray) mounts = varve_mounts_read(NULL);
	struct stat st, root;

	if (!mounts || stat(device, &st) < 0)
		return -1;
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];
		varve_autofd fd = -1;

		if (mount->device != st.st_rdev || strcmp(mount->root, "/") != 0)
			continue;
		fd = open(mount->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		/* Something else may lie over it. */
		if (fd >= 0 && fstat(fd, &root) == 0 && root.st_dev == st.st_rdev)
			return varve_fd_steal(&fd);
	}
	return -1;
}

/* Detached: it is in no namespace, and gone with its fd. */
static int mount_esp(const char *device, GError **error)
{
	const VarveMountOption options[] = { { "source", device }, { "ro", NULL }, { NULL, NULL } };
	const unsigned attributes =
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	char log[512];
	int fd = varve_mount_make("vfat", options, attributes, log, sizeof(log));

	if (fd < 0)
		varve_fail_errno(error, errno, "the ESP %s cannot be mounted%s%s", device,
				 *log ? ": " : "", log);
	return fd;
}

static char *secure_boot(void)
{
	g_autofree char *data = NULL;
	size_t size;

	/* Four bytes of attributes, then the value (UEFI 2.10, 3.3). */
	if (!varve_file_read(AT_FDCWD, SECURE_BOOT, 64, &data, &size, NULL) || size != 5)
		return g_strdup("");
	return g_strdup(data[4] == 1 ? "on" : "off");
}

static VarveTraceBoot *read_esp(const char *base, const char *copy, GError **error)
{
	char device[VARVE_DEVICE_PATH_SIZE];
	g_autoptr(GPtrArray) files = NULL;
	varve_autofd fd = -1;

	if (!find_esp(base, device, error))
		return NULL;
	fd = open_mounted(device);
	if (fd < 0)
		fd = mount_esp(device, error);
	if (fd < 0)
		return NULL;
	files = varve_esp_read(fd);
	return varve_trace_boot_of(files, copy, device, error);
}

VarveTraceBoot *varve_trace_boot_node(const char *base, GError **error)
{
	g_autofree char *copy = NULL;
	g_autoptr(GError) local = NULL;
	VarveTraceBoot *boot;
	size_t size;

	if (!varve_file_read(AT_FDCWD, VARVE_BOOT_MANIFEST_COPY, VARVE_BOOT_MANIFEST_LIMIT, &copy,
			     &size, error)) {
		g_prefix_error(error, "the boot left no manifest: its initrd has none, or it was "
				      "not started by Varve: ");
		return NULL;
	}
	boot = read_esp(base, copy, &local);
	if (!boot) {
		boot = varve_trace_boot_new();
		boot->manifest =
			varve_boot_manifest_parse(copy, size, VARVE_BOOT_MANIFEST_COPY, error);
		if (!boot->manifest) {
			varve_trace_boot_free(boot);
			return NULL;
		}
		g_free(boot->basis);
		boot->basis = g_strdup_printf("as the boot left it; not compared with the image: "
					      "%s",
					      local->message);
		/* That the ESP cannot be asked is one thing; that what booted is not on it another.
		 */
		if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_CORRUPT))
			g_ptr_array_add(boot->problems, g_strdup(local->message));
	}
	g_free(boot->secure_boot);
	boot->secure_boot = secure_boot();
	return boot;
}
