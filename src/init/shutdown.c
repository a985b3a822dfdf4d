/* The last moments: systemd-shutdown has killed every process and entered /run/initramfs (systemd,
 * "initrd interface"). What it left mounted below /oldroot is unmounted, device-mapper and loop
 * devices are taken apart, then the machine is switched off. */
#include "ground/fd.h"
#include "ground/mount.h"
#include "init/init.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define OLD_ROOT "/oldroot"
#define MOUNTS_MAX 512
#define PASSES_MAX 16

/* mountinfo writes blanks and backslashes as three octal digits. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *p = text; *p;) {
		if (p[0] == '\\' && p[1] && p[2] && p[3]) {
			*out++ = (char)(((p[1] - '0') << 6) | ((p[2] - '0') << 3) | (p[3] - '0'));
			p += 4;
		} else {
			*out++ = *p++;
		}
	}
	*out = '\0';
}

/* The mount points below OLD_ROOT in the order they were made; returns their number. */
static size_t list_mounts(char *points[MOUNTS_MAX])
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0, n = 0;

	if (!file)
		return 0;
	while (n < MOUNTS_MAX && getline(&line, &room, file) > 0) {
		char point[PATH_MAX];

		if (sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		unescape(point);
		if (strncmp(point, OLD_ROOT, strlen(OLD_ROOT)) != 0 ||
		    (point[strlen(OLD_ROOT)] != '/' && point[strlen(OLD_ROOT)] != '\0'))
			continue;
		points[n] = strdup(point);
		if (points[n])
			n++;
	}
	free(line);
	fclose(file);
	return n;
}

/* Returns how many mounts went away. */
static int unmount_all(int flags, int say)
{
	char *points[MOUNTS_MAX];
	size_t n = list_mounts(points);
	int done = 0;

	while (n-- > 0) {
		if (say)
			varve_say("%s stays mounted", points[n]);
		done += umount2(points[n], flags) == 0;
		free(points[n]);
	}
	return done;
}

static int remove_dm(const char *name, int control)
{
	struct dm_ioctl request = {
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = sizeof(request),
		.data_start = sizeof(request),
	};

	snprintf(request.name, sizeof(request.name), "%.127s", name);
	return ioctl(control, DM_DEV_REMOVE, &request);
}

static int read_line(const char *path, char *ret, size_t size)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (n <= 0)
		return -1;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

/* Whether the block device @name is what this very program lies on: the signed base, where code
 * integrity lets nothing else be executed. It stays, read-only as it is. */
static int is_ours(const char *name)
{
	char path[PATH_MAX], text[64];
	unsigned numbers[2];
	int saved = errno, ours;
	struct stat st;

	snprintf(path, sizeof(path), "/sys/class/block/%s/dev", name);
	ours = stat("/", &st) == 0 && read_line(path, text, sizeof(text)) == 0 &&
	       sscanf(text, "%u:%u", &numbers[0], &numbers[1]) == 2 &&
	       makedev(numbers[0], numbers[1]) == st.st_dev;
	errno = saved;
	return ours;
}

/* Removes device-mapper and loop devices that nothing uses any more; returns their number. */
static int remove_devices(int say)
{
	varve_autofd control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	DIR *dir = opendir("/sys/class/block");
	struct dirent *entry;
	int done = 0;

	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX], text[PATH_MAX];

		if (strncmp(entry->d_name, "dm-", 3) == 0 && control >= 0) {
			snprintf(path, sizeof(path), "/sys/class/block/%s/dm/name", entry->d_name);
			if (read_line(path, text, sizeof(text)) < 0)
				continue;
			if (remove_dm(text, control) == 0)
				done++;
			else if (say && !is_ours(entry->d_name))
				varve_say("device %s stays: %m", text);
		} else if (strncmp(entry->d_name, "loop", 4) == 0) {
			varve_autofd loop = -1;

			snprintf(path, sizeof(path), "/sys/class/block/%s/loop/backing_file",
				 entry->d_name);
			if (read_line(path, text, sizeof(text)) < 0)
				continue;
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			loop = open(path, O_RDONLY | O_CLOEXEC);
			if (loop >= 0 && ioctl(loop, LOOP_CLR_FD, 0) == 0)
				done++;
			else if (say)
				varve_say("%s (%s) stays: %m", path, text);
		}
	}
	if (dir)
		closedir(dir);
	return done;
}

static unsigned reboot_command(const char *verb)
{
	if (strcmp(verb, "reboot") == 0)
		return LINUX_REBOOT_CMD_RESTART;
	if (strcmp(verb, "halt") == 0)
		return LINUX_REBOOT_CMD_HALT;
	if (strcmp(verb, "kexec") == 0)
		return LINUX_REBOOT_CMD_KEXEC;
	return LINUX_REBOOT_CMD_POWER_OFF;
}

_Noreturn void varve_shutdown(const char *verb)
{
	static const VarveMountOption proc[] = { { "source", "proc" }, {} };

	if (access("/proc/self/mountinfo", F_OK) < 0)
		varve_mount_at("proc", proc, 0, "/proc");
	/* A mount holds a device, a device a file, a file a mount: round and round while it helps.
	 */
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		if (unmount_all(0, 0) + remove_devices(0) == 0)
			break;
	}
	sync();
	unmount_all(MNT_DETACH, 1);
	remove_devices(1);
	reboot((int)reboot_command(verb));
	/* kexec without a loaded kernel comes back. */
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
