/* Offsets within PE/COFF images, and the opened image: for pe.c and pe-write.c only. */
#pragma once

#include "format/pe.h"

/* In the DOS header. */
#define DOS_HEADER_SIZE 64
#define DOS_PE_OFFSET 0x3c

/* From the signature "PE\0\0". */
enum {
	COFF_MACHINE = 4,
	COFF_N_SECTIONS = 6,
	COFF_SYMBOLS = 12,
	COFF_N_SYMBOLS = 16,
	COFF_OPTIONAL_SIZE = 20,
	COFF_END = 24,
};

/* From the optional header, which follows; PE32+. */
enum {
	OPTIONAL_MAGIC = 0,
	OPTIONAL_INITIALIZED_SIZE = 8,
	OPTIONAL_SECTION_ALIGNMENT = 32,
	OPTIONAL_FILE_ALIGNMENT = 36,
	OPTIONAL_IMAGE_SIZE = 56,
	OPTIONAL_HEADERS_SIZE = 60,
	OPTIONAL_CHECKSUM = 64,
	OPTIONAL_SUBSYSTEM = 68,
	OPTIONAL_N_DIRECTORIES = 108,
	OPTIONAL_DIRECTORIES = 112,
};
#define DIRECTORY_SIZE 8
#define DIRECTORY_CERTIFICATES 4

/* Of a section's header. */
enum {
	SECTION_NAME = 0,
	SECTION_VIRTUAL_SIZE = 8,
	SECTION_VIRTUAL_ADDRESS = 12,
	SECTION_RAW_SIZE = 16,
	SECTION_RAW_OFFSET = 20,
	SECTION_CHARACTERISTICS = 36,
	SECTION_HEADER_SIZE = 40,
};

struct VarvePe {
	GBytes *bytes;
	const guint8 *data;
	gsize size;
	char *name;
	gsize coff; /* offsets in the file */
	gsize optional;
	gsize sections_table;
	guint32 section_alignment, file_alignment, headers_size;
	gsize certificates_entry; /* offset of the directory's entry; 0: there is none */
	guint32 certificates, certificates_size;
	GArray *sections; /* VarvePeSection, as in the file */
};

static inline guint16 varve_pe_get16(const guint8 *bytes)
{
	return (guint16)(bytes[0] | bytes[1] << 8);
}

static inline guint32 varve_pe_get32(const guint8 *bytes)
{
	return bytes[0] | (guint32)bytes[1] << 8 | (guint32)bytes[2] << 16 |
	       (guint32)bytes[3] << 24;
}

/** varve_pe_contents_end: where the last section's content ends in the file; at least the headers'
 *  end. */
guint64 varve_pe_contents_end(const VarvePe *pe);
/** varve_pe_is_dense: whether sections follow headers and each other in the file without a gap:
 *  only then all ways to take the digest agree. */
gboolean varve_pe_is_dense(const VarvePe *pe);
