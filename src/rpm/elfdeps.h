/* Sonames that ELF files provide and require, as rpm's own elfdeps finds them. */
#pragma once

#include <glib.h>

/**
 * varve_elfdeps_run:
 * @paths: files on the host, one line each (names with a newline are not for it).
 * @ret_provides: (caller frees with g_strfreev) capabilities like "libc.so.6(GLIBC_2.34)(64bit)".
 * @ret_requires: likewise.
 *
 * Errors: NOT_FOUND (rpm's elfdeps is not installed), SYSTEM.
 */
gboolean varve_elfdeps_run(const GPtrArray *paths, char ***ret_provides, char ***ret_requires,
			   GError **error);
