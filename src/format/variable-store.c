/* EDK2's variable stores: the variables that count are taken over and written one after the other,
 * which is what the firmware itself does when it reclaims the space of deleted ones. */
#include "format/variable-store.h"

#include "base/error.h"
#include "format/bytes.h"

#include <string.h>

#define SYSTEM_NV_DATA "fff12b8d-7696-4c8b-a985-2747075b4f50" /* EFI_SYSTEM_NV_DATA_FV_GUID */
#define AUTHENTICATED "aaf32c78-947b-439a-a180-2e144ec37792"  /* EFI_AUTHENTICATED_VARIABLE_GUID */
#define PLAIN "ddcf3616-3275-4164-98b6-fe85707ffe7d"          /* EFI_VARIABLE_GUID */

/* EFI_FIRMWARE_VOLUME_HEADER. */
enum {
	VOLUME_FILE_SYSTEM = 16,
	VOLUME_LENGTH = 32,
	VOLUME_SIGNATURE = 40,
	VOLUME_ATTRIBUTES = 44,
	VOLUME_HEADER_LENGTH = 48,
	VOLUME_CHECKSUM = 50,
	VOLUME_REVISION = 55,
	VOLUME_BLOCKS = 56, /* pairs of number and size, ended by a pair of zeros */
	VOLUME_MINIMUM = 72,
};
#define REVISION 2

/* VARIABLE_STORE_HEADER. */
enum {
	STORE_SIGNATURE = 0,
	STORE_SIZE = 16,
	STORE_FORMAT = 20,
	STORE_STATE = 21,
	STORE_HEADER = 28,
};
#define FORMATTED 0x5a
#define HEALTHY 0xfe

/* AUTHENTICATED_VARIABLE_HEADER; name and data follow, then padding to 4 bytes. */
enum {
	VARIABLE_START = 0,
	VARIABLE_STATE = 2,
	VARIABLE_ATTRIBUTES = 4,
	VARIABLE_TIME = 16,
	VARIABLE_NAME_SIZE = 36,
	VARIABLE_DATA_SIZE = 40,
	VARIABLE_VENDOR = 44,
	VARIABLE_HEADER = 60,
};
#define START 0x55aa
#define ALIGNMENT 4
#define ERASED 0xff
/* Flash can only clear bits without an erasure, so a variable's life is a byte that loses them. */
#define ADDED 0x3f
#define IN_TRANSITION 0x3e /* its successor is being written */

/* The volume of ArmVirtQemu: store, working and spare block of 256 KiB each, in flash of 64 MiB. */
#define ARM_BLOCK (256 * 1024)
#define ARM_FLASH (64 * 1024 * 1024)
#define ARM_VOLUME (3 * ARM_BLOCK)
#define ARM_ATTRIBUTES 0x0e36

typedef struct {
	const char *name; /* for messages */
	guint8 *data;     /* the copy */
	gsize size;
	gsize start, end; /* where the variables may lie; the start is aligned */
} Store;

typedef struct {
	gsize offset, size; /* of header, name and data */
	guint8 state;
	const guint8 *vendor; /* 16 bytes, on disk's order */
	const guint8 *name;   /* UTF-16 with its NUL */
	gsize name_size;
} Entry;

static gsize align(gsize value)
{
	return (value + ALIGNMENT - 1) & ~(gsize)(ALIGNMENT - 1);
}

static gboolean is_guid(const guint8 *at, const char *text)
{
	VarveGuid found = varve_guid_get(at), expected;

	return varve_guid_from_text(text, &expected) &&
	       memcmp(&found, &expected, sizeof(found)) == 0;
}

static void put_guid(guint8 *at, const char *text)
{
	VarveGuid guid;

	if (!varve_guid_from_text(text, &guid))
		g_error("'%s' is not a GUID", text);
	varve_guid_put(at, &guid);
}

/* The sum of all 16-bit words of a sound header is 0. */
static guint16 sum(const guint8 *header, gsize size)
{
	guint16 result = 0;

	for (gsize i = 0; i + 1 < size; i += 2)
		result = (guint16)(result + varve_get_le16(header + i));
	return result;
}

static gboolean is_blank(const guint8 *data, gsize size)
{
	return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

static void format_blank(guint8 *data)
{
	guint8 *store = data + VOLUME_MINIMUM;

	put_guid(data + VOLUME_FILE_SYSTEM, SYSTEM_NV_DATA);
	varve_put_le64(data + VOLUME_LENGTH, ARM_VOLUME);
	memcpy(data + VOLUME_SIGNATURE, "_FVH", 4);
	varve_put_le32(data + VOLUME_ATTRIBUTES, ARM_ATTRIBUTES);
	varve_put_le16(data + VOLUME_HEADER_LENGTH, VOLUME_MINIMUM);
	data[VOLUME_REVISION] = REVISION;
	varve_put_le32(data + VOLUME_BLOCKS, ARM_FLASH / ARM_BLOCK);
	varve_put_le32(data + VOLUME_BLOCKS + 4, ARM_BLOCK);
	varve_put_le16(data + VOLUME_CHECKSUM, (guint16)-sum(data, VOLUME_MINIMUM));
	put_guid(store + STORE_SIGNATURE, AUTHENTICATED);
	varve_put_le32(store + STORE_SIZE, ARM_BLOCK - VOLUME_MINIMUM);
	store[STORE_FORMAT] = FORMATTED;
	store[STORE_STATE] = HEALTHY;
	/* Erased working and spare blocks are what the firmware makes its own of. */
	memset(store + STORE_HEADER, ERASED, ARM_VOLUME - VOLUME_MINIMUM - STORE_HEADER);
}

static gboolean open_volume(Store *store, gsize *ret_header, gsize *ret_length, GError **error)
{
	const guint8 *data = store->data;
	guint64 length;
	gsize header;

	if (store->size < VOLUME_MINIMUM || memcmp(data + VOLUME_SIGNATURE, "_FVH", 4) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: not UEFI variables of EDK2: no firmware volume begins there "
				  "(expected a raw file like OVMF_VARS_4M.fd)",
				  store->name);
	if (!is_guid(data + VOLUME_FILE_SYSTEM, SYSTEM_NV_DATA))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: its firmware volume is not one of variables (is it the "
				  "firmware's code?)",
				  store->name);
	header = varve_get_le16(data + VOLUME_HEADER_LENGTH);
	length = varve_get_le64(data + VOLUME_LENGTH);
	if (header < VOLUME_MINIMUM || header % 8 != 0 || header > store->size)
		return varve_fail(
			error, VARVE_ERROR_CORRUPT,
			"%s: its volume's header of %" G_GSIZE_FORMAT
			" bytes is not a multiple of 8 from %d on, or longer than the file",
			store->name, header, VOLUME_MINIMUM);
	if (sum(data, header) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: the checksum of its volume's header is wrong", store->name);
	if (length > store->size || length < header)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: a volume of %" G_GUINT64_FORMAT
				  " bytes, and the file has %" G_GSIZE_FORMAT,
				  store->name, length, store->size);
	*ret_header = header;
	*ret_length = (gsize)length;
	return TRUE;
}

static gboolean open_store(Store *store, GError **error)
{
	gsize header = 0, length = 0, size;
	const guint8 *at;

	if (!open_volume(store, &header, &length, error))
		return FALSE;
	at = store->data + header;
	if (length - header < STORE_HEADER)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: no room for a variable store in its volume", store->name);
	if (is_guid(at + STORE_SIGNATURE, PLAIN))
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: its variables are not authenticated: this firmware was "
				  "built without Secure Boot",
				  store->name);
	if (!is_guid(at + STORE_SIGNATURE, AUTHENTICATED) || at[STORE_FORMAT] != FORMATTED ||
	    at[STORE_STATE] != HEALTHY)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: no healthy store of authenticated variables in its volume",
				  store->name);
	size = varve_get_le32(at + STORE_SIZE);
	if (size < STORE_HEADER || size > length - header)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: a variable store of %" G_GSIZE_FORMAT
				  " bytes in a volume with room for %" G_GSIZE_FORMAT,
				  store->name, size, length - header);
	store->start = header + STORE_HEADER;
	store->end = header + size;
	return TRUE;
}

/* Sizes that were never written are those of erased flash. */
static gsize written(guint32 size)
{
	return size == G_MAXUINT32 ? 0 : size;
}

static gboolean ends_with_nul(const Entry *entry)
{
	return entry->name_size >= 2 && entry->name_size % 2 == 0 &&
	       varve_get_le16(entry->name + entry->name_size - 2) == 0;
}

/* All variables, whatever has become of them; the list ends where no further one starts. */
static gboolean read_entries(const Store *store, GArray *entries, GError **error)
{
	gsize at = store->start;

	while (at <= store->end && store->end - at >= VARIABLE_HEADER) {
		const guint8 *header = store->data + at;
		gsize room = store->end - at - VARIABLE_HEADER;
		gsize name_size = written(varve_get_le32(header + VARIABLE_NAME_SIZE));
		gsize data_size = written(varve_get_le32(header + VARIABLE_DATA_SIZE));
		Entry entry = { .offset = at,
				.size = VARIABLE_HEADER + name_size + data_size,
				.state = header[VARIABLE_STATE],
				.vendor = header + VARIABLE_VENDOR,
				.name = header + VARIABLE_HEADER,
				.name_size = name_size };

		if (varve_get_le16(header + VARIABLE_START) != START)
			break;
		if (name_size > room || data_size > room - name_size)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: the variable at %" G_GSIZE_FORMAT
					  " does not end inside its store",
					  store->name, at);
		if ((entry.state == ADDED || entry.state == IN_TRANSITION) &&
		    !ends_with_nul(&entry))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: the variable at %" G_GSIZE_FORMAT " has no name",
					  store->name, at);
		g_array_append_val(entries, entry);
		at = align(at + entry.size);
	}
	return TRUE;
}

static guint hash_name(gconstpointer data)
{
	const Entry *entry = data;
	guint hash = 5381;

	for (gsize i = 0; i < entry->name_size; i++)
		hash = hash * 33 + entry->name[i];
	return hash;
}

static gboolean same_name(gconstpointer left, gconstpointer right)
{
	const Entry *a = left, *b = right;

	return a->name_size == b->name_size && memcmp(a->name, b->name, a->name_size) == 0 &&
	       memcmp(a->vendor, b->vendor, 16) == 0;
}

/* Which entry counts for each name: the first that was added; else the last of those whose
 * successor never came. */
static GHashTable *choose(const GArray *entries)
{
	GHashTable *chosen = g_hash_table_new(hash_name, same_name);

	for (guint i = 0; i < entries->len; i++) {
		Entry *entry = &g_array_index(entries, Entry, i);
		const Entry *other = g_hash_table_lookup(chosen, entry);

		if ((entry->state == ADDED || entry->state == IN_TRANSITION) &&
		    !(other && other->state == ADDED))
			g_hash_table_replace(chosen, entry, entry);
	}
	return chosen;
}

static gboolean is_replaced(const Entry *entry, const VarveEfiVariable *variables, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		gsize size;
		g_autofree guint8 *name = varve_efi_name(variables[i].name, &size);

		if (entry->name_size == size && memcmp(entry->name, name, size) == 0 &&
		    is_guid(entry->vendor, variables[i].vendor))
			return TRUE;
	}
	return FALSE;
}

static void append(GByteArray *written_out, const void *data, gsize size)
{
	static const guint8 padding[ALIGNMENT] = { ERASED, ERASED, ERASED, ERASED };
	gsize end = written_out->len + size;

	g_byte_array_append(written_out, data, (guint)size);
	g_byte_array_append(written_out, padding, (guint)(align(end) - end));
}

static void append_variable(GByteArray *written_out, const VarveEfiVariable *variable)
{
	gsize name_size, data_size;
	g_autofree guint8 *name = varve_efi_name(variable->name, &name_size);
	const void *data = g_bytes_get_data(variable->data, &data_size);
	gsize size = VARIABLE_HEADER + name_size + data_size;
	g_autofree guint8 *whole = g_malloc0(size);

	varve_put_le16(whole + VARIABLE_START, START);
	whole[VARIABLE_STATE] = ADDED;
	varve_put_le32(whole + VARIABLE_ATTRIBUTES, variable->attributes);
	if (variable->attributes & VARVE_EFI_TIME_AUTHENTICATED)
		varve_efi_time(variable->time, whole + VARIABLE_TIME);
	varve_put_le32(whole + VARIABLE_NAME_SIZE, (guint32)name_size);
	varve_put_le32(whole + VARIABLE_DATA_SIZE, (guint32)data_size);
	put_guid(whole + VARIABLE_VENDOR, variable->vendor);
	memcpy(whole + VARIABLE_HEADER, name, name_size);
	memcpy(whole + VARIABLE_HEADER + name_size, data, data_size);
	append(written_out, whole, size);
}

static gboolean rewrite(Store *store, const VarveEfiVariable *variables, gsize n, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	g_autoptr(GByteArray) content = g_byte_array_new();
	g_autoptr(GHashTable) chosen = NULL;
	gsize room = store->end - store->start;

	if (!read_entries(store, entries, error))
		return FALSE;
	chosen = choose(entries);
	for (guint i = 0; i < entries->len; i++) {
		const Entry *entry = &g_array_index(entries, Entry, i);
		guint start = content->len;

		if (g_hash_table_lookup(chosen, entry) != entry || is_replaced(entry, variables, n))
			continue;
		append(content, store->data + entry->offset, entry->size);
		content->data[start + VARIABLE_STATE] = ADDED;
	}
	for (gsize i = 0; i < n; i++)
		append_variable(content, &variables[i]);
	if (content->len > room)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: its store has room for %" G_GSIZE_FORMAT
				  " bytes of variables, and there are %u; take an empty one",
				  store->name, room, content->len);
	memset(store->data + store->start, ERASED, store->end - store->start);
	memcpy(store->data + store->start, content->data, content->len);
	return TRUE;
}

GBytes *varve_variable_store_set(GBytes *bytes, const char *name, const VarveEfiVariable *variables,
				 gsize n, GError **error)
{
	Store store = { .name = name };
	const guint8 *data = g_bytes_get_data(bytes, &store.size);
	g_autofree guint8 *copy = g_memdup2(data, store.size);

	store.data = copy;
	if (store.size > ARM_FLASH) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: %" G_GSIZE_FORMAT
			   " bytes, expected at most %d: no flash of variables",
			   name, store.size, ARM_FLASH);
		return NULL;
	}
	if (store.size >= ARM_VOLUME && is_blank(copy, store.size))
		format_blank(copy);
	if (!open_store(&store, error) || !rewrite(&store, variables, n, error))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&copy), store.size);
}
