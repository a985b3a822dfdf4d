/* Which kernel parameters a file of sysctl.d(5) sets. */
#pragma once

#include <glib.h>

/**
 * varve_sysctl_prefixes:
 * For `systemd-sysctl --prefix=`: each parameter of @text once; of one with a pattern what comes
 * before the pattern's first component.
 *
 * Returns: (caller unrefs) char *.
 */
GPtrArray *varve_sysctl_prefixes(const char *text);
