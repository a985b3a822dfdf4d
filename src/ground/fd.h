/* File descriptors that close themselves, and whole reads and writes. libc only. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

static inline void varve_autofd_close(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		close(*fd);
		errno = saved;
	}
}

/* An int that is closed when it leaves its scope; hand it on with varve_fd_steal(). */
#define varve_autofd __attribute__((cleanup(varve_autofd_close))) int

static inline int varve_fd_steal(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/**
 * varve_fd_read_full:
 * Reads @size bytes at @offset, or fewer where the file ends; restarts on EINTR.
 *
 * Returns: the number of bytes read, or -1 with errno.
 */
ssize_t varve_fd_read_full(int fd, void *buffer, size_t size, off_t offset);

/**
 * varve_fd_write_full:
 * Writes all of @size bytes at the file position; restarts on EINTR.
 *
 * Returns: 0, or -1 with errno.
 */
int varve_fd_write_full(int fd, const void *buffer, size_t size);

/** varve_fd_pwrite_full: the same at @offset, leaving the file position alone. */
int varve_fd_pwrite_full(int fd, const void *buffer, size_t size, off_t offset);
