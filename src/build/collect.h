/* What rpmbuild left behind in a build root, taken out of it. Everything there was made by programs
 * of strangers: nothing is followed, every package is read and must be what it says. */
#pragma once

#include "format/component-facts.h"
#include "format/partition-types.h"

/**
 * varve_build_collect:
 * Copies the packages and the source package below @home (the host directory that is /build inside)
 * to the empty directory @into, dated @time.
 *
 * @facts: what every package must say of its component.
 *
 * Errors: CORRUPT (a package that is not what its name or @facts say), NOT_FOUND (there is none).
 */
gboolean varve_build_collect(const char *home, const char *into, const VarveComponentFacts *facts,
			     const VarveArch *arch, gint64 time, GError **error);

/** varve_build_date: gives the files @paths (char *) the time @time. */
gboolean varve_build_date(const GPtrArray *paths, gint64 time, GError **error);
