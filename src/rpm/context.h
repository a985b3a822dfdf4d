/* librpm's process-wide state, set up once and without the host's or the user's configuration, and
 * what it says, caught per thread. Only src/rpm includes this. */
#pragma once

#include <glib.h>

/** varve_rpm_init: may be called any number of times, from any thread. */
void varve_rpm_init(void);

/**
 * varve_rpm_listen:
 * What librpm says on this thread (notices, warnings, errors) is appended to @into from now on;
 * NULL: it is dropped again. Never printed. An autoptr-like end: varve_rpm_listen(NULL).
 */
void varve_rpm_listen(GString *into);

/** varve_rpm_set_macro: overrides @name for the process; only children that were forked for a
 *  transaction do that. */
void varve_rpm_set_macro(const char *name, const char *value);
