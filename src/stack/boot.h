/* Composing the root in the initrd (design.md §6, boot): base, state, layers, /usr, /etc, /var. */
#pragma once

#include "stack/report.h"

typedef struct {
	const char *sysroot;      /* where the root is composed: a directory of the initrd */
	const char *root_hash;    /* of the base, hex, from the kernel's command line */
	const char *command_line; /* the kernel's, whole: looked through for side doors */
	int initrd_fd; /* the initrd's root: its usr/lib/verity.d may sign a base, and it has what
			* code integrity needs */
} VarveBootOptions;

/**
 * varve_boot:
 * Composes the whole root below @sysroot, records the generation, writes VARVE_REPORT_FILE. A layer
 * that is refused, a state partition that cannot be used, a record that cannot be written do not
 * keep the node from booting: @report says so. On failure nothing stays mounted and no device
 * stays.
 *
 * Errors: NOT_FOUND (no partition), UNTRUSTED, CORRUPT (the base), REFUSED (a side door on the
 * command line of a base that no development key signed), SYSTEM.
 */
gboolean varve_boot(const VarveBootOptions *options, VarveReport *report, GError **error);
