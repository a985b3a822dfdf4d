/* Applies spec overlays (docs/components.md) to a spec and to the loose files beside it. */
#pragma once

#include "component/spec.h"
#include "definition/components.h"

/** What is changed: a spec, and the directory of its sources and patches. */
typedef struct {
	VarveSpec *spec;  /* NULL: only files are changed */
	const char *name; /* of the component, for messages */
	int sources;      /* directory; -1: there are none */
} VarveOverlayTarget;

/**
 * varve_overlay_apply:
 * Makes the one change that @overlay declares. A change that finds nothing to change is an error.
 * On an error the spec is as it was before, an archive too. Loose files are not: they are changed
 * one after another, and where one of several that a pattern names cannot be (a regular expression
 * that takes too many steps on its text, a file that is too large, a full disk), those before it
 * stay changed. So @target's sources are a directory that is thrown away after an error.
 *
 * Errors: CONFLICT (it does not fit: the message has the overlay's description, file and line, and
 * what was looked for), SYSTEM (reading or writing files), CORRUPT (an archive, a symbolic link).
 */
gboolean varve_overlay_apply(VarveOverlayTarget *target, const VarveSpecOverlay *overlay,
			     GError **error);

/**
 * varve_overlay_apply_all:
 * Applies @n overlays in their order: first those that change the spec and loose files, then those
 * within archives, for which each archive is unpacked and packed once, however many there are.
 *
 * Errors: as varve_overlay_apply(); those before the one that failed were applied, but for those
 * within the same archive.
 */
gboolean varve_overlay_apply_all(VarveOverlayTarget *target, const VarveSpecOverlay *overlays,
				 gsize n, GError **error);

/** varve_overlay_is_archived: whether it changes files within an archive. */
gboolean varve_overlay_is_archived(const VarveSpecOverlay *overlay);
