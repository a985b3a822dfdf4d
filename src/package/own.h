/* Packages of our own: programs that were built here, as signed RPMs in a local repository, so that
 * a base gets them the way it gets everything else. */
#pragma once

#include "format/partition-types.h"

#include <glib.h>

/** A file of such a package. */
typedef struct {
	const char *path;   /* in the target, "/usr/bin/varvectl" */
	const char *source; /* host path of a regular file; NULL for a link or directory */
	const char *target; /* of a symbolic link; NULL for a file or directory */
	guint32 mode;       /* permission bits */
} VarveOwnFile;

/** A package. Zero-initialise; nothing is owned. */
typedef struct {
	const char *name;
	const char *version; /* RPM's letters */
	const char *release; /* (nullable) NULL: "1" */
	const char *summary;
	const char *license; /* SPDX expression */
	const char *vendor;  /* (nullable) */
	const VarveArch *arch;
	const VarveOwnFile *files; /* owned by root:root */
	gsize n_files;
	gint64 time; /* every timestamp in it, seconds since the epoch */
} VarveOwnPackage;

/**
 * varve_own_write:
 * Writes the package, signed, to @directory/packages. The sonames that its programs are linked with
 * are its requirements. Where a package made of the same is there already, it stays, so that the
 * same programs are the same file.
 *
 * @keys: a keys directory.
 * @ret_changed: (nullable)
 *
 * Errors: NOT_FOUND (a source file, the key, elfdeps), CORRUPT, SYSTEM.
 */
gboolean varve_own_write(const VarveOwnPackage *package, const char *keys, const char *directory,
			 gboolean *ret_changed, GError **error);

/**
 * varve_own_varvectl:
 * Makes or updates the repository @directory (WORK/upstream/local/ARCH) with the package
 * "varvectl": /usr/bin/varvectl, /usr/lib/varve/varve-init for the initrd, and
 * /usr/lib/varve/exitrd, which has the same program as `shutdown` and is what ends a system under
 * code integrity.
 *
 * @version: of Varve; @time: seconds since the epoch, of everything in it.
 */
gboolean varve_own_varvectl(const char *varvectl, const char *varve_init, const char *version,
			    const VarveArch *arch, gint64 time, const char *keys,
			    const char *directory, GError **error);

/** varve_own_is: whether the package @name is made here, so that no archive is asked for it. */
gboolean varve_own_is(const char *name);
