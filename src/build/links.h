/* What an upstream's maintainer scripts would do to a root in which programs are built. */
#pragma once

#include <glib.h>

/**
 * varve_build_links:
 * Makes the names that Debian's alternatives would: "cc", "awk", "yacc"; each where what it leads
 * to is there and the name is not.
 */
gboolean varve_build_links(const char *root, GError **error);

/** varve_build_rpmrc: has rpm take its compiler flags from our macros, whatever processor it runs
 * on:
 *  @arch is RPM's. */
gboolean varve_build_rpmrc(const char *root, const char *arch, GError **error);

/** varve_build_user: adds the user and group "build" (VARVE_BUILD_USER) to the root's own. */
gboolean varve_build_user(const char *root, GError **error);
