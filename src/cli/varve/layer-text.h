/* How the verbs of layers write paths and packages, for people and as JSON. */
#pragma once

#include "base/json.h"
#include "layer/compare.h"

/** (caller frees) @text with control characters and what is not UTF-8 escaped: names inside a layer
 *  are anybody's, and go to terminals. */
char *varve_printable(const char *text);
/** (caller frees) "-rw-r--r--", as ls has it. */
char *varve_mode_text(mode_t mode);
/** (caller owns) everything of @path. */
json_t *varve_path_json(const VarvePath *path);
/** (caller owns) everything of @package. */
json_t *varve_package_json(const VarveManifestPackage *package);

/** (caller owns) what a patch overrides, as its manifest says it; [] where it is none. */
json_t *varve_overrides_json(const VarveManifest *manifest);
/** (caller frees) "/usr/bin/x of base 1.2". */
char *varve_override_text(const VarveManifestOverride *override);
