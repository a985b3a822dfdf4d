/* The files of one RPM without installing it: no scriptlet runs, no database is written, nothing of
 * it lies at its own path. */
#pragma once

#include "rpm/reader.h"

/**
 * varve_rpm_unpack:
 * Verifies the package whole, as varve_rpm_verify() does, and writes the content of each regular
 * file to @directory, under a number; each is compared with its digest in the signed header.
 *
 * @keys: NULL-terminated; a package must be signed by any of them.
 * @ret_package: (caller frees) and @ret_files: (caller unrefs) as of varve_rpm_verify().
 * @ret_contents: (caller unrefs) char *, one a file in the order of @ret_files: the path of its
 * content, the same for all names of one inode; NULL where it is no regular file or only claimed.
 *
 * Errors: UNTRUSTED, CORRUPT, NOT_FOUND, SYSTEM.
 */
gboolean varve_rpm_unpack(const char *path, const VarvePackageKeys *const *keys,
			  const char *directory, VarvePackage **ret_package, GPtrArray **ret_files,
			  GPtrArray **ret_contents, GError **error);
