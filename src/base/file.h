/* Files and trees: whole reads with a limit, atomic writes, removal. Names are relative to a
 * directory fd (AT_FDCWD allowed) so that nothing is looked up twice. */
#pragma once

#include "ground/fd.h"

#include <fcntl.h>
#include <glib.h>

/**
 * varve_file_read:
 * Reads a whole regular file of at most @limit bytes.
 *
 * @ret_data: (caller frees with g_free) always followed by a NUL that @ret_size does not count.
 *
 * Errors: NOT_FOUND, SYSTEM, CORRUPT (larger than @limit, or not a regular file).
 */
gboolean varve_file_read(int dirfd, const char *path, size_t limit, char **ret_data,
			 size_t *ret_size, GError **error);

/**
 * varve_file_read_beneath:
 * The same for a tree that nobody vouches for: no symbolic link is followed, not in the directories
 * on the way either, and neither @dirfd nor its filesystem is left.
 *
 * Errors: as varve_file_read(); CORRUPT where there is a link.
 */
gboolean varve_file_read_beneath(int dirfd, const char *path, size_t limit, char **ret_data,
				 size_t *ret_size, GError **error);

/** varve_file_read_fd: the same for a file that is open; @path for messages. */
gboolean varve_file_read_fd(int fd, const char *path, size_t limit, char **ret_data,
			    size_t *ret_size, GError **error);

/**
 * varve_file_write:
 * Writes a file under a temporary name in the same directory, fsyncs it, renames it over @path
 * and fsyncs the directory: readers see the old file or the new, never a part; a failure leaves
 * nothing behind.
 *
 * @mode: permission bits, not reduced by the umask.
 */
gboolean varve_file_write(int dirfd, const char *path, const void *data, size_t size, mode_t mode,
			  GError **error);

/**
 * varve_file_link:
 * Sets symbolic link @path to @target, whatever it was before, as varve_file_write() writes a file:
 * readers see the old one or the new. One writer at a time. On ext4 a target of fewer than 60 bytes
 * needs no block, so it can be set where no file can be written any more.
 */
gboolean varve_file_link(int dirfd, const char *path, const char *target, GError **error);

/**
 * VarveNewFile:
 * A file that is being written under a temporary name and appears under its own only when it is
 * whole: varve_new_file_commit() syncs and renames, freeing without commit removes it.
 */
typedef struct {
	int fd;        /* open for reading and writing; -1 after commit */
	char *path;    /* the final name */
	char *partial; /* the temporary one, beside it */
} VarveNewFile;

VarveNewFile *varve_new_file_open(const char *path, mode_t mode, GError **error);
gboolean varve_new_file_commit(VarveNewFile *file, GError **error);
void varve_new_file_free(VarveNewFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveNewFile, varve_new_file_free)

/** varve_dir_make: `mkdir -p`; an existing directory is fine. */
gboolean varve_dir_make(const char *path, mode_t mode, GError **error);

/**
 * varve_dir_open: opens a directory (O_PATH is not set: it can be listed).
 * Returns: an fd, or -1.
 */
int varve_dir_open(int dirfd, const char *path, GError **error);
/** varve_dir_open_beneath: the same, as varve_file_read_beneath(). */
int varve_dir_open_beneath(int dirfd, const char *path, GError **error);

/**
 * varve_dir_list:
 * The names in a directory, sorted by bytes, without "." and "..".
 *
 * @ret: (caller frees with g_strfreev)
 */
gboolean varve_dir_list(int dirfd, const char *path, char ***ret, GError **error);

/** varve_dir_remove: `rm -rf`, one filesystem, by directory fds; a missing path is fine. */
gboolean varve_dir_remove(int dirfd, const char *path, GError **error);

/**
 * varve_file_copy:
 * Copies the bytes of @from to a new file @to (atomically, as varve_file_write), by reflink or
 * copy_file_range where the filesystem can.
 */
gboolean varve_file_copy(const char *from, const char *to, mode_t mode, GError **error);

/**
 * varve_file_copy_bytes:
 * The same between open files: the first @size bytes of @from to the empty file @to, both at
 * offset 0.
 *
 * @name: of @from, for messages. Errors: SYSTEM, CORRUPT (@from became shorter).
 */
gboolean varve_file_copy_bytes(int from, int to, guint64 size, const char *name, GError **error);

/** varve_lock: takes an exclusive flock on @path (made if missing); waits where @wait, else
 *  BUSY with the pid that the holder wrote into it. Returns: the fd that holds it, or -1. */
int varve_lock(const char *path, gboolean wait, GError **error);
