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

/** varve_unit_from_cgroup: (caller frees, nullable) the unit in the text of /proc/PID/cgroup. */
char *varve_unit_from_cgroup(const char *text);
