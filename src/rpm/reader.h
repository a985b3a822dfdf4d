/* Reading one RPM file: signatures, digests and the facts in its header (RPM v4 format). */
#pragma once

#include "rpm/keys.h"
#include "rpm/package.h"

/**
 * varve_rpm_verify:
 * Reads the RPM file @path and verifies all of its digests and signatures, of header and payload.
 * The header must be signed by one of @keys; a package that is unsigned, signed by another key, or
 * carries any signature or digest that does not verify is refused.
 *
 * @ret_package: (nullable, caller frees) the facts of the header. repository and location are "",
 * path is @path, digest and size are of the file.
 * @ret_files: (nullable, caller unrefs) VarvePackageFile *, in the header's order; they refer to
 * @ret_package and must not outlive it.
 *
 * Thread-safe. Errors: UNTRUSTED (names the package, what is wrong and the keys tried), CORRUPT
 * (not an RPM, or a digest differs), NOT_FOUND, SYSTEM.
 */
gboolean varve_rpm_verify(const char *path, const VarvePackageKeys *keys,
			  VarvePackage **ret_package, GPtrArray **ret_files, GError **error);

/**
 * varve_rpm_read:
 * The same facts with digests checked where there are any, but without asking who signed: for
 * packages that were made here and are about to be signed.
 */
gboolean varve_rpm_read(const char *path, VarvePackage **ret_package, GPtrArray **ret_files,
			GError **error);

/**
 * varve_rpm_read_header:
 * The same facts of a package that was verified before: only the header is read, and its digest and
 * signature checked against @keys; path is set, digest and size are not.
 *
 * Thread-safe. Errors: UNTRUSTED, CORRUPT, NOT_FOUND.
 */
gboolean varve_rpm_read_header(const char *path, const VarvePackageKeys *keys,
			       VarvePackage **ret_package, GPtrArray **ret_files, GError **error);
