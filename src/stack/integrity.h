/* Code integrity: only code of layers that the kernel verified is executed. Integrity Policy
 * Enforcement (Linux, admin-guide/LSM/ipe) with the policy that the build put into the initrd,
 * signed by the platform key; in kernel mode only, because elsewhere no device is verified by the
 * kernel and it would accept no policy. */
#pragma once

#include "stack/report.h"

/* Of the initrd: what the edition asks for ("audit" or "enforce"), and the signed policy. */
#define VARVE_INTEGRITY_ASKED "usr/lib/varve/initrd/code-integrity"
#define VARVE_INTEGRITY_POLICY "usr/lib/varve/initrd/code-integrity.p7b"

/**
 * varve_integrity_start:
 * Loads and activates the policy, reads back that it is in force, and tells @report. The last thing
 * before the root is entered: from here on nothing of the initrd can be started. Never fails: a
 * node without it still runs, and is not compliant (`code-integrity`).
 *
 * @initrd_fd: the initrd's root.
 * @sys: "/sys"; securityfs is mounted below it where it is not.
 */
void varve_integrity_start(int initrd_fd, const char *sys, gboolean kernel_mode,
			   VarveReport *report);

/**
 * varve_integrity_check:
 * Compares what the boot put in force with what is in force now, and complains in @report
 * (`code-integrity`) where root has changed it since. Who may not look is told nothing.
 */
void varve_integrity_check(const char *sys, VarveReport *report);
