/* A TPM 2.0 made of software for a machine in QEMU: swtpm(8), which ends with it. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/** varve_software_tpm_check: whether swtpm is installed. Errors: NOT_FOUND, naming the package. */
gboolean varve_software_tpm_check(GError **error);

/**
 * varve_software_tpm_start:
 * @state: a directory, made if missing: what the TPM keeps over power cycles.
 * @socket: path of the control socket that QEMU connects to; it is there when this returns.
 * @ret_pid: for varve_software_tpm_stop(). The process dies with this one.
 *
 * Errors: USAGE (@socket is too long for a socket), SYSTEM.
 */
gboolean varve_software_tpm_start(const char *state, const char *socket, pid_t *ret_pid,
				  GError **error);

/** varve_software_tpm_stop: ends it, where it has not ended with the machine, and waits. */
void varve_software_tpm_stop(pid_t pid);
