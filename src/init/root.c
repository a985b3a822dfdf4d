/* From the initramfs into the composed root. */
#include "ground/fd.h"
#include "ground/mount.h"
#include "init/init.h"

#include <dirent.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Removes what lies below @dir_fd (which it closes) on the filesystem @dev. */
static void empty_directory(int dir_fd, dev_t dev)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir))) {
		struct stat st;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_dev != dev)
			continue;
		if (S_ISDIR(st.st_mode)) {
			int fd = openat(dirfd(dir), entry->d_name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (fd >= 0)
				empty_directory(fd, dev);
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
		} else {
			unlinkat(dirfd(dir), entry->d_name, 0);
		}
	}
	closedir(dir);
}

/* The initramfs holds memory until its files are gone; nothing else may ever be emptied. */
static void free_initramfs(int root_fd)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(root_fd, &fs) < 0 || fstat(root_fd, &st) < 0 ||
	    (fs.f_type != RAMFS_MAGIC && fs.f_type != TMPFS_MAGIC)) {
		close(root_fd);
		return;
	}
	empty_directory(root_fd, st.st_dev);
}

int varve_leave_exitrd(void)
{
	static const char *const dirs[] = { "/oldroot", "/proc", "/sys", "/dev", "/run" };
	varve_autofd from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	varve_autofd to = -1;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), VARVE_INIT_EXITRD "%s", dirs[i]);
		if (varve_make_dirs(path) < 0)
			return -1;
	}
	to = open(VARVE_INIT_EXITRD "/shutdown", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (to < 0)
		return -1;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n <= 0)
			return -1;
		left -= n;
	}
	return 0;
}

int varve_switch_root(char *const argv[], const char **ret_step)
{
	static const char *const moved[] = { "/dev", "/proc", "/sys", "/run" };
	int old_root;

	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		char target[64];

		snprintf(target, sizeof(target), VARVE_INIT_SYSROOT "%s", moved[i]);
		*ret_step = moved[i];
		if (mount(moved[i], target, NULL, MS_MOVE, NULL) < 0)
			return -1;
	}
	*ret_step = "entering " VARVE_INIT_SYSROOT;
	old_root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (old_root < 0 || chdir(VARVE_INIT_SYSROOT) < 0)
		return -1;
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return -1;
	free_initramfs(old_root);
	*ret_step = argv[0];
	execv(argv[0], argv);
	return -1;
}
