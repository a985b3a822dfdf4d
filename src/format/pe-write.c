/* PE/COFF images made from others: sections appended, signatures added. */
#include "format/pe.h"

#include "base/error.h"
#include "crypt/authenticode.h"
#include "format/pe-layout.h"

#include <string.h>

/* IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ */
#define READ_ONLY_DATA 0x40000040u

/* WIN_CERTIFICATE: length, revision 2.0, PKCS SignedData. */
#define CERTIFICATE_HEADER 8
#define CERTIFICATE_REVISION 0x0200
#define CERTIFICATE_PKCS 0x0002
#define CERTIFICATE_ALIGNMENT 8

static void put16(guint8 *bytes, guint16 value)
{
	value = GUINT16_TO_LE(value);
	memcpy(bytes, &value, sizeof value);
}

static void put32(guint8 *bytes, guint32 value)
{
	value = GUINT32_TO_LE(value);
	memcpy(bytes, &value, sizeof value);
}

static guint64 align(guint64 value, guint32 alignment)
{
	return (value + alignment - 1) & ~(guint64)(alignment - 1);
}

static void pad(GByteArray *image, guint64 size)
{
	guint before = image->len;

	g_byte_array_set_size(image, (guint)size);
	memset(image->data + before, 0, image->len - before);
}

/* The sum of all 16-bit words but its own, carries added in, plus the size. */
static void set_checksum(GByteArray *image, gsize at)
{
	guint64 sum = 0;

	put32(image->data + at, 0);
	for (guint i = 0; i + 1 < image->len; i += 2)
		sum += varve_pe_get16(image->data + i);
	if (image->len % 2)
		sum += image->data[image->len - 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put32(image->data + at, (guint32)sum + image->len);
}

/* An image that is being extended. */
typedef struct {
	const VarvePe *pe;
	GByteArray *image;
	guint n_sections;
	guint64 memory_end; /* of all sections */
	guint64 data_size;  /* SizeOfInitializedData */
} Writer;

static gboolean replace_content(Writer *writer, gsize index, const VarvePeAddition *addition,
				GError **error)
{
	const VarvePe *pe = writer->pe;
	const VarvePeSection *section = varve_pe_section(pe, index);
	guint8 *header = writer->image->data + pe->sections_table + index * SECTION_HEADER_SIZE;
	gsize size = g_bytes_get_size(addition->content);
	guint64 room = section->raw_size;

	for (guint i = 0; i < pe->sections->len; i++) {
		const VarvePeSection *other = varve_pe_section(pe, i);

		if (other->virtual_address > section->virtual_address)
			room = MIN(room, other->virtual_address - section->virtual_address);
	}
	if (size > room)
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "%s: its section %s has room for %" G_GUINT64_FORMAT
				  " bytes, and %" G_GSIZE_FORMAT " are to go there",
				  pe->name, section->name, room, size);
	memset(writer->image->data + section->raw_offset, 0, section->raw_size);
	memcpy(writer->image->data + section->raw_offset, g_bytes_get_data(addition->content, NULL),
	       size);
	put32(header + SECTION_VIRTUAL_SIZE, (guint32)size);
	writer->memory_end = MAX(writer->memory_end, (guint64)section->virtual_address + size);
	return TRUE;
}

static gboolean append_section(Writer *writer, const VarvePeAddition *addition, GError **error)
{
	const VarvePe *pe = writer->pe;
	gsize header = pe->sections_table + (gsize)writer->n_sections * SECTION_HEADER_SIZE;
	gsize size = g_bytes_get_size(addition->content);
	guint64 raw_offset = align(writer->image->len, pe->file_alignment);
	guint64 raw_size = align(size, pe->file_alignment);
	guint64 address = align(writer->memory_end, pe->section_alignment);
	guint8 *at;

	if (header + SECTION_HEADER_SIZE > pe->headers_size)
		return varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"%s: its headers have no room for section %s: they end at %u; take "
			"a stub with more room",
			pe->name, addition->name, pe->headers_size);
	for (gsize i = 0; i < SECTION_HEADER_SIZE; i++)
		if (writer->image->data[header + i] != 0)
			return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
					  "%s: something else is where the header of section %s "
					  "would go",
					  pe->name, addition->name);
	if (raw_offset + raw_size > G_MAXINT32 || address + size > G_MAXINT32)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: with section %s it would be larger than 2 GiB", pe->name,
				  addition->name);
	pad(writer->image, raw_offset);
	g_byte_array_append(writer->image, g_bytes_get_data(addition->content, NULL), (guint)size);
	pad(writer->image, raw_offset + raw_size);
	at = writer->image->data + header;
	memcpy(at + SECTION_NAME, addition->name, strlen(addition->name));
	put32(at + SECTION_VIRTUAL_SIZE, (guint32)size);
	put32(at + SECTION_VIRTUAL_ADDRESS, (guint32)address);
	put32(at + SECTION_RAW_SIZE, (guint32)raw_size);
	put32(at + SECTION_RAW_OFFSET, (guint32)raw_offset);
	put32(at + SECTION_CHARACTERISTICS, READ_ONLY_DATA);
	writer->n_sections++;
	writer->memory_end = address + size;
	writer->data_size += raw_size;
	return TRUE;
}

static gboolean add(Writer *writer, const VarvePeAddition *addition, GError **error)
{
	const VarvePe *pe = writer->pe;
	gsize length = strlen(addition->name);

	if (length == 0 || length > VARVE_PE_NAME_MAX || g_bytes_get_size(addition->content) == 0)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "%s: section '%s' needs a name of 1 to %d bytes and content",
				  pe->name, addition->name, VARVE_PE_NAME_MAX);
	for (guint i = 0; i < pe->sections->len; i++)
		if (strcmp(varve_pe_section(pe, i)->name, addition->name) == 0)
			return replace_content(writer, i, addition, error);
	return append_section(writer, addition, error);
}

/* A symbol table behind the sections is for debuggers, and would lie within what is signed. */
static void drop_symbols(Writer *writer)
{
	guint8 *coff = writer->image->data + writer->pe->coff;

	put32(coff + COFF_SYMBOLS, 0);
	put32(coff + COFF_N_SYMBOLS, 0);
}

GBytes *varve_pe_append(const VarvePe *pe, const VarvePeAddition *additions, gsize n_additions,
			GError **error)
{
	g_autoptr(GByteArray) image = g_byte_array_new();
	Writer writer = { .pe = pe, .image = image, .n_sections = pe->sections->len };
	guint8 *optional;

	if (varve_pe_is_signed(pe)) {
		varve_fail(error, VARVE_ERROR_CONFLICT,
			   "%s: signed already, and sections would break the signature; take the "
			   "unsigned one",
			   pe->name);
		return NULL;
	}
	for (guint i = 0; i < pe->sections->len; i++) {
		const VarvePeSection *section = varve_pe_section(pe, i);

		writer.memory_end = MAX(writer.memory_end,
					(guint64)section->virtual_address + section->virtual_size);
	}
	g_byte_array_append(image, pe->data, (guint)varve_pe_contents_end(pe));
	optional = image->data + pe->optional;
	writer.data_size = varve_pe_get32(optional + OPTIONAL_INITIALIZED_SIZE);
	drop_symbols(&writer);
	for (gsize i = 0; i < n_additions; i++)
		if (!add(&writer, &additions[i], error))
			return NULL;
	optional = image->data + pe->optional;
	put16(image->data + pe->coff + COFF_N_SECTIONS, (guint16)writer.n_sections);
	put32(optional + OPTIONAL_INITIALIZED_SIZE, (guint32)writer.data_size);
	put32(optional + OPTIONAL_IMAGE_SIZE,
	      (guint32)align(writer.memory_end, pe->section_alignment));
	set_checksum(image, pe->optional + OPTIONAL_CHECKSUM);
	return g_byte_array_free_to_bytes(g_steal_pointer(&image));
}

GBytes *varve_pe_sign(const VarvePe *pe, const VarvePrivateKey *key,
		      const VarveCertificate *certificate, GError **error)
{
	g_autoptr(GByteArray) image = g_byte_array_new();
	g_autoptr(GBytes) signature = NULL;
	guint8 header[CERTIFICATE_HEADER];
	VarveDigest digest;
	gsize size, table;

	if (!pe->certificates_entry || !varve_pe_is_dense(pe)) {
		varve_fail(
			error, VARVE_ERROR_UNSUPPORTED, "%s: cannot be signed: %s", pe->name,
			pe->certificates_entry
				? "it has gaps between its sections, where firmware takes no digest"
				: "it has no directory entry for certificates");
		return NULL;
	}
	varve_pe_digest(pe, &digest);
	signature = varve_authenticode_make(key, certificate, &digest, error);
	if (!signature)
		return NULL;
	size = g_bytes_get_size(signature);
	g_byte_array_append(image, pe->data, (guint)pe->size);
	pad(image, align(image->len, CERTIFICATE_ALIGNMENT));
	table = pe->certificates_size ? pe->certificates : image->len;
	/* The length is without the padding that follows. */
	put32(header, (guint32)(CERTIFICATE_HEADER + size));
	put16(header + 4, CERTIFICATE_REVISION);
	put16(header + 6, CERTIFICATE_PKCS);
	g_byte_array_append(image, header, sizeof header);
	g_byte_array_append(image, g_bytes_get_data(signature, NULL), (guint)size);
	pad(image, align(image->len, CERTIFICATE_ALIGNMENT));
	put32(image->data + pe->certificates_entry, (guint32)table);
	put32(image->data + pe->certificates_entry + 4, (guint32)(image->len - table));
	set_checksum(image, pe->optional + OPTIONAL_CHECKSUM);
	return g_byte_array_free_to_bytes(g_steal_pointer(&image));
}
