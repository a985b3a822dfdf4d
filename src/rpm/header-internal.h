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
