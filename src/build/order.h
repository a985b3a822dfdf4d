/* In which order components are built: who brings something before who asks for it. */
#pragma once

#include <glib.h>

/** What a spec asks for and what its packages bring, as RPM capabilities. */
typedef struct {
	char *name; /* of the component */
	char **requires;
	char **provides;
} VarveBuildNeeds;

void varve_build_needs_free(VarveBuildNeeds *needs);

/**
 * varve_build_order:
 * Where nobody needs anybody the order stays as it is. Versions are not compared: who brings an
 * older one than is asked for is built first all the same, and the solver tells. A component may
 * ask for what it brings itself.
 *
 * @needs: (element-type VarveBuildNeeds)
 *
 * Returns: (caller frees with g_ptr_array_unref) (element-type VarveBuildNeeds) borrowed from
 * @needs. Errors: CONFLICT (some need each other; the circle is named).
 */
GPtrArray *varve_build_order(const GPtrArray *needs, GError **error);

/** varve_build_needs_any: (borrowed, nullable) the first of @others (element-type VarveBuildNeeds)
 *  that brings what @needs asks for. */
const VarveBuildNeeds *varve_build_needs_any(const VarveBuildNeeds *needs, const GPtrArray *others);
