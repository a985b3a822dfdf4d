/* UEFI firmware for QEMU, where Debian's and Fedora's packages put it. */
#pragma once

#include "format/partition-types.h"

#include <glib.h>

typedef struct {
	const char *code;      /* static paths */
	const char *variables; /* the template of an empty variable store */
} VarveFirmware;

/**
 * varve_firmware_find:
 * @secure: the build that enforces Secure Boot (and, on x86-64, needs SMM).
 * @root: (nullable) directory to look below, for tests; NULL is the host.
 *
 * Errors: NOT_FOUND: the message names the packages.
 */
gboolean varve_firmware_find(const VarveArch *arch, gboolean secure, const char *root,
			     VarveFirmware *ret, GError **error);
