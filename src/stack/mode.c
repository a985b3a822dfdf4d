/* Kernel mode or userspace mode. */
#include "stack/mode.h"

#include "base/error.h"
#include "base/file.h"
#include "ground/secure-boot.h"

#include <string.h>

#define REQUIRE_SIGNATURES "/module/dm_verity/parameters/require_signatures"

static gboolean read_required(const char *sys, gboolean *ret, GError **error)
{
	g_autofree char *path = g_strconcat(sys, REQUIRE_SIGNATURES, NULL);
	g_autoptr(GError) local = NULL;
	g_autofree char *text = NULL;
	gsize size;

	if (varve_file_read(AT_FDCWD, path, 64, &text, &size, &local)) {
		*ret = text[0] == 'Y' || text[0] == '1';
		return TRUE;
	}
	if (!g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			  "%s is not there: the kernel has no dm-verity with signatures; the "
			  "module dm-verity belongs into the initrd",
			  path);
}

gboolean varve_mode_find(const char *sys, VarveMode *ret, GError **error)
{
	VarveSecureBoot secure_boot;
	gboolean required = FALSE;

	if (varve_secure_boot_read(sys, &secure_boot) < 0)
		return varve_fail_errno(
			error, errno, "whether Secure Boot is on cannot be told: %s" VARVE_EFIVARS,
			sys);
	if (!read_required(sys, &required, error))
		return FALSE;
	if (required && secure_boot != VARVE_SECURE_BOOT_ON)
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "dm-verity asks for signatures, but Secure Boot is off, so the "
				  "kernel has no certificate to check them with: take "
				  "dm_verity.require_signatures off the kernel's command line, or "
				  "switch Secure Boot on");
	if (!required && secure_boot == VARVE_SECURE_BOOT_ON)
		return varve_fail(
			error, VARVE_ERROR_UNTRUSTED,
			"Secure Boot is on, but dm-verity does not ask for signatures "
			"(require_signatures is N): the initrd's varve-init is of another "
			"version than its varvectl, or dm-verity is built into this "
			"kernel and dm_verity.require_signatures=1 belongs on its "
			"command line; build the image again");
	ret->kernel = required;
	ret->why = required                                   ? "Secure Boot, platform keyring"
		   : secure_boot == VARVE_SECURE_BOOT_NO_UEFI ? "not started by UEFI firmware"
							      : "Secure Boot is off";
	return TRUE;
}
