/* ELF files from anywhere. */
#include "format/elf.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarveElf) elf = varve_elf_parse(data, size, "input", NULL);

	/* What was read must be whole. */
	if (elf && (!elf->needed || !elf->soname || !elf->interpreter || !elf->runpath))
		__builtin_trap();
	return 0;
}
