/* Where the machine itself gets Debian from: its apt configuration (sources.list(5)), in both
 * styles. */
#pragma once

#include <glib.h>

typedef struct {
	char *archive;  /* URI of the archive, "http://…/debian" */
	char *security; /* (nullable) URI of the security archive */
} VarveDebianMirror;

void varve_debian_mirror_clear(VarveDebianMirror *mirror);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveDebianMirror, varve_debian_mirror_clear)

/**
 * varve_debian_mirror_find:
 * Looks for Debian among the sources of @directory: an archive is known by its path, which ends in
 * "debian" or "debian-security" (or goes on from there, as snapshots do). Sources of other
 * archives, and files that cannot be read or are damaged, are passed over. The first of a kind is
 * taken.
 *
 * @directory: "/etc/apt".
 *
 * Errors: NOT_FOUND (no archive of Debian's; the message says to set `mirror`), SYSTEM.
 */
gboolean varve_debian_mirror_find(const char *directory, VarveDebianMirror *ret_mirror,
				  GError **error);
