/* The two filesystems of a disk that are made by programs of the tools tree, written in place: the
 * ESP (FAT32) and the state partition (ext4). Both are the same bytes for the same content. */
#pragma once

#include "compose/tools.h"

#include <glib.h>

/** One file of a filesystem that is being made; its parents are made too. */
typedef struct {
	const char *path;   /* in the filesystem, relative */
	const char *source; /* host path */
} VarveFilesystemFile;

/** Where a filesystem lies. */
typedef struct {
	const VarveTools *tools;
	const char *disk;     /* host path of the disk file, which has its full size */
	guint64 offset, size; /* bytes, multiples of 1 MiB */
	gint64 epoch;
} VarveFilesystem;

/**
 * varve_esp_make: FAT32 with @files (@n of them; their directory is @directory, which the tools
 * see). Errors: NOT_FOUND (a program), SYSTEM (does not fit, …).
 */
gboolean varve_esp_make(const VarveFilesystem *filesystem, const char *directory,
			const VarveFilesystemFile *files, gsize n, GError **error);

/**
 * varve_state_make: ext4 with what is in @directory (directories and regular files; owners become
 * root, modes 0755 and 0644, times the epoch).
 *
 * @uuid: of the filesystem, and the seed of its directory hashes.
 */
gboolean varve_state_make(const VarveFilesystem *filesystem, const char *directory,
			  const char *uuid, GError **error);
