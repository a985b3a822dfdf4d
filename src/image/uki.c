/* Unified kernel images: the sections, their order, and where the parts come from. */
#include "image/uki.h"

#include "base/error.h"
#include "base/file.h"
#include "format/pe.h"

#include <string.h>

#define PART_LIMIT (256 * 1024 * 1024)

static GBytes *read_part(const char *path, const char *what, GError **error)
{
	char *data;
	size_t size;

	if (varve_file_read(AT_FDCWD, path, PART_LIMIT, &data, &size, error))
		return g_bytes_new_take(data, size);
	g_prefix_error(error, "%s: ", what);
	return NULL;
}

/* Opens a part that has to be an EFI program of the right machine. */
static VarvePe *open_part(GBytes *bytes, const char *path, const VarveArch *arch, GError **error)
{
	g_autoptr(VarvePe) pe = varve_pe_open(bytes, path, error);

	if (!pe)
		return NULL;
	if (varve_pe_machine(pe) != arch->pe_machine) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: is for another machine (PE machine 0x%04x, expected 0x%04x, %s)",
			   path, varve_pe_machine(pe), arch->pe_machine, arch->name);
		return NULL;
	}
	return g_steal_pointer(&pe);
}

static GBytes *sign(GBytes *image, const char *name, const VarvePrivateKey *key,
		    const VarveCertificate *certificate, GError **error)
{
	g_autoptr(VarvePe) pe = NULL;

	if (!key)
		return g_bytes_ref(image);
	pe = varve_pe_open(image, name, error);
	return pe ? varve_pe_sign(pe, key, certificate, error) : NULL;
}

GBytes *varve_uki_build(const VarveUki *uki, GError **error)
{
	g_autoptr(GBytes) stub_bytes = read_part(uki->stub, "stub", error);
	g_autoptr(GBytes) kernel = stub_bytes ? read_part(uki->kernel, "kernel", error) : NULL;
	g_autoptr(VarvePe) stub = NULL;
	g_autoptr(VarvePe) kernel_pe = NULL;
	g_autoptr(GBytes) os_release = NULL;
	g_autoptr(GBytes) command_line = NULL;
	g_autoptr(GBytes) uname = NULL;
	g_autoptr(GBytes) image = NULL;

	if (!kernel)
		return NULL;
	stub = open_part(stub_bytes, uki->stub, uki->arch, error);
	/* Without an EFI entry the stub could load it, but not start it. */
	kernel_pe = stub ? open_part(kernel, uki->kernel, uki->arch, error) : NULL;
	if (!kernel_pe)
		return NULL;
	os_release = g_bytes_new(uki->os_release, strlen(uki->os_release));
	command_line = g_bytes_new(uki->command_line, strlen(uki->command_line));
	uname = g_bytes_new(uki->kernel_version, strlen(uki->kernel_version));
	/* The kernel last: it may grow in memory beyond its section when it is started in place. */
	image = varve_pe_append(stub,
				(const VarvePeAddition[]){
					{ ".osrel", os_release },
					{ ".cmdline", command_line },
					{ ".uname", uname },
					{ ".initrd", uki->initrd },
					{ ".linux", kernel },
				},
				5, error);
	return image ? sign(image, "unified kernel image", uki->key, uki->certificate, error)
		     : NULL;
}

GBytes *varve_uki_boot_loader(const char *path, const VarveArch *arch, const VarvePrivateKey *key,
			      const VarveCertificate *certificate, GError **error)
{
	g_autoptr(GBytes) bytes = read_part(path, "boot loader", error);
	g_autoptr(VarvePe) pe = bytes ? open_part(bytes, path, arch, error) : NULL;

	return pe ? sign(bytes, path, key, certificate, error) : NULL;
}

char *varve_uki_command_line(const VarveDigest *root, const char *const *further, GError **error)
{
	static const char *const ours[] = { "varve.roothash", "systemd.gpt_auto",
					    "systemd.import_credentials" };
	g_autoptr(GString) line = g_string_new("varve.roothash=");
	char hex[VARVE_DIGEST_HEX_SIZE];

	varve_digest_to_hex(root, hex);
	g_string_append_printf(line, "%s ro systemd.gpt_auto=0 systemd.import_credentials=no", hex);
	for (; further && *further; further++) {
		gsize length = strcspn(*further, "=");

		for (gsize i = 0; i < G_N_ELEMENTS(ours); i++) {
			if (strlen(ours[i]) == length && strncmp(*further, ours[i], length) == 0) {
				varve_fail(error, VARVE_ERROR_USAGE,
					   "kernel command line: '%s' is set by the image itself; "
					   "take it out of kernel-command-line",
					   ours[i]);
				return NULL;
			}
		}
		if (strpbrk(*further, "\r\n")) {
			varve_fail(error, VARVE_ERROR_USAGE,
				   "kernel command line: '%s' has a line break", *further);
			return NULL;
		}
		g_string_append_printf(line, " %s", *further);
	}
	return g_string_free(g_steal_pointer(&line), FALSE);
}

char *varve_uki_find_kernel(const char *root, const char *version, GError **error)
{
	g_autofree char *in_modules =
		g_build_filename(root, "usr/lib/modules", version, "vmlinuz", NULL);
	g_autofree char *name = g_strdup_printf("vmlinuz-%s", version);
	g_autofree char *in_boot = g_build_filename(root, "boot", name, NULL);

	if (g_file_test(in_modules, G_FILE_TEST_IS_REGULAR))
		return g_steal_pointer(&in_modules);
	if (g_file_test(in_boot, G_FILE_TEST_IS_REGULAR))
		return g_steal_pointer(&in_boot);
	varve_fail(error, VARVE_ERROR_NOT_FOUND, "no kernel %s: neither '%s' nor '%s'", version,
		   in_modules, in_boot);
	return NULL;
}

char *varve_uki_find_efi(const char *const *roots, const VarveArch *arch, VarveEfiFile file,
			 GError **error)
{
	g_autofree char *name = g_strdup_printf(
		file == VARVE_EFI_STUB ? "linux%s.efi.stub" : "systemd-boot%s.efi", arch->efi);

	for (; *roots; roots++) {
		g_autofree char *path =
			g_build_filename(*roots, "usr/lib/systemd/boot/efi", name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
			return g_steal_pointer(&path);
	}
	varve_fail(error, VARVE_ERROR_NOT_FOUND,
		   "no '%s' below usr/lib/systemd/boot/efi: install systemd-boot-efi (Debian) or "
		   "systemd-boot-unsigned (Fedora) in the tools tree or on this machine",
		   name);
	return NULL;
}
