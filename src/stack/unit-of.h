/* Which systemd unit a process belongs to, by its control group (systemd, cgroups). */
#pragma once

#include <glib.h>

/**
 * varve_unit_of:
 * The unit of the process @pid, as long as it is still the one that is meant: called @comm, and
 * started before @when (microseconds since the epoch).
 *
 * Returns: (caller frees) or NULL.
 */
char *varve_unit_of(guint pid, const char *comm, gint64 when);

/* @text: what /proc/PID/cgroup says (cgroups(7)). */

/** varve_cgroup_path: (caller frees, nullable) the path in the unified hierarchy: "/…". */
char *varve_cgroup_path(const char *text);
/** varve_unit_from_cgroup: (caller frees, nullable) the unit that the system's manager started: the
 *  outermost, whatever it makes below itself. */
char *varve_unit_from_cgroup(const char *text);
