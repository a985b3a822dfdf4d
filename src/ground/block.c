/* Partitions by PARTNAME, from /sys/class/block/NAME/uevent, and by PARTUUID, which Linux 6.12 does
 * not show there: it is read from the disk's GPT (UEFI 2.10, 5.3). Only a way to find a device:
 * what is on it is verified by its root hash. */
#include "ground/block.h"

#include "ground/fd.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

#define CLASS "/sys/class/block"

/* The value of @key in the uevent file of block device @name; 1 found, 0 not. */
static int uevent_value(const char *name, const char *key, char *ret, size_t size)
{
	char path[PATH_MAX], line[256];
	size_t key_length = strlen(key);
	int found = 0;
	FILE *file;

	if ((size_t)snprintf(path, sizeof(path), CLASS "/%s/uevent", name) >= sizeof(path))
		return 0;
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, key_length) != 0 || line[key_length] != '=')
			continue;
		found = (size_t)snprintf(ret, size, "%s", line + key_length + 1) < size;
	}
	fclose(file);
	return found;
}

/* /sys/class/block/vda2 → the directory of its disk, resolved, or "". */
static void disk_of(const char *name, char ret[PATH_MAX])
{
	char path[PATH_MAX];
	char *slash;

	ret[0] = '\0';
	if ((size_t)snprintf(path, sizeof(path), CLASS "/%s", name) >= sizeof(path))
		return;
	if (!realpath(path, ret)) {
		ret[0] = '\0';
		return;
	}
	slash = strrchr(ret, '/');
	if (slash)
		*slash = '\0';
}

static uint64_t little_endian(const uint8_t *p, int bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | p[bytes];
	return value;
}

/* The GUID at @p, whose first three fields are little-endian on disk, as text. */
static void guid_text(const uint8_t *p, char ret_uuid[37])
{
	snprintf(ret_uuid, 37, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 (unsigned)little_endian(p, 4), (unsigned)little_endian(p + 4, 2),
		 (unsigned)little_endian(p + 6, 2), p[8], p[9], p[10], p[11], p[12], p[13], p[14],
		 p[15]);
}

/* The unique id of entry @number (from 1) in the primary GPT of @disk; 1 found, 0 not. */
static int gpt_uuid(const char *disk, unsigned number, char ret_uuid[37])
{
	uint8_t header[512], entry[128];
	char path[VARVE_DEVICE_PATH_SIZE];
	uint64_t table, count, size;
	varve_autofd fd = -1;
	int sector = 512;

	snprintf(path, sizeof(path), "/dev/%.56s", disk);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ioctl(fd, BLKSSZGET, &sector);
	if (varve_fd_read_full(fd, header, sizeof(header), sector) != sizeof(header) ||
	    memcmp(header, "EFI PART", 8) != 0)
		return 0;
	table = little_endian(header + 72, 8);
	count = little_endian(header + 80, 4);
	size = little_endian(header + 84, 4);
	if (number < 1 || number > count || size < sizeof(entry) || size > 4096 ||
	    table > INT64_MAX / 4096 - 4096)
		return 0;
	if (varve_fd_read_full(fd, entry, sizeof(entry),
			       (off_t)(table * (uint64_t)sector + (number - 1) * size)) !=
	    sizeof(entry))
		return 0;
	guid_text(entry + 16, ret_uuid);
	return 1;
}

/* PARTUUID of the block device @name; 0 where it is no partition of a GPT. */
static int partition_uuid(const char *name, char ret_uuid[37])
{
	char disk[PATH_MAX], number[16];
	const char *slash;

	/* Only a partition has a number in its uevent. */
	if (!uevent_value(name, "PARTN", number, sizeof(number)))
		return 0;
	disk_of(name, disk);
	slash = strrchr(disk, '/');
	return slash && gpt_uuid(slash + 1, (unsigned)strtoul(number, NULL, 10), ret_uuid);
}

static int matches(const char *device, const char *uuid, const char *partition_name)
{
	char text[256];

	if (uuid)
		return partition_uuid(device, text) && strcasecmp(text, uuid) == 0;
	return uevent_value(device, "PARTNAME", text, sizeof(text)) &&
	       strcmp(text, partition_name) == 0;
}

/* By @uuid, or by @partition_name where that is NULL. */
static int find(const char *uuid, const char *partition_name, const char *disk,
		char ret_device[VARVE_DEVICE_PATH_SIZE])
{
	DIR *dir = opendir(CLASS);
	struct dirent *entry;
	int found = 0;

	if (!dir)
		return -1;
	while (!found && (entry = readdir(dir))) {
		char parent[PATH_MAX];

		if (entry->d_name[0] == '.' || !matches(entry->d_name, uuid, partition_name))
			continue;
		if (disk) {
			disk_of(entry->d_name, parent);
			if (strcmp(parent, disk) != 0)
				continue;
		}
		found = (size_t)snprintf(ret_device, VARVE_DEVICE_PATH_SIZE, "/dev/%.56s",
					 entry->d_name) < VARVE_DEVICE_PATH_SIZE &&
			access(ret_device, F_OK) == 0;
	}
	closedir(dir);
	return found;
}

static const char *base_name(const char *device)
{
	const char *slash = strrchr(device, '/');

	return slash ? slash + 1 : device;
}

int varve_block_find(const char *uuid, char ret_device[VARVE_DEVICE_PATH_SIZE])
{
	return find(uuid, NULL, NULL, ret_device);
}

int varve_block_find_sibling(const char *device, const char *name,
			     char ret_device[VARVE_DEVICE_PATH_SIZE])
{
	char disk[PATH_MAX];

	disk_of(base_name(device), disk);
	if (disk[0] == '\0') {
		errno = ENODEV;
		return -1;
	}
	return find(NULL, name, disk, ret_device);
}

int varve_block_name(const char *device, char *ret_name, size_t size)
{
	if (uevent_value(base_name(device), "PARTNAME", ret_name, size))
		return 0;
	errno = ENODATA;
	return -1;
}

void varve_block_list(char *ret_text, size_t size)
{
	DIR *dir = opendir(CLASS);
	struct dirent *entry;
	size_t used = 0;

	snprintf(ret_text, size, "none");
	while (dir && (entry = readdir(dir))) {
		char name[128] = "", uuid[37] = "";
		int n;

		if (entry->d_name[0] == '.' || strncmp(entry->d_name, "loop", 4) == 0)
			continue;
		uevent_value(entry->d_name, "PARTNAME", name, sizeof(name));
		partition_uuid(entry->d_name, uuid);
		n = snprintf(ret_text + used, size - used, "%s%s%s%s%s%s%s", used ? ", " : "",
			     entry->d_name, name[0] || uuid[0] ? " (" : "", name,
			     name[0] && uuid[0] ? ", " : "", uuid, name[0] || uuid[0] ? ")" : "");
		if (n < 0 || (size_t)n >= size - used)
			break;
		used += (size_t)n;
	}
	if (dir)
		closedir(dir);
}

int varve_uuid_from_hash(const char *hex, int half, char ret_uuid[37])
{
	const char *p = hex + (half ? 32 : 0);
	char *out = ret_uuid;

	if (strlen(hex) != 64 || strspn(hex, "0123456789abcdefABCDEF") != 64) {
		errno = EINVAL;
		return -1;
	}
	for (int i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*out++ = '-';
		*out++ = (char)tolower((unsigned char)p[i]);
	}
	*out = '\0';
	return 0;
}
