/* A TPM behind another transport than the kernel's device: the simulator of a test. */
#pragma once

#include "device/tpm.h"

#include <tss2/tss2_tcti.h>

/**
 * varve_tpm_new:
 * @transport: an initialised context in memory of g_malloc(); taken over, also on failure.
 */
VarveTpm *varve_tpm_new(TSS2_TCTI_CONTEXT *transport, const char *name, GError **error);
