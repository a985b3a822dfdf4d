/* Two global variables of UEFI, as efivarfs shows them: four bytes of attributes, then the value.
 */
#include "ground/secure-boot.h"

#include "ground/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define GLOBAL "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define ATTRIBUTES 4

/* Without efivarfs the directory is there, and empty; with it there are always some variables. */
static int is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int empty = 1;

	if (!dir)
		return 1;
	while (empty && (entry = readdir(dir)))
		empty = entry->d_name[0] == '.';
	closedir(dir);
	return empty;
}

/* The byte that @name holds; 0 where there is no such variable. Returns 0, or -1 with errno. */
static int read_flag(const char *directory, const char *name, unsigned char *ret)
{
	unsigned char bytes[ATTRIBUTES + 2];
	char path[PATH_MAX];
	varve_autofd fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s" GLOBAL, directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*ret = 0;
		return 0;
	}
	if (fd < 0)
		return -1;
	n = varve_fd_read_full(fd, bytes, sizeof(bytes), 0);
	if (n < 0)
		return -1;
	if (n != ATTRIBUTES + 1 || bytes[ATTRIBUTES] > 1) {
		errno = EBADMSG;
		return -1;
	}
	*ret = bytes[ATTRIBUTES];
	return 0;
}

int varve_secure_boot_read(const char *sys, VarveSecureBoot *ret)
{
	unsigned char secure = 0, setup = 0;
	char path[PATH_MAX - 128];

	snprintf(path, sizeof(path), "%s/firmware/efi", sys);
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		*ret = VARVE_SECURE_BOOT_NO_UEFI;
		return 0;
	}
	snprintf(path, sizeof(path), "%s" VARVE_EFIVARS, sys);
	if (is_empty(path)) {
		errno = ENODEV;
		return -1;
	}
	if (read_flag(path, "SecureBoot", &secure) < 0 || read_flag(path, "SetupMode", &setup) < 0)
		return -1;
	*ret = secure == 1 && setup == 0 ? VARVE_SECURE_BOOT_ON : VARVE_SECURE_BOOT_OFF;
	return 0;
}
