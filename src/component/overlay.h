/* Applies spec overlays (docs/components.md) to a spec and to the loose files beside it. */
#pragma once

#include "component/spec.h"
#include "definition/components.h"

/** What is changed: a spec, and the directory of its sources and patches. */
typedef struct {
	VarveSpec *spec;
	const char *name; /* of the component, for messages */
	int sources;      /* directory; -1: there are none */
} VarveOverlayTarget;

/**
 * varve_overlay_apply:
 * Makes the one change that @overlay declares. A change that finds nothing to change is an error.
 * On an error the spec is as it was before.
 *
 * Errors: CONFLICT (it does not fit: the message has the overlay's description, file and line, and
 * what was looked for), SYSTEM (reading or writing files), CORRUPT (an archive).
 */
gboolean varve_overlay_apply(VarveOverlayTarget *target, const VarveSpecOverlay *overlay,
			     GError **error);
