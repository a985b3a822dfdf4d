/* Comparing versions: RPM's (rpmvercmp with ~ and ^, and epoch:version-release) and UAPI.10's for
 * layers and images. Own code because nodes carry no librpm. */
#pragma once

#include <glib.h>

/** Returns below, equal or above 0, as strcmp. */
int varve_rpm_version_compare(const char *a, const char *b);
/** The same for "[epoch:]version[-release]"; a missing release equals any. */
int varve_rpm_evr_compare(const char *a, const char *b);
/**
 * varve_version_compare:
 * UAPI.10, version format specification, as systemd-boot and systemd-sysext order versions: where
 * one side has a number and the other none, the number is higher ("0" above "a").
 */
int varve_version_compare(const char *a, const char *b);

/**
 * varve_capability_satisfies:
 * Whether the provided capability ("name", "name = evr") satisfies the required one ("name",
 * "name >= evr", …): same name, and the two ranges share a version. Stricter than librpm in one
 * point, as libsolv is: what is provided without a version satisfies only what is required
 * without one. Rich (boolean) requirements are not for this function and give FALSE.
 */
gboolean varve_capability_satisfies(const char *provided, const char *required);
