/* Unified kernel images (UAPI.5): systemd's stub with the kernel, the initrd, os-release and the
 * command line as sections of one PE file, signed for Secure Boot where a key is given. */
#pragma once

#include "crypt/signature.h"
#include "format/partition-types.h"

#include <glib.h>

/** VarveUki: the parts. Zero-initialise, fill; nothing is owned. */
typedef struct {
	const VarveArch *arch;
	const char *stub;   /* host path of linuxARCH.efi.stub: varve_uki_find_efi() */
	const char *kernel; /* host path: varve_uki_find_kernel() */
	GBytes *initrd;
	const char *os_release;     /* the text of os-release */
	const char *command_line;   /* varve_uki_command_line() */
	const char *kernel_version; /* the section .uname */
	/* (nullable, both or none) the platform key. */
	const VarvePrivateKey *key;
	const VarveCertificate *certificate;
} VarveUki;

/**
 * varve_uki_build:
 * Returns: (caller unrefs) the image; the same parts give the same bytes.
 *
 * Errors: NOT_FOUND, CORRUPT (stub or kernel is no PE file of this architecture), UNSUPPORTED,
 * CONFLICT (key and certificate differ).
 */
GBytes *varve_uki_build(const VarveUki *uki, GError **error);

/**
 * varve_uki_boot_loader:
 * Reads systemd-boot from @path and signs it where @key is given (with @certificate).
 *
 * Returns: (caller unrefs). Errors: as varve_uki_build().
 */
GBytes *varve_uki_boot_loader(const char *path, const VarveArch *arch, const VarvePrivateKey *key,
			      const VarveCertificate *certificate, GError **error);

/**
 * varve_uki_command_line:
 * The kernel's command line: varve.roothash=@root, what closes systemd's own automatic mounts and
 * imported credentials, then @further (nullable; an edition's kernel-command-line).
 *
 * Returns: (caller frees) or NULL: USAGE where an argument of @further has a line break or sets
 * what Varve sets.
 */
char *varve_uki_command_line(const VarveDigest *root, const char *const *further, GError **error);

/**
 * varve_uki_find_kernel:
 * Returns: (caller frees) usr/lib/modules/@version/vmlinuz or boot/vmlinuz-@version below @root.
 */
char *varve_uki_find_kernel(const char *root, const char *version, GError **error);

typedef enum {
	VARVE_EFI_STUB,   /* linuxARCH.efi.stub */
	VARVE_EFI_LOADER, /* systemd-bootARCH.efi */
} VarveEfiFile;

/**
 * varve_uki_find_efi:
 * Looks for usr/lib/systemd/boot/efi/FILE below each of @roots (host directories; "/" is the host
 * itself), in that order; unsigned files only.
 *
 * @roots: NULL-terminated.
 * Returns: (caller frees) the path, or NULL: NOT_FOUND, the message names the package.
 */
char *varve_uki_find_efi(const char *const *roots, const VarveArch *arch, VarveEfiFile file,
			 GError **error);
