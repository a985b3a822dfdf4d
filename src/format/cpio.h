/* cpio archives in the "newc" form (Linux, driver-api/early-userspace/buffer-format), written as
 * initramfs images. Deterministic: inode numbers count up from 1 in the order of the calls, every
 * entry has the same time, owner and group are 0, and zstd runs in one thread with a fixed level.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct VarveCpio VarveCpio;

typedef enum {
	VARVE_CPIO_PLAIN,
	VARVE_CPIO_ZSTD, /* one frame, checksummed, window of at most 8 MiB: what the kernel reads
			  */
} VarveCpioCompression;

#define VARVE_CPIO_ZSTD_LEVEL 9

/**
 * varve_cpio_new:
 * Starts an archive at the file position of @fd, which is borrowed until varve_cpio_end().
 *
 * @level: zstd's (1-19; 19 makes an initrd a tenth smaller and takes fifteen times as long); 0 is
 * VARVE_CPIO_ZSTD_LEVEL.
 * @mtime: seconds since the epoch, for every entry; 0 to 4294967295.
 *
 * Errors: USAGE (@mtime), SYSTEM (@level).
 */
VarveCpio *varve_cpio_new(int fd, VarveCpioCompression compression, int level, gint64 mtime,
			  GError **error);
/** varve_cpio_free: without varve_cpio_end() before it the archive is left unfinished. */
void varve_cpio_free(VarveCpio *cpio);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveCpio, varve_cpio_free)

/*
 * Adding entries. @path is relative to the root, in canonical form ("usr/bin/varvectl": no leading
 * slash, no "." or ".." or empty component). Parents that were not added before are made with mode
 * 0755. @mode is permission bits only, except for varve_cpio_add_node().
 *
 * Errors: CONFLICT (@path was added before; a directory that was made as a parent may still be
 * added, but not with another mode; a parent that is no directory), UNSUPPORTED (4 GiB or more),
 * USAGE (a path that is not canonical), SYSTEM (write, compression).
 */
gboolean varve_cpio_add_directory(VarveCpio *cpio, const char *path, mode_t mode, GError **error);
gboolean varve_cpio_add_file(VarveCpio *cpio, const char *path, mode_t mode, const void *data,
			     size_t size, GError **error);
/** varve_cpio_add_fd: the whole content of @fd, a regular file, from offset 0. */
gboolean varve_cpio_add_fd(VarveCpio *cpio, const char *path, mode_t mode, int fd, GError **error);
gboolean varve_cpio_add_link(VarveCpio *cpio, const char *path, const char *target, GError **error);
/** varve_cpio_add_node: a device, @mode with S_IFCHR or S_IFBLK, @device from makedev(). */
gboolean varve_cpio_add_node(VarveCpio *cpio, const char *path, mode_t mode, dev_t device,
			     GError **error);

/**
 * varve_cpio_end:
 * Writes the trailer and flushes.
 *
 * @ret_size: (nullable) bytes written to the fd.
 */
gboolean varve_cpio_end(VarveCpio *cpio, guint64 *ret_size, GError **error);

/** One entry of an archive that is read. Everything is borrowed from the archive's bytes. */
typedef struct {
	const char *path; /* canonical, as above */
	mode_t mode;      /* with the type */
	guint32 uid, gid;
	const guint8 *data; /* a regular file's content, or a link's target (no NUL follows it) */
	gsize size;
} VarveCpioEntry;

/** VarveCpioVisit: return FALSE with @error to stop. */
typedef gboolean (*VarveCpioVisit)(const VarveCpioEntry *entry, gpointer data, GError **error);

/**
 * varve_cpio_unpack:
 * An initrd's bytes without their compression: zstd, or none where there is no frame of it.
 *
 * @limit: most bytes that the result may have.
 * Returns: (caller unrefs) or NULL: CORRUPT (damaged, or more than @limit), UNSUPPORTED (another
 * compression).
 */
GBytes *varve_cpio_unpack(GBytes *packed, gsize limit, const char *name, GError **error);

/**
 * varve_cpio_walk:
 * All entries of the archive @archive up to its trailer, in their order. Input is hostile.
 *
 * Errors: CORRUPT (names what is wrong at which byte), or what @visit says.
 */
gboolean varve_cpio_walk(GBytes *archive, const char *name, VarveCpioVisit visit, gpointer data,
			 GError **error);
