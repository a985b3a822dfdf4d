/* Whether UEFI Secure Boot is in force: what the firmware says of itself, through efivarfs. libc
 * only. */
#pragma once

typedef enum {
	VARVE_SECURE_BOOT_NO_UEFI, /* the machine was not started by UEFI firmware */
	VARVE_SECURE_BOOT_OFF,
	VARVE_SECURE_BOOT_ON,
} VarveSecureBoot;

#define VARVE_EFIVARS "/firmware/efi/efivars" /* below /sys */

/**
 * varve_secure_boot_read:
 * Reads SecureBoot and SetupMode (UEFI 2.10, 3.3) as the kernel itself does: on only where the
 * first is 1 and the second is not.
 *
 * @sys: "/sys"; efivarfs is mounted at @sys VARVE_EFIVARS.
 *
 * Returns: 0, or -1 with errno where it cannot be told: ENODEV (efivarfs is not mounted there),
 * EBADMSG (a variable is not one byte), what open and read say.
 */
int varve_secure_boot_read(const char *sys, VarveSecureBoot *ret);
