/* From installed packages to the root of a base: everything that maintainer scripts and first boots
 * do elsewhere, done at build time by the tools tree's programs, the same way every time. */
#pragma once

#include "compose/tools.h"
#include "definition/definition.h"
#include "format/partition-types.h"

/** What the steps need; nothing is owned. */
typedef struct {
	const VarveDefinition *definition;
	const VarveEdition *edition;
	const VarveArch *arch;
	const VarveTools *tools;
	const char *root;                /* host directory, changed in place */
	const char *version;             /* of the base layer */
	const char *const *certificates; /* host paths of NAME.crt for usr/lib/verity.d */
	const char *tools_key;           /* digest of the tools tree */
	const char *work;                /* directory of caches */
} VarveFinish;

/** varve_finish_base: runs all steps on an installed root. Errors name the step. */
gboolean varve_finish_base(const VarveFinish *finish, GError **error);
