/* The known places of OVMF and AAVMF. */
#include "image/firmware.h"

#include "base/error.h"

#include <string.h>

typedef struct {
	const char *arch;
	gboolean secure;
	VarveFirmware firmware;
} Place;

static const Place places[] = {
	/* Debian and Ubuntu, ovmf */
	{ "x86-64",
	  FALSE,
	  { "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd" } },
	{ "x86-64",
	  TRUE,
	  { "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd" } },
	{ "x86-64", FALSE, { "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd" } },
	{ "x86-64",
	  TRUE,
	  { "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd" } },
	/* Fedora, edk2-ovmf */
	{ "x86-64",
	  FALSE,
	  { "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd" } },
	{ "x86-64",
	  TRUE,
	  { "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd" } },
	/* Debian, qemu-efi-aarch64 */
	{ "arm64",
	  FALSE,
	  { "/usr/share/AAVMF/AAVMF_CODE.no-secboot.fd", "/usr/share/AAVMF/AAVMF_VARS.fd" } },
	{ "arm64", FALSE, { "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd" } },
	{ "arm64",
	  TRUE,
	  { "/usr/share/AAVMF/AAVMF_CODE.secboot.fd", "/usr/share/AAVMF/AAVMF_VARS.fd" } },
	{ "arm64",
	  TRUE,
	  { "/usr/share/AAVMF/AAVMF_CODE.ms.fd", "/usr/share/AAVMF/AAVMF_VARS.fd" } },
	/* Fedora, edk2-aarch64 */
	{ "arm64",
	  FALSE,
	  { "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
	    "/usr/share/edk2/aarch64/vars-template-pflash.raw" } },
};

gboolean varve_firmware_find(const VarveArch *arch, gboolean secure, const char *root,
			     VarveFirmware *ret, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		const VarveFirmware *firmware = &places[i].firmware;
		g_autofree char *code = g_build_filename(root ? root : "/", firmware->code, NULL);
		g_autofree char *variables =
			g_build_filename(root ? root : "/", firmware->variables, NULL);

		if (strcmp(places[i].arch, arch->name) == 0 && places[i].secure == secure &&
		    g_file_test(code, G_FILE_TEST_IS_REGULAR) &&
		    g_file_test(variables, G_FILE_TEST_IS_REGULAR)) {
			*ret = *firmware;
			return TRUE;
		}
	}
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "no UEFI firmware for %s%s: install '%s' (Debian) or '%s' (Fedora)",
			  arch->name, secure ? " with Secure Boot" : "",
			  strcmp(arch->name, "arm64") == 0 ? "qemu-efi-aarch64" : "ovmf",
			  strcmp(arch->name, "arm64") == 0 ? "edk2-aarch64" : "edk2-ovmf");
}
