/* Facts from librpm's Header, shared by the readers of src/rpm. */
#pragma once

#include "rpm/package.h"

#include <rpm/rpmlib.h>
#include <rpm/rpmts.h>

/** varve_rpm_header_facts: (caller frees) all that the header itself says; path, digest, size,
 *  repository and location stay empty. */
VarvePackage *varve_rpm_header_facts(Header header);

/** varve_rpm_header_files: (caller unrefs) VarvePackageFile *, in the header's order. */
GPtrArray *varve_rpm_header_files(Header header, const VarvePackage *package);

/** (caller frees) the NEVRA without an epoch of 0. */
char *varve_rpm_header_nevra(Header header);

/** varve_rpm_header_flags: what verification may leave out: MD5 and SHA-1 where the header has
 * SHA-256 for itself and its payload. A header that lies about it fails, as a digest is required.
 */
rpmVSFlags varve_rpm_header_flags(Header header);
