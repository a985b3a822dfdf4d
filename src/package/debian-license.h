/* What a Debian copyright file says about licences, as an expression for RPM's License tag. */
#pragma once

#include <glib.h>

/**
 * varve_debian_license:
 * The licences that the "License:" fields of a machine-readable copyright file (DEP-5) name,
 * spelled as SPDX does where that is known, else as LicenseRef-Debian-NAME, sorted, joined by
 * " AND "; what a field offers as a choice stays one. A file that is not machine-readable gives
 * "LicenseRef-Debian-copyright": the text is in the package.
 *
 * @copyright: (nullable)
 *
 * Returns: (caller frees)
 */
char *varve_debian_license(const char *copyright);
