/* The member "overrides" of a patch's manifest: which files of which layers it stands for
 * (docs/formats.md). Read strictly from hostile JSON, written in one way. */
#pragma once

#include "base/json.h"
#include "format/manifest.h"

/** varve_overrides_write: sets the member of @root, unless there is none. */
void varve_overrides_write(json_t *root, const GPtrArray *overrides);

/**
 * varve_overrides_parse:
 * Appends the VarveManifestOverride * of @root to @overrides.
 *
 * @name: what the document is, for messages.
 * Errors: CORRUPT, UNSUPPORTED (a member that is not known).
 */
gboolean varve_overrides_parse(const json_t *root, const char *name, GPtrArray *overrides,
			       GError **error);

/** varve_overrides_sort: by the bytes of their paths, as they are written. */
void varve_overrides_sort(GPtrArray *overrides);
