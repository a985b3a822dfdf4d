/* Mounts through fsopen, fsconfig, fsmount, open_tree and move_mount (Linux 5.2; 5.12 for
 * mount_setattr). */
#include "ground/mount.h"

#include "ground/fd.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void read_log(int fs, char *log, size_t size)
{
	size_t used = 0;

	if (!log || size == 0)
		return;
	log[0] = '\0';
	for (;;) {
		char line[512];
		ssize_t n = read(fs, line, sizeof(line) - 1);
		const char *text = line;

		if (n <= 0)
			return;
		line[n] = '\0';
		/* "e overlay: …": the letter is the level. */
		if (n > 2 && line[1] == ' ')
			text += 2;
		if (used + strlen(text) + 3 > size)
			return;
		if (used > 0)
			used += (size_t)(stpcpy(log + used, "; ") - (log + used));
		used += (size_t)(stpcpy(log + used, text) - (log + used));
		while (used > 0 && log[used - 1] == '\n')
			log[--used] = '\0';
	}
}

int varve_mount_make(const char *type, const VarveMountOption *options, unsigned attributes,
		     char *log, size_t log_size)
{
	varve_autofd fs = fsopen(type, FSOPEN_CLOEXEC);
	int mount_fd, saved;

	if (log && log_size > 0)
		log[0] = '\0';
	if (fs < 0)
		return -1;
	for (const VarveMountOption *o = options; o && o->key; o++) {
		unsigned command = o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (fsconfig(fs, command, o->key, o->value, 0) < 0)
			goto fail;
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		goto fail;
	mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	if (mount_fd >= 0)
		return mount_fd;
fail:
	saved = errno;
	read_log(fs, log, log_size);
	errno = saved;
	return -1;
}

int varve_mount_attach(int mount_fd, const char *target)
{
	return move_mount(mount_fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

int varve_mount_beneath(int mount_fd, const char *target)
{
	return move_mount(mount_fd, "", AT_FDCWD, target,
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH);
}

int varve_mount_uncover(int old_fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", old_fd);
	return umount2(path, MNT_DETACH);
}

int varve_mount_at(const char *type, const VarveMountOption *options, unsigned attributes,
		   const char *target)
{
	varve_autofd mount_fd = varve_mount_make(type, options, attributes, NULL, 0);

	if (mount_fd < 0)
		return -1;
	return varve_mount_attach(mount_fd, target);
}

int varve_mount_bind(const char *source, const char *target, unsigned attributes)
{
	varve_autofd tree =
		open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT);
	struct mount_attr attr = { .attr_set = attributes, .propagation = MS_PRIVATE };

	if (tree < 0)
		return -1;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -1;
	return varve_mount_attach(tree, target);
}

int varve_mount_is(const char *path)
{
	struct statx sx;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &sx) < 0)
		return 0;
	return (sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
	       (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int varve_make_dirs(const char *path)
{
	char copy[PATH_MAX];
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof(copy)) {
		errno = length ? ENAMETOOLONG : EINVAL;
		return -1;
	}
	memcpy(copy, path, length + 1);
	for (char *p = copy + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -1;
		*p = c;
		if (c == '\0')
			return 0;
	}
}
