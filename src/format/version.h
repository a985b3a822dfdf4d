/* Comparing versions: RPM's (rpmvercmp with ~ and ^, and epoch:version-release) and UAPI.10's for
 * layers and images. Own code because nodes carry no librpm. */
#pragma once

#include <glib.h>

/** Returns below, equal or above 0, as strcmp. */
int varve_rpm_version_compare(const char *a, const char *b);
/** The same for "[epoch:]version[-release]"; a missing release equals any. */
int varve_rpm_evr_compare(const char *a, const char *b);
/** UAPI.10 version format specification. */
int varve_version_compare(const char *a, const char *b);

/**
 * varve_capability_satisfies:
 * Whether the provided capability ("name", "name = evr") satisfies the required one ("name",
 * "name >= evr", …). Rich (boolean) requirements are not for this function.
 */
gboolean varve_capability_satisfies(const char *provided, const char *required);
