/* Who checks layers on this node: userspace alone, or under Secure Boot the kernel too. Settled
 * once at boot, by what varve-init found when it loaded dm-verity; read here from what is really in
 * force. */
#pragma once

#include <glib.h>

/** How the layers' signatures are checked. The scoped one is checked by userspace in any case. */
typedef struct {
	gboolean kernel; /* dm-verity opens nothing without a signature that the kernel accepts */
	const char *why; /* static: "Secure Boot, platform keyring", "Secure Boot is off", … */
} VarveMode;

/**
 * varve_mode_find:
 * Reads the firmware's SecureBoot and dm-verity's require_signatures, which must agree: a node
 * never falls back from the kernel's check to less.
 *
 * @sys: "/sys" (another directory in tests).
 *
 * Errors: UNTRUSTED (they contradict each other), UNSUPPORTED (no dm-verity), SYSTEM.
 */
gboolean varve_mode_find(const char *sys, VarveMode *ret, GError **error);
