/* The flash file in which QEMU's firmware keeps its UEFI variables. */
#pragma once

#include "image/enrolment.h"

#include <glib.h>

/**
 * varve_flash_make:
 * Makes @to out of @template_path: with the keys of @enrolment (nullable) in the place of any
 * others, else as it is. Where @keep and @to is there already, its own variables are kept but for
 * the keys.
 *
 * Errors: NOT_FOUND, CORRUPT (@to is of another firmware), SYSTEM; varve_enrolment_variables().
 */
gboolean varve_flash_make(const char *template_path, const VarveEnrolment *enrolment,
			  const char *to, gboolean keep, GError **error);
