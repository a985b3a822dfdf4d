/* The identifiers of the SPDX licence list that distributions use: for license.c only. */
#pragma once

#include <glib.h>

/** Whether @id (@length bytes) is a licence of the list, deprecated ones ("GPL-2.0+") included. */
gboolean varve_license_is_known(const char *id, gsize length);
/** Whether it is an exception, as after WITH. */
gboolean varve_license_exception_is_known(const char *id, gsize length);
