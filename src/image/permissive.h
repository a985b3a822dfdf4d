/* Booting with SELinux permissive, to debug: which images may, and which can. */
#pragma once

#include "compose/tools.h"
#include "format/partition-types.h"

#include <glib.h>

/* What systemd-stub (from 254 on) appends to the UKI's command line, with Secure Boot too, unless
 * the machine is a confidential one (systemd-stub(7), smbios-type-11(7)). The node asks by itself
 * whether its base may be booted so. */
#define VARVE_PERMISSIVE_SMBIOS "io.systemd.stub.kernel-cmdline-extra=enforcing=0"

/**
 * varve_permissive_check:
 * Whether the raw disk image @disk may be booted permissive: the base in slot A is signed by a
 * certificate that it carries in usr/lib/verity.d and that is marked as development; and can be:
 * the stub of each UKI takes the word, and no command line says otherwise before it (libselinux
 * takes the first).
 *
 * @scratch: a directory of the caller's for a moment's copies.
 *
 * Errors: REFUSED (not development, or by nobody that it knows), UNSUPPORTED (stub or command line;
 * a compressed base), NOT_FOUND (no slot A, no UKI, no mtools), CORRUPT, SYSTEM.
 */
gboolean varve_permissive_check(const VarveTools *tools, const char *disk, const VarveArch *arch,
				const char *scratch, GError **error);
