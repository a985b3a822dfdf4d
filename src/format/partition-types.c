/* The architectures and their partition types (UAPI.2, Discoverable Partitions Specification). */
#include "format/partition-types.h"

#include <string.h>

static const VarveArch arches[] = {
	{
		.name = "x86-64",
		.rpm = "x86_64",
		.debian = "amd64",
		.efi = "x64",
		.qemu = "x86_64",
		.root = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
		.root_verity = "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
		.root_verity_sig = "41092b05-9fc8-4523-994f-2def0408b176",
		.elf_machine = 62,
		.pe_machine = 0x8664,
	},
	{
		.name = "arm64",
		.rpm = "aarch64",
		.debian = "arm64",
		.efi = "aa64",
		.qemu = "aarch64",
		.root = "b921b045-1df0-41c3-af44-4c6f280d3fae",
		.root_verity = "df3300ce-d69f-4c92-978c-9bfb0f38d820",
		.root_verity_sig = "6db69de6-29f4-4758-a7a5-962190f00ce3",
		.elf_machine = 183,
		.pe_machine = 0xaa64,
	},
};

const VarveArch *varve_arch_find(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(arches); i++) {
		if (strcmp(name, arches[i].name) == 0 || strcmp(name, arches[i].rpm) == 0 ||
		    strcmp(name, arches[i].debian) == 0)
			return &arches[i];
	}
	return NULL;
}

const VarveArch *varve_arch_native(void)
{
#if defined(__x86_64__)
	return &arches[0];
#elif defined(__aarch64__)
	return &arches[1];
#else
#error "name this architecture and its partition types in the table above"
#endif
}
