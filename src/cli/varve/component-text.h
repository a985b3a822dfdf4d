/* How the verbs of components write what they are, for people and as JSON. */
#pragma once

#include "base/json.h"
#include "component/effective.h"

/** (caller frees) where the spec comes from, short: "fedora 43", "fedora 43 at 1a2b3c4d5e6f",
 *  "fedora 43, redhat-rpm-config", "local comps/x/x.spec". */
char *varve_component_spec_text(const VarveDefinition *definition, const VarveEffective *effective);
/** (caller frees) what else differs, short: "3 overlays, without docs, check skipped"; "" where
 *  nothing does. */
char *varve_component_notes(const VarveEffective *effective);
/** (borrowed) @path relative to the definition where it lies below it. */
const char *varve_component_path(const VarveDefinition *definition, const char *path);
/** (caller frees) "file:line". */
char *varve_origin_place_text(const VarveOrigin *origin);
/** (caller owns) everything of @effective. */
json_t *varve_component_json(const VarveDefinition *definition, const VarveEffective *effective);
/** (caller owns) {"file", "line"}; null for a default. */
json_t *varve_origin_json(const VarveOrigin *origin);
/** (caller owns) metadata; null where there are none. */
json_t *varve_metadata_json(const VarveOverlayMetadata *metadata);
