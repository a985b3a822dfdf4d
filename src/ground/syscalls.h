/* The system calls that Debian 12's glibc has no wrapper or no constant for. They return as the
 * kernel does: -1 and errno. */
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/mount.h>

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200 /* Linux 6.5 */
#endif

/** What an untrusted tree is walked with: one filesystem, no links of any kind, no way up. */
#define VARVE_RESOLVE_STRICT \
	(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

/** varve_openat2: openat2(2); O_CLOEXEC is added to @flags. */
int varve_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/** varve_finit_module: finit_module(2) of a module file that is not compressed. */
int varve_finit_module(int fd, const char *parameters);
