/* A few bytes in a TPM 2.0: an NV index of the owner hierarchy (TCG, TPM 2.0 Library, part 1, NV
 * memory), through tpm2-tss's ESYS on the kernel's resource manager. Sessions, keys and PCRs are
 * not used. */
#pragma once

#include "base/error.h"

#define VARVE_TPM_DEVICE "/dev/tpmrm0"

typedef struct VarveTpm VarveTpm;

/**
 * varve_tpm_open:
 * Opens VARVE_TPM_DEVICE. Where neither the firmware announces a TPM nor the kernel has found one
 * that is NOT_FOUND at once; where the firmware announces one and the kernel has not found it yet,
 * after two seconds.
 *
 * Errors: NOT_FOUND (there is no TPM 2.0), SYSTEM.
 */
VarveTpm *varve_tpm_open(GError **error);
void varve_tpm_free(VarveTpm *tpm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTpm, varve_tpm_free)

/**
 * varve_tpm_nv_read:
 * @index: handle of the NV index, 0x01….
 * @data: gets @size bytes; untouched on failure.
 *
 * Errors: NOT_FOUND (there is no such index, or it was never written), CONFLICT (there is one that
 * is not as varve_tpm_nv_write() makes it), SYSTEM.
 */
gboolean varve_tpm_nv_read(VarveTpm *tpm, guint32 index, void *data, gsize size, GError **error);

/**
 * varve_tpm_nv_write:
 * Writes the index in one command: that the power may fail meanwhile, and the old bytes or the new
 * ones are there afterwards, is the TPM's part. Makes it first where it is missing: an ordinary
 * index of @size bytes that needs no password, with the owner's, which must be empty for that.
 *
 * @size: at most 512, what every TPM takes at once.
 *
 * Errors: CONFLICT as above, SYSTEM.
 */
gboolean varve_tpm_nv_write(VarveTpm *tpm, guint32 index, const void *data, gsize size,
			    GError **error);
