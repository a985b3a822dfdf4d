/* PE/COFF images: opening, sections, the Authenticode digest. */
#include "format/pe.h"

#include "base/error.h"
#include "crypt/sha256.h"
#include "format/pe-layout.h"

#include <string.h>

#define PE32_PLUS 0x20b
#define SECTIONS_MAX 96
#define WIN_CERTIFICATE_SIZE 8
#define EFI_APPLICATION 10
#define EFI_RUNTIME_DRIVER 12

static gboolean corrupt(const VarvePe *pe, const char *what, GError **error)
{
	return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: not a sound PE image: %s", pe->name,
			  what);
}

static gboolean is_alignment(guint32 value)
{
	return value > 0 && value <= 0x10000 && (value & (value - 1)) == 0;
}

static gboolean read_headers(VarvePe *pe, GError **error)
{
	const guint8 *data = pe->data;
	guint32 subsystem;

	if (pe->size > G_MAXINT32)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED, "%s: larger than 2 GiB",
				  pe->name);
	if (pe->size < DOS_HEADER_SIZE || memcmp(data, "MZ", 2) != 0)
		return corrupt(pe, "it does not start with 'MZ'", error);
	pe->coff = varve_pe_get32(data + DOS_PE_OFFSET);
	pe->optional = pe->coff + COFF_END;
	if (pe->optional + OPTIONAL_DIRECTORIES > pe->size ||
	    memcmp(data + pe->coff, "PE\0\0", 4) != 0)
		return corrupt(pe, "there is no PE header where its first one says", error);
	if (varve_pe_get16(data + pe->optional + OPTIONAL_MAGIC) != PE32_PLUS)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED, "%s: not a 64-bit (PE32+) image",
				  pe->name);
	subsystem = varve_pe_get16(data + pe->optional + OPTIONAL_SUBSYSTEM);
	if (subsystem < EFI_APPLICATION || subsystem > EFI_RUNTIME_DRIVER)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: of subsystem %u, expected an EFI program", pe->name,
				  subsystem);
	pe->section_alignment = varve_pe_get32(data + pe->optional + OPTIONAL_SECTION_ALIGNMENT);
	pe->file_alignment = varve_pe_get32(data + pe->optional + OPTIONAL_FILE_ALIGNMENT);
	pe->headers_size = varve_pe_get32(data + pe->optional + OPTIONAL_HEADERS_SIZE);
	if (!is_alignment(pe->section_alignment) || !is_alignment(pe->file_alignment))
		return corrupt(pe, "an alignment is no power of two", error);
	if (pe->headers_size > pe->size)
		return corrupt(pe, "its headers end after the file", error);
	return TRUE;
}

static gboolean read_certificates(VarvePe *pe, GError **error)
{
	guint32 n_directories = varve_pe_get32(pe->data + pe->optional + OPTIONAL_N_DIRECTORIES);
	guint32 optional_size = varve_pe_get16(pe->data + pe->coff + COFF_OPTIONAL_SIZE);
	gsize entry = pe->optional + OPTIONAL_DIRECTORIES + DIRECTORY_CERTIFICATES * DIRECTORY_SIZE;

	if (optional_size < OPTIONAL_DIRECTORIES ||
	    n_directories > (optional_size - OPTIONAL_DIRECTORIES) / DIRECTORY_SIZE)
		return corrupt(pe, "its data directories do not fit into its header", error);
	if (n_directories <= DIRECTORY_CERTIFICATES)
		return TRUE;
	if (entry + DIRECTORY_SIZE > pe->headers_size)
		return corrupt(pe, "its data directories lie outside the headers", error);
	pe->certificates_entry = entry;
	pe->certificates = varve_pe_get32(pe->data + entry);
	pe->certificates_size = varve_pe_get32(pe->data + entry + 4);
	if (pe->certificates_size == 0)
		return TRUE;
	/* Anything behind the table could be changed without breaking a signature. */
	if ((guint64)pe->certificates + pe->certificates_size != pe->size ||
	    pe->certificates % 8 != 0)
		return corrupt(pe, "the certificate table is not what ends the file", error);
	return TRUE;
}

static gboolean check_section(const VarvePe *pe, const VarvePeSection *section, GError **error)
{
	gsize limit = pe->certificates_size ? pe->certificates : pe->size;

	if ((guint64)section->virtual_address + section->virtual_size > G_MAXINT32)
		return corrupt(pe, "a section lies outside of 2 GiB of memory", error);
	if (section->raw_size == 0)
		return TRUE;
	if (section->raw_offset < pe->headers_size || section->raw_offset > limit ||
	    section->raw_size > limit - section->raw_offset)
		return corrupt(pe, "a section's content lies outside the file, or in its headers",
			       error);
	return TRUE;
}

static gint by_offset(gconstpointer a, gconstpointer b)
{
	guint32 left = (*(const VarvePeSection *const *)a)->raw_offset;
	guint32 right = (*(const VarvePeSection *const *)b)->raw_offset;

	return (left > right) - (left < right);
}

/* The sections that have content, as they follow each other in the file. */
static GPtrArray *sections_by_offset(const VarvePe *pe)
{
	GPtrArray *sorted = g_ptr_array_new();

	for (guint i = 0; i < pe->sections->len; i++) {
		VarvePeSection *section = &g_array_index(pe->sections, VarvePeSection, i);

		if (section->raw_size)
			g_ptr_array_add(sorted, section);
	}
	g_ptr_array_sort(sorted, by_offset);
	return sorted;
}

static gboolean read_sections(VarvePe *pe, GError **error)
{
	guint n = varve_pe_get16(pe->data + pe->coff + COFF_N_SECTIONS);
	g_autoptr(GPtrArray) sorted = NULL;

	pe->sections_table =
		pe->optional + varve_pe_get16(pe->data + pe->coff + COFF_OPTIONAL_SIZE);
	if (n == 0 || n > SECTIONS_MAX)
		return corrupt(pe, "it has no sections, or too many", error);
	if (pe->sections_table + (gsize)n * SECTION_HEADER_SIZE > pe->headers_size)
		return corrupt(pe, "its section table does not fit into the headers", error);
	for (guint i = 0; i < n; i++) {
		const guint8 *header = pe->data + pe->sections_table + i * SECTION_HEADER_SIZE;
		VarvePeSection section = {
			.virtual_size = varve_pe_get32(header + SECTION_VIRTUAL_SIZE),
			.virtual_address = varve_pe_get32(header + SECTION_VIRTUAL_ADDRESS),
			.raw_size = varve_pe_get32(header + SECTION_RAW_SIZE),
			.raw_offset = varve_pe_get32(header + SECTION_RAW_OFFSET),
			.characteristics = varve_pe_get32(header + SECTION_CHARACTERISTICS),
		};

		memcpy(section.name, header + SECTION_NAME, VARVE_PE_NAME_MAX);
		if (!check_section(pe, &section, error))
			return FALSE;
		g_array_append_val(pe->sections, section);
	}
	sorted = sections_by_offset(pe);
	for (guint i = 1; i < sorted->len; i++) {
		const VarvePeSection *before = sorted->pdata[i - 1], *section = sorted->pdata[i];

		if (section->raw_offset < before->raw_offset + before->raw_size)
			return corrupt(pe, "two sections share bytes of the file", error);
	}
	return TRUE;
}

VarvePe *varve_pe_open(GBytes *bytes, const char *name, GError **error)
{
	g_autoptr(VarvePe) pe = g_new0(VarvePe, 1);

	pe->bytes = g_bytes_ref(bytes);
	pe->data = g_bytes_get_data(bytes, &pe->size);
	pe->name = g_strdup(name);
	pe->sections = g_array_new(FALSE, TRUE, sizeof(VarvePeSection));
	if (!read_headers(pe, error) || !read_certificates(pe, error) || !read_sections(pe, error))
		return NULL;
	return g_steal_pointer(&pe);
}

void varve_pe_free(VarvePe *pe)
{
	if (!pe)
		return;
	g_bytes_unref(pe->bytes);
	g_free(pe->name);
	g_array_unref(pe->sections);
	g_free(pe);
}

guint16 varve_pe_machine(const VarvePe *pe)
{
	return varve_pe_get16(pe->data + pe->coff + COFF_MACHINE);
}

gsize varve_pe_n_sections(const VarvePe *pe)
{
	return pe->sections->len;
}

const VarvePeSection *varve_pe_section(const VarvePe *pe, gsize index)
{
	return &g_array_index(pe->sections, VarvePeSection, index);
}

const VarvePeSection *varve_pe_find(const VarvePe *pe, const char *name)
{
	for (guint i = 0; i < pe->sections->len; i++)
		if (strcmp(varve_pe_section(pe, i)->name, name) == 0)
			return varve_pe_section(pe, i);
	return NULL;
}

GBytes *varve_pe_content(const VarvePe *pe, const VarvePeSection *section)
{
	gsize size = MIN(section->virtual_size, section->raw_size);

	if (size == 0)
		return g_bytes_new_static("", 0);
	return g_bytes_new_from_bytes(pe->bytes, section->raw_offset, size);
}

gboolean varve_pe_is_signed(const VarvePe *pe)
{
	return pe->certificates_size > 0;
}

guint64 varve_pe_contents_end(const VarvePe *pe)
{
	guint64 end = pe->headers_size;

	for (guint i = 0; i < pe->sections->len; i++) {
		const VarvePeSection *section = varve_pe_section(pe, i);

		if (section->raw_size)
			end = MAX(end, (guint64)section->raw_offset + section->raw_size);
	}
	return end;
}

gboolean varve_pe_is_dense(const VarvePe *pe)
{
	g_autoptr(GPtrArray) sorted = sections_by_offset(pe);
	guint64 end = pe->headers_size;

	for (guint i = 0; i < sorted->len; i++) {
		const VarvePeSection *section = sorted->pdata[i];

		if (section->raw_offset != end)
			return FALSE;
		end += section->raw_size;
	}
	return TRUE;
}

/* UEFI 2.10, 32.2.4: length, revision 2.0, PKCS signed data; entries begin at multiples of eight.
 */
gboolean varve_pe_signatures(const VarvePe *pe, GPtrArray **ret, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	gsize at = pe->certificates, end = at + pe->certificates_size;

	while (end - at >= WIN_CERTIFICATE_SIZE) {
		const guint8 *entry = pe->data + at;
		gsize length = varve_pe_get32(entry);

		if (length < WIN_CERTIFICATE_SIZE || length > end - at)
			return corrupt(pe, "an entry of its certificate table does not fit into it",
				       error);
		if (varve_pe_get16(entry + 4) == 0x0200 && varve_pe_get16(entry + 6) == 0x0002)
			g_ptr_array_add(list,
					g_bytes_new_from_bytes(pe->bytes, at + WIN_CERTIFICATE_SIZE,
							       length - WIN_CERTIFICATE_SIZE));
		at += MIN((length + 7) & ~(gsize)7, end - at);
	}
	*ret = g_steal_pointer(&list);
	return TRUE;
}

/* Windows Authenticode Portable Executable Signature Format, "Calculating the PE Image Hash". */
void varve_pe_digest(const VarvePe *pe, VarveDigest *ret_digest)
{
	static const guint8 zeros[8];
	g_autoptr(GPtrArray) sorted = sections_by_offset(pe);
	g_autoptr(VarveSha256) state = varve_sha256_new();
	gsize end = pe->certificates_size ? pe->certificates : pe->size;
	gsize at = pe->optional + OPTIONAL_CHECKSUM;
	guint64 hashed = pe->headers_size;

	varve_sha256_update(state, pe->data, at);
	at += 4;
	if (pe->certificates_entry) {
		varve_sha256_update(state, pe->data + at, pe->certificates_entry - at);
		at = pe->certificates_entry + DIRECTORY_SIZE;
	}
	varve_sha256_update(state, pe->data + at, pe->headers_size - at);
	for (guint i = 0; i < sorted->len; i++) {
		const VarvePeSection *section = sorted->pdata[i];

		varve_sha256_update(state, pe->data + section->raw_offset, section->raw_size);
		hashed += section->raw_size;
	}
	if (hashed < end)
		varve_sha256_update(state, pe->data + hashed, end - hashed);
	varve_sha256_update(state, zeros, -end & 7);
	varve_sha256_finish(state, ret_digest);
}
