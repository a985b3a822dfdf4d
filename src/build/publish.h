/* The repository of what is built here, one a definition and architecture: later builds and layers
 * ask it first. */
#pragma once

#include "build/root.h"

/**
 * varve_build_publish:
 * Puts the signed packages *.rpm of @directory (but source packages) in the place of what the same
 * component brought before, and signs the index anew where anything changed.
 *
 * Errors: CONFLICT (another component brings a package of that name), NOT_FOUND (the key), SYSTEM.
 */
gboolean varve_build_publish(const VarveBuildPlace *place, const char *component,
			     const char *directory, GError **error);

/** varve_build_published: (caller frees, nullable) the names of the packages ("zlib1g") that the
 * last published build of @component brought. */
char **varve_build_published(const VarveBuildPlace *place, const char *component, GError **error);
