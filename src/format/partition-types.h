/* The partition types of the Discoverable Partitions Specification that Varve uses, by
 * architecture. */
#pragma once

#include "format/gpt.h"

/** Architectures as layers name them; everything that depends on one asks here. */
typedef struct {
	const char *name;   /* "x86-64", "arm64": layers, os-release, extension-release */
	const char *rpm;    /* "x86_64", "aarch64" */
	const char *debian; /* "amd64", "arm64" */
	const char *efi;    /* "x64", "aa64": BOOTX64.EFI, linuxx64.efi.stub */
	const char *qemu;   /* qemu-system-… */
	const char *root;   /* type GUIDs */
	const char *root_verity;
	const char *root_verity_sig;
	uint16_t elf_machine; /* EM_X86_64, EM_AARCH64 */
	uint16_t pe_machine;  /* IMAGE_FILE_MACHINE_… */
} VarveArch;

/** (static, nullable) the architecture called @name in any of the three spellings. */
const VarveArch *varve_arch_find(const char *name);
/** (static) the one that this program was built for. */
const VarveArch *varve_arch_native(void);

#define VARVE_GUID_ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define VARVE_GUID_LINUX_DATA "0fc63daf-8483-4772-8e79-3d69d8477de4"
