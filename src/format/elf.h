/* What an ELF file (System V ABI, 32 and 64 bits, either byte order) wants from the dynamic loader:
 * enough to close a set of programs over their libraries. Input is hostile: every offset is checked
 * and nothing is mapped. */
#pragma once

#include <glib.h>

typedef struct {
	guint16 machine; /* EM_… */
	guint8 bits;     /* 32 or 64 */
	gboolean big_endian;
	guint16 type;      /* ET_REL, ET_EXEC, ET_DYN, … */
	char *interpreter; /* PT_INTERP, "" where there is none */
	char *soname;      /* DT_SONAME, "" where there is none */
	char *runpath;     /* DT_RUNPATH, else DT_RPATH, else "" ; as it stands, with $ORIGIN */
	char **needed;     /* DT_NEEDED, in the file's order; never NULL */
} VarveElf;

/**
 * varve_elf_read:
 * Reads the file behind @fd (borrowed; its position does not matter).
 *
 * @name: for messages.
 *
 * Errors: NOT_FOUND (not an ELF file at all: scripts, data), CORRUPT (it starts like one, but is
 * not sound), SYSTEM.
 */
VarveElf *varve_elf_read(int fd, const char *name, GError **error);
/** varve_elf_parse: the same from memory. */
VarveElf *varve_elf_parse(const void *data, size_t size, const char *name, GError **error);
void varve_elf_free(VarveElf *elf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveElf, varve_elf_free)
