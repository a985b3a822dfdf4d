/* os-release and extension-release texts (os-release(5), UAPI.10 SYSEXT fields). */
#pragma once

#include "definition/definition.h"
#include "format/partition-types.h"

/** (caller frees) the base's os-release; IMAGE_VERSION is the base layer's version. */
char *varve_os_release(const VarveDefinition *definition, const VarveEdition *edition,
		       const char *version);

/** (caller frees) an extension's extension-release: it fits this OS, this version, @arch. */
char *varve_extension_release(const VarveDefinition *definition, const VarveArch *arch,
			      const VarveLayerDefinition *layer);
