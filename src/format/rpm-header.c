/* RPM's header structure, written. All numbers are big-endian. */
#include "format/rpm-header.h"

#include <string.h>

enum {
	TYPE_INT16 = 3,
	TYPE_INT32 = 4,
	TYPE_INT64 = 5,
	TYPE_STRING = 6,
	TYPE_BIN = 7,
	TYPE_STRING_ARRAY = 8,
	TYPE_I18NSTRING = 9,
};

#define ENTRY_SIZE 16

typedef struct {
	guint32 tag, type, count;
	GByteArray *data;
} Entry;

struct VarveRpmHeader {
	guint32 region;
	GArray *entries; /* of Entry */
};

static void clear_entry(gpointer pointer)
{
	g_byte_array_unref(((Entry *)pointer)->data);
}

VarveRpmHeader *varve_rpm_header_new(guint32 region)
{
	VarveRpmHeader *header = g_new0(VarveRpmHeader, 1);

	header->region = region;
	header->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	g_array_set_clear_func(header->entries, clear_entry);
	return header;
}

void varve_rpm_header_free(VarveRpmHeader *header)
{
	if (!header)
		return;
	g_array_unref(header->entries);
	g_free(header);
}

static void append_u32(GByteArray *data, guint32 value)
{
	guint32 big = GUINT32_TO_BE(value);

	g_byte_array_append(data, (const guint8 *)&big, sizeof(big));
}

static GByteArray *add_entry(VarveRpmHeader *header, guint32 tag, guint32 type, gsize count)
{
	Entry entry = { tag, type, (guint32)count, g_byte_array_new() };

	g_array_append_val(header->entries, entry);
	return entry.data;
}

static void append_text(GByteArray *data, const char *text)
{
	g_byte_array_append(data, (const guint8 *)text, (guint)strlen(text) + 1);
}

void varve_rpm_header_string(VarveRpmHeader *header, guint32 tag, const char *value)
{
	append_text(add_entry(header, tag, TYPE_STRING, 1), value);
}

void varve_rpm_header_translated(VarveRpmHeader *header, guint32 tag, const char *value)
{
	append_text(add_entry(header, tag, TYPE_I18NSTRING, 1), value);
}

void varve_rpm_header_strings(VarveRpmHeader *header, guint32 tag, const GPtrArray *values)
{
	GByteArray *data;

	if (!values->len)
		return;
	data = add_entry(header, tag, TYPE_STRING_ARRAY, values->len);
	for (guint i = 0; i < values->len; i++)
		append_text(data, g_ptr_array_index(values, i));
}

void varve_rpm_header_u16(VarveRpmHeader *header, guint32 tag, const GArray *values)
{
	GByteArray *data;

	if (!values->len)
		return;
	data = add_entry(header, tag, TYPE_INT16, values->len);
	for (guint i = 0; i < values->len; i++) {
		guint16 big = GUINT16_TO_BE(g_array_index(values, guint16, i));

		g_byte_array_append(data, (const guint8 *)&big, sizeof(big));
	}
}

void varve_rpm_header_u32(VarveRpmHeader *header, guint32 tag, const GArray *values)
{
	GByteArray *data;

	if (!values->len)
		return;
	data = add_entry(header, tag, TYPE_INT32, values->len);
	for (guint i = 0; i < values->len; i++)
		append_u32(data, g_array_index(values, guint32, i));
}

void varve_rpm_header_one_u32(VarveRpmHeader *header, guint32 tag, guint32 value)
{
	append_u32(add_entry(header, tag, TYPE_INT32, 1), value);
}

void varve_rpm_header_one_u64(VarveRpmHeader *header, guint32 tag, guint64 value)
{
	guint64 big = GUINT64_TO_BE(value);

	g_byte_array_append(add_entry(header, tag, TYPE_INT64, 1), (const guint8 *)&big,
			    sizeof(big));
}

void varve_rpm_header_bytes(VarveRpmHeader *header, guint32 tag, gconstpointer data, gsize size)
{
	g_byte_array_append(add_entry(header, tag, TYPE_BIN, size), data, (guint)size);
}

static gint compare_entries(gconstpointer a, gconstpointer b)
{
	guint32 left = ((const Entry *)a)->tag, right = ((const Entry *)b)->tag;

	return (left > right) - (left < right);
}

static gsize alignment(guint32 type)
{
	switch (type) {
	case TYPE_INT16:
		return 2;
	case TYPE_INT32:
		return 4;
	case TYPE_INT64:
		return 8;
	default:
		return 1;
	}
}

static void append_index(GByteArray *index, guint32 tag, guint32 type, guint32 offset,
			 guint32 count)
{
	append_u32(index, tag);
	append_u32(index, type);
	append_u32(index, offset);
	append_u32(index, count);
}

GByteArray *varve_rpm_header_serialise(VarveRpmHeader *header)
{
	static const guint8 magic[8] = { 0x8e, 0xad, 0xe8, 0x01 };
	static const guint8 zeros[8] = { 0 };
	g_autoptr(GByteArray) index = g_byte_array_new(), data = g_byte_array_new();
	GByteArray *out = g_byte_array_new();
	guint32 entries = header->entries->len + 1;

	g_array_sort(header->entries, compare_entries);
	for (guint i = 0; i < header->entries->len; i++) {
		const Entry *entry = &g_array_index(header->entries, Entry, i);
		gsize misaligned = data->len % alignment(entry->type);

		if (misaligned)
			g_byte_array_append(data, zeros,
					    (guint)(alignment(entry->type) - misaligned));
		append_index(index, entry->tag, entry->type, data->len, entry->count);
		g_byte_array_append(data, entry->data->data, entry->data->len);
	}
	g_byte_array_append(out, magic, sizeof(magic));
	append_u32(out, entries);
	append_u32(out, data->len + ENTRY_SIZE);
	/* The region covers all: its trailer ends the data and points back over the whole index. */
	append_index(out, header->region, TYPE_BIN, data->len, ENTRY_SIZE);
	g_byte_array_append(out, index->data, index->len);
	append_index(data, header->region, TYPE_BIN, (guint32) - (gint32)(entries * ENTRY_SIZE),
		     ENTRY_SIZE);
	g_byte_array_append(out, data->data, data->len);
	return out;
}
