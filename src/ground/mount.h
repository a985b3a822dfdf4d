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
