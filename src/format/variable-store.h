/* UEFI variables as EDK2 keeps them in flash, and as the files are made that QEMU takes for it
 * (OVMF_VARS*.fd, AAVMF_VARS.fd): a firmware volume (PI 1.8, volume 3, 3.2.1) whose content is a
 * store of authenticated variables (EDK2, MdeModulePkg, VariableFormat.h). Input is hostile. */
#pragma once

#include "format/efi-variable.h"

#include <glib.h>

/**
 * varve_variable_store_set:
 * A copy of @store in which the @n @variables are what they say and all others what they were. What
 * was deleted is gone from it. Flash that no firmware has written to yet (zeros, as AAVMF_VARS.fd
 * has them) is first given the volume that ArmVirtQemu's firmware would make.
 *
 * @name: of @store, for messages.
 * Returns: (caller unrefs) as large as @store; the same input gives the same bytes.
 * Errors: CORRUPT (no such volume or store: names the field), UNSUPPORTED (a store whose variables
 * are not authenticated; no room for all of them).
 */
GBytes *varve_variable_store_set(GBytes *store, const char *name, const VarveEfiVariable *variables,
				 gsize n, GError **error);
