/* What programs of a build wrote. */
#pragma once

#include <glib.h>
#include <stdio.h>

/** varve_log_tail: (caller frees) the last lines of @log, which is at @path; nothing in them that a
 * terminal would take for a command. */
char *varve_log_tail(FILE *log, const char *path);
