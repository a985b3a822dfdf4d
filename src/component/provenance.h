/* What an upstream calls what is built here, told to the spec: a boot loader names it in its SBAT.
 */
#pragma once

#include "component/source.h"

/**
 * varve_provenance_defines:
 * The component's defines and, where it is Fedora's and its build asks for them
 * (emit-upstream-provenance), the macros `fedora_upstream_version` and `fedora_upstream_release`:
 * the tags of the spec as it is upstream, with %{?dist} and %{dist} as Fedora's builds have them
 * and %autorelease worked out from the upstream's history alone. Other macros in them stay. A
 * define of such a name has the last word, and a tag that is missing gives no macro.
 *
 * Returns: (caller frees; element-type VarveSetting, strings owned by the array) or NULL: those of
 * component/git.h and varve_spec_parse().
 */
GArray *varve_provenance_defines(const VarveSource *source, GError **error);
