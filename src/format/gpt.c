/* GUID partition tables (UEFI 2.10, 5.3). */
#include "format/gpt.h"

#include "base/error.h"
#include "format/bytes.h"
#include "format/crc32.h"
#include "ground/fd.h"

#define SIGNATURE "EFI PART"
#define REVISION 0x00010000
#define HEADER_SIZE 92
#define ENTRY_SIZE 128
#define ENTRIES 128

/* Offsets in the header (UEFI 2.10, table 5-5) and in an entry (table 5-6). */
enum {
	HEADER_REVISION = 8,
	HEADER_HEADER_SIZE = 12,
	HEADER_CRC = 16,
	HEADER_THIS_LBA = 24,
	HEADER_OTHER_LBA = 32,
	HEADER_FIRST_USABLE = 40,
	HEADER_LAST_USABLE = 48,
	HEADER_DISK_ID = 56,
	HEADER_ENTRIES_LBA = 72,
	HEADER_N_ENTRIES = 80,
	HEADER_ENTRY_SIZE = 84,
	HEADER_ENTRIES_CRC = 88,
	ENTRY_TYPE = 0,
	ENTRY_ID = 16,
	ENTRY_FIRST = 32,
	ENTRY_LAST = 40,
	ENTRY_ATTRIBUTES = 48,
	ENTRY_NAME = 56,
};

typedef struct {
	guint64 this_lba, other_lba, first_usable, last_usable, entries_lba;
	guint32 n_entries, entry_size, entries_crc;
	VarveGuid disk_id;
} Header;

static gboolean is_zero(const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (at[i])
			return FALSE;
	}
	return TRUE;
}

static uint32_t header_crc(const uint8_t *sector, size_t header_size)
{
	g_autofree uint8_t *copy = g_memdup2(sector, header_size);

	memset(copy + HEADER_CRC, 0, 4);
	return varve_crc32(copy, header_size);
}

static gboolean parse_header(const uint8_t *sector, uint32_t sector_size, Header *ret,
			     GError **error)
{
	guint32 header_size = varve_get_le32(sector + HEADER_HEADER_SIZE);

	if (varve_get_le32(sector + HEADER_REVISION) != REVISION)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "GPT header: revision %#x, expected %#x",
				  varve_get_le32(sector + HEADER_REVISION), REVISION);
	if (header_size < HEADER_SIZE || header_size > sector_size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "GPT header: size %u, expected %u to %u", header_size,
				  HEADER_SIZE, sector_size);
	if (varve_get_le32(sector + HEADER_CRC) != header_crc(sector, header_size))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "GPT header: its checksum is wrong: the table was changed or "
				  "damaged");
	*ret = (Header){
		.this_lba = varve_get_le64(sector + HEADER_THIS_LBA),
		.other_lba = varve_get_le64(sector + HEADER_OTHER_LBA),
		.first_usable = varve_get_le64(sector + HEADER_FIRST_USABLE),
		.last_usable = varve_get_le64(sector + HEADER_LAST_USABLE),
		.entries_lba = varve_get_le64(sector + HEADER_ENTRIES_LBA),
		.n_entries = varve_get_le32(sector + HEADER_N_ENTRIES),
		.entry_size = varve_get_le32(sector + HEADER_ENTRY_SIZE),
		.entries_crc = varve_get_le32(sector + HEADER_ENTRIES_CRC),
		.disk_id = varve_guid_get(sector + HEADER_DISK_ID),
	};
	return TRUE;
}

/* What must hold of the header's fields before anything is looked up through them. */
static gboolean check_header(const Header *h, uint32_t sector_size, guint64 disk_size,
			     GError **error)
{
	guint64 sectors = disk_size / sector_size;

	if (h->this_lba != 1)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "GPT header: it says that it is sector %" G_GUINT64_FORMAT
				  ", expected 1",
				  h->this_lba);
	if (h->other_lba >= sectors || h->last_usable >= sectors)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "GPT: the table is for %" G_GUINT64_FORMAT
				  " bytes, found %" G_GUINT64_FORMAT ": the file is truncated; "
				  "fetch or make it again",
				  (MAX(h->other_lba, h->last_usable) + 1) * sector_size, disk_size);
	if (h->entry_size != ENTRY_SIZE || h->n_entries == 0 || h->n_entries > ENTRIES)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "GPT header: %u entries of %u bytes, expected at most %u of %u",
				  h->n_entries, h->entry_size, ENTRIES, ENTRY_SIZE);
	if (h->entries_lba < 2 || h->entries_lba > sectors || h->first_usable > h->last_usable ||
	    h->first_usable < h->entries_lba ||
	    h->first_usable - h->entries_lba <
		    ((guint64)h->n_entries * ENTRY_SIZE + sector_size - 1) / sector_size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "GPT header: entries at sector %" G_GUINT64_FORMAT
				  ", usable sectors %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
				  ": they do not fit together",
				  h->entries_lba, h->first_usable, h->last_usable);
	return TRUE;
}

static gboolean parse_name(const uint8_t *entry, guint index, char *ret_name, GError **error)
{
	guint length = 0;

	for (guint i = 0; i < VARVE_GPT_NAME_MAX; i++) {
		guint16 unit = varve_get_le16(entry + ENTRY_NAME + 2 * i);

		if (unit == 0)
			break;
		if (unit < 0x20 || unit > 0x7e)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "GPT entry %u: its name has the character U+%04X, "
					  "expected printable ASCII",
					  index + 1, unit);
		ret_name[length++] = (char)unit;
	}
	ret_name[length] = '\0';
	return TRUE;
}

static gboolean parse_entry(const uint8_t *entry, guint index, const Header *h,
			    uint32_t sector_size, VarveGptPartition *ret, GError **error)
{
	guint64 first = varve_get_le64(entry + ENTRY_FIRST);
	guint64 last = varve_get_le64(entry + ENTRY_LAST);

	if (first > last || first < h->first_usable || last > h->last_usable)
		return varve_fail(
			error, VARVE_ERROR_CORRUPT,
			"GPT entry %u: sectors %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
			", expected them within %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
			index + 1, first, last, h->first_usable, h->last_usable);
	ret->type = varve_guid_get(entry + ENTRY_TYPE);
	ret->id = varve_guid_get(entry + ENTRY_ID);
	/* last_usable lies in the file, so neither product can overflow. */
	ret->offset = first * sector_size;
	ret->size = (last - first + 1) * sector_size;
	ret->attributes = varve_get_le64(entry + ENTRY_ATTRIBUTES);
	return parse_name(entry, index, ret->name, error);
}

static gboolean check_disjoint(const VarveGpt *gpt, GError **error)
{
	for (guint i = 0; i < gpt->n_partitions; i++) {
		for (guint j = 0; j < i; j++) {
			const VarveGptPartition *a = &gpt->partitions[j], *b = &gpt->partitions[i];

			if (a->offset < b->offset + b->size && b->offset < a->offset + a->size)
				return varve_fail(error, VARVE_ERROR_CORRUPT,
						  "GPT: partitions %u ('%s') and %u ('%s') overlap",
						  j + 1, a->name, i + 1, b->name);
			if (memcmp(&a->id, &b->id, sizeof(a->id)) == 0)
				return varve_fail(
					error, VARVE_ERROR_CORRUPT,
					"GPT: partitions %u ('%s') and %u ('%s') have the "
					"same id",
					j + 1, a->name, i + 1, b->name);
		}
	}
	return TRUE;
}

static gboolean read_exactly(int fd, void *buffer, size_t size, guint64 offset, const char *what,
			     GError **error)
{
	ssize_t n = varve_fd_read_full(fd, buffer, size, (off_t)offset);

	if (n < 0)
		return varve_fail_errno(error, errno, "%s at byte %" G_GUINT64_FORMAT ": read",
					what, offset);
	if ((size_t)n != size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s at byte %" G_GUINT64_FORMAT
				  ": the file ends after %zd of %zu bytes",
				  what, offset, n, size);
	return TRUE;
}

/* The backup is a copy in all but where it lies; only told, because the primary one rules. */
static gboolean backup_differs(int fd, const VarveGpt *gpt, const Header *h, const uint8_t *entries)
{
	g_autofree uint8_t *sector = g_malloc(gpt->sector_size);
	size_t size = (size_t)h->n_entries * ENTRY_SIZE;
	g_autofree uint8_t *copy = g_malloc(size);
	Header backup;

	if (!read_exactly(fd, sector, gpt->sector_size, h->other_lba * gpt->sector_size, "backup",
			  NULL) ||
	    memcmp(sector, SIGNATURE, 8) != 0 ||
	    !parse_header(sector, gpt->sector_size, &backup, NULL))
		return TRUE;
	if (backup.this_lba != h->other_lba || backup.other_lba != 1 ||
	    backup.first_usable != h->first_usable || backup.last_usable != h->last_usable ||
	    backup.n_entries != h->n_entries || backup.entry_size != h->entry_size ||
	    memcmp(&backup.disk_id, &h->disk_id, sizeof(h->disk_id)) != 0 ||
	    backup.entries_lba >= gpt->disk_size / gpt->sector_size)
		return TRUE;
	return !read_exactly(fd, copy, size, backup.entries_lba * gpt->sector_size, "backup",
			     NULL) ||
	       memcmp(copy, entries, size) != 0;
}

/* A sector of 4096 has its table at 4096; both at once would be two truths in one file. */
static gboolean find_header(int fd, guint64 disk_size, uint8_t *sector, uint32_t *ret_sector_size,
			    GError **error)
{
	static const uint32_t sizes[] = { 512, 4096 };
	uint32_t found = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		char signature[8];

		if (disk_size < 2 * (guint64)sizes[i])
			continue;
		if (!read_exactly(fd, signature, sizeof(signature), sizes[i], "GPT header", error))
			return FALSE;
		if (memcmp(signature, SIGNATURE, sizeof(signature)) != 0)
			continue;
		if (found)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "GPT: one table at byte 512 and one at 4096: which is "
					  "meant cannot be told");
		found = sizes[i];
	}
	if (!found)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "no GPT: no '" SIGNATURE "' at byte 512 or 4096");
	*ret_sector_size = found;
	return read_exactly(fd, sector, found, found, "GPT header", error);
}

gboolean varve_gpt_read(int fd, VarveGpt **ret_gpt, GError **error)
{
	g_autofree VarveGpt *gpt = g_new0(VarveGpt, 1);
	g_autofree uint8_t *sector = g_malloc(4096);
	g_autofree uint8_t *entries = NULL;
	off_t disk_size = lseek(fd, 0, SEEK_END);
	Header h;

	if (disk_size < 0)
		return varve_fail_errno(error, errno, "GPT: size of the file");
	gpt->disk_size = (guint64)disk_size;
	if (!find_header(fd, gpt->disk_size, sector, &gpt->sector_size, error) ||
	    !parse_header(sector, gpt->sector_size, &h, error) ||
	    !check_header(&h, gpt->sector_size, gpt->disk_size, error))
		return FALSE;
	gpt->disk_id = h.disk_id;
	entries = g_malloc((gsize)h.n_entries * ENTRY_SIZE);
	if (!read_exactly(fd, entries, (size_t)h.n_entries * ENTRY_SIZE,
			  h.entries_lba * gpt->sector_size, "GPT entries", error))
		return FALSE;
	if (varve_crc32(entries, (size_t)h.n_entries * ENTRY_SIZE) != h.entries_crc)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "GPT entries: their checksum is wrong: the table was changed or "
				  "damaged");
	for (guint i = 0; i < h.n_entries; i++) {
		const uint8_t *entry = entries + (gsize)i * ENTRY_SIZE;

		if (is_zero(entry + ENTRY_TYPE, 16))
			continue;
		if (!parse_entry(entry, i, &h, gpt->sector_size,
				 &gpt->partitions[gpt->n_partitions], error))
			return FALSE;
		gpt->n_partitions++;
	}
	if (!check_disjoint(gpt, error))
		return FALSE;
	gpt->backup_differs = backup_differs(fd, gpt, &h, entries);
	*ret_gpt = g_steal_pointer(&gpt);
	return TRUE;
}

uint64_t varve_gpt_tail_size(uint32_t sector_size)
{
	uint64_t size = (uint64_t)ENTRIES * ENTRY_SIZE + sector_size;

	return (size + 4095) / 4096 * 4096;
}

static gboolean check_for_writing(const VarveGpt *gpt, guint64 first_usable, guint64 last_usable,
				  GError **error)
{
	uint32_t ss = gpt->sector_size;

	for (guint i = 0; i < gpt->n_partitions; i++) {
		const VarveGptPartition *p = &gpt->partitions[i];
		guint64 end;

		if (p->offset % ss || p->size % ss || p->size == 0 ||
		    __builtin_add_overflow(p->offset, p->size, &end) ||
		    p->offset / ss < first_usable || (end - 1) / ss > last_usable)
			return varve_fail(error, VARVE_ERROR_USAGE,
					  "GPT: partition %u ('%s'), %" G_GUINT64_FORMAT
					  " bytes at %" G_GUINT64_FORMAT
					  ", does not fit sectors of %u on a disk of "
					  "%" G_GUINT64_FORMAT " bytes",
					  i + 1, p->name, p->size, p->offset, ss, gpt->disk_size);
		if (is_zero(p->type.bytes, 16))
			return varve_fail(error, VARVE_ERROR_USAGE,
					  "GPT: partition %u ('%s') has no type", i + 1, p->name);
	}
	return check_disjoint(gpt, error);
}

static void make_entries(const VarveGpt *gpt, uint8_t *entries)
{
	for (guint i = 0; i < gpt->n_partitions; i++) {
		const VarveGptPartition *p = &gpt->partitions[i];
		uint8_t *entry = entries + (gsize)i * ENTRY_SIZE;

		varve_guid_put(entry + ENTRY_TYPE, &p->type);
		varve_guid_put(entry + ENTRY_ID, &p->id);
		varve_put_le64(entry + ENTRY_FIRST, p->offset / gpt->sector_size);
		varve_put_le64(entry + ENTRY_LAST, (p->offset + p->size) / gpt->sector_size - 1);
		varve_put_le64(entry + ENTRY_ATTRIBUTES, p->attributes);
		for (size_t c = 0; p->name[c]; c++)
			varve_put_le16(entry + ENTRY_NAME + 2 * c, (guint8)p->name[c]);
	}
}

static void make_header(const Header *h, uint8_t *sector)
{
	memcpy(sector, SIGNATURE, 8);
	varve_put_le32(sector + HEADER_REVISION, REVISION);
	varve_put_le32(sector + HEADER_HEADER_SIZE, HEADER_SIZE);
	varve_put_le64(sector + HEADER_THIS_LBA, h->this_lba);
	varve_put_le64(sector + HEADER_OTHER_LBA, h->other_lba);
	varve_put_le64(sector + HEADER_FIRST_USABLE, h->first_usable);
	varve_put_le64(sector + HEADER_LAST_USABLE, h->last_usable);
	varve_guid_put(sector + HEADER_DISK_ID, &h->disk_id);
	varve_put_le64(sector + HEADER_ENTRIES_LBA, h->entries_lba);
	varve_put_le32(sector + HEADER_N_ENTRIES, h->n_entries);
	varve_put_le32(sector + HEADER_ENTRY_SIZE, h->entry_size);
	varve_put_le32(sector + HEADER_ENTRIES_CRC, h->entries_crc);
	varve_put_le32(sector + HEADER_CRC, header_crc(sector, HEADER_SIZE));
}

/* 5.2.3: one record of type 0xee over the whole disk, as far as 32 bits reach. */
static void make_protective_mbr(guint64 sectors, uint8_t *sector)
{
	uint8_t *record = sector + 446;

	memcpy(record, (const uint8_t[]){ 0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff }, 8);
	varve_put_le32(record + 8, 1);
	varve_put_le32(record + 12, (guint32)MIN(sectors - 1, G_MAXUINT32));
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

gboolean varve_gpt_write(int fd, const VarveGpt *gpt, GError **error)
{
	const size_t ss = gpt->sector_size, table = (size_t)ENTRIES * ENTRY_SIZE;
	guint64 sectors = gpt->disk_size / ss, table_sectors = table / ss;
	g_autofree uint8_t *head = g_malloc0(2 * ss + table);
	g_autofree uint8_t *tail = g_malloc0(table + ss);
	Header h;

	if (gpt->disk_size % ss || sectors < 2 * (table_sectors + 2))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "GPT: a disk of %" G_GUINT64_FORMAT
				  " bytes has no room for two tables",
				  gpt->disk_size);
	h = (Header){
		.this_lba = 1,
		.other_lba = sectors - 1,
		.first_usable = 2 + table_sectors,
		.last_usable = sectors - 2 - table_sectors,
		.entries_lba = 2,
		.n_entries = ENTRIES,
		.entry_size = ENTRY_SIZE,
		.disk_id = gpt->disk_id,
	};
	if (!check_for_writing(gpt, h.first_usable, h.last_usable, error))
		return FALSE;
	make_protective_mbr(sectors, head);
	make_entries(gpt, head + 2 * ss);
	h.entries_crc = varve_crc32(head + 2 * ss, table);
	make_header(&h, head + ss);

	memcpy(tail, head + 2 * ss, table);
	h.this_lba = sectors - 1;
	h.other_lba = 1;
	h.entries_lba = sectors - 1 - table_sectors;
	make_header(&h, tail + table);

	if (varve_fd_pwrite_full(fd, head, 2 * ss + table, 0) < 0 ||
	    varve_fd_pwrite_full(fd, tail, table + ss, (off_t)(h.entries_lba * ss)) < 0)
		return varve_fail_errno(error, errno, "GPT: write");
	return TRUE;
}

const VarveGptPartition *varve_gpt_find(const VarveGpt *gpt, const VarveGuid *type)
{
	for (guint i = 0; i < gpt->n_partitions; i++) {
		if (memcmp(&gpt->partitions[i].type, type, sizeof(*type)) == 0)
			return &gpt->partitions[i];
	}
	return NULL;
}
