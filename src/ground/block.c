/* Partitions by PARTUUID and PARTNAME, read from /sys/class/block/NAME/uevent. */
#include "ground/block.h"

#include "ground/fd.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static int find(const char *key, const char *value, const char *disk,
		char ret_device[VARVE_DEVICE_PATH_SIZE])
{
	DIR *dir = opendir(CLASS);
	struct dirent *entry;
	int found = 0;

	if (!dir)
		return -1;
	while (!found && (entry = readdir(dir))) {
		char text[256], parent[PATH_MAX];

		if (entry->d_name[0] == '.' ||
		    !uevent_value(entry->d_name, key, text, sizeof(text)))
			continue;
		if (strcasecmp(text, value) != 0)
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
	return find("PARTUUID", uuid, NULL, ret_device);
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
	return find("PARTNAME", name, disk, ret_device);
}

int varve_block_name(const char *device, char *ret_name, size_t size)
{
	if (uevent_value(base_name(device), "PARTNAME", ret_name, size))
		return 0;
	errno = ENODATA;
	return -1;
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
