/* A component as it is built: its upstream's spec and sources with everything that its definition
 * changes. What comes out depends on what goes in and on nothing else. */
#pragma once

#include "component/overlay.h"

/**
 * varve_render_macros:
 * The macros file of a component: `%_with_X 1`, `%_without_X 1`, its defines, less its undefines;
 * sorted by name.
 *
 * Returns: (caller frees, nullable) NULL where no macro is left.
 */
char *varve_render_macros(const VarveComponentBuild *build);

/**
 * varve_render_apply:
 * Makes all changes of a component, in azldev's order: the macros file, loaded by the spec and
 * listed as Source9999; the component's overlays; the end of %check where it is skipped; the
 * header.
 *
 * @target: the upstream's spec and a copy of its sources.
 * @component: merged with its groups and defaults (component/effective.h).
 *
 * Errors: as varve_overlay_apply(); DEFINITION (the name cannot be a file's).
 */
gboolean varve_render_apply(VarveOverlayTarget *target, const VarveComponent *component,
			    GError **error);

/** What a component is rendered from. */
typedef struct {
	const char *name; /* of the component */
	const VarveComponent *component;
	const char *spec_path; /* of the host, for messages; its last part is not a source */
	const char *spec;      /* @spec_size bytes */
	gsize spec_size;
	int sources; /* directory with the loose files; -1: there are none */
} VarveRenderInput;

/**
 * varve_render:
 * Writes NAME.spec and all files beside it to the empty directory @output.
 *
 * Errors: as varve_render_apply(); CORRUPT (the spec), SYSTEM. What was written is left there.
 */
gboolean varve_render(const VarveRenderInput *input, int output, GError **error);
