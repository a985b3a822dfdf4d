/* Mounts by the kernel's mount API: an option a call, the kernel's own words when it refuses, and
 * nothing visible before it is whole. libc only. */
#pragma once

#include "ground/syscalls.h"

#include <stddef.h>

/** One mount option: a flag where @value is NULL. */
typedef struct {
	const char *key;
	const char *value;
} VarveMountOption;

/**
 * varve_mount_make:
 * Makes a detached mount of @type ("erofs", "overlay", …).
 *
 * @options: ended by a NULL key; given in this order. "source" is one of them.
 * @attributes: MOUNT_ATTR_…
 * @log, @log_size: (nullable) filled with the kernel's messages about a failure, or "".
 *
 * Returns: an fd for varve_mount_attach(), or -1 with errno.
 */
int varve_mount_make(const char *type, const VarveMountOption *options, unsigned attributes,
		     char *log, size_t log_size);

/** varve_mount_attach: puts the detached @mount_fd at @target. Returns 0, or -1 with errno. */
int varve_mount_attach(int mount_fd, const char *target);

/**
 * varve_mount_beneath, varve_mount_uncover:
 * Exchange what is mounted at @target without a moment in which nothing is: the detached @mount_fd
 * goes beneath the mount that is there, invisible; then the upper one is let go, which is the
 * moment of the change for this namespace and all that follow it (Linux 6.5). The parent mount
 * should be shared, or other namespaces keep the old one.
 *
 * @old_fd: of @target, opened with O_PATH before, so that the teardown of the old mount is paid
 * when it is closed and not at the moment of the change.
 *
 * Return 0, or -1 with errno (EINVAL: @target is no mount point).
 */
int varve_mount_beneath(int mount_fd, const char *target);
int varve_mount_uncover(int old_fd);

/** varve_mount_at: both in one, for what needs no log. */
int varve_mount_at(const char *type, const VarveMountOption *options, unsigned attributes,
		   const char *target);

/**
 * varve_mount_bind:
 * Binds the tree @source (without the mounts below it) at @target as a private mount with
 * @attributes: private before it is visible, so that no later mount propagates into it.
 */
int varve_mount_bind(const char *source, const char *target, unsigned attributes);

/** varve_mount_is: whether @path is the root of a mount. */
int varve_mount_is(const char *path);

/** varve_make_dirs: `mkdir -p`, mode 0755 for what it makes. Returns 0, or -1 with errno. */
int varve_make_dirs(const char *path);
