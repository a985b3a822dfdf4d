/* Reading "newc" archives (Linux, driver-api/early-userspace/buffer-format), as an initrd has them.
 */
#include "base/error.h"
#include "format/cpio.h"
#include "format/path.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#define HEADER_SIZE 110
#define MAGIC "070701"
#define TRAILER "TRAILER!!!"
#define CHUNK ((gsize)1 << 20)

/* Fields of eight hexadecimal digits behind the magic. */
enum {
	FIELD_MODE = 1,
	FIELD_UID = 2,
	FIELD_GID = 3,
	FIELD_SIZE = 6,
	FIELD_NAME_SIZE = 11,
};

static gboolean is_zstd(const guint8 *data, gsize size)
{
	static const guint8 magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

	return size >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}

typedef struct ZSTD_DCtx_s Decompression;
static void decompression_free(Decompression *decompression)
{
	ZSTD_freeDCtx(decompression);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Decompression, decompression_free)

static GBytes *unpack_zstd(GBytes *packed, gsize limit, const char *name, GError **error)
{
	g_autoptr(Decompression) zstd = ZSTD_createDCtx();
	g_autoptr(GByteArray) out = g_byte_array_new();
	ZSTD_inBuffer input = { .src = g_bytes_get_data(packed, NULL),
				.size = g_bytes_get_size(packed) };
	size_t left = 1;

	while (input.pos < input.size) {
		gsize before = out->len;
		ZSTD_outBuffer output = { .size = CHUNK };

		if (before + CHUNK > limit + CHUNK || before + CHUNK > G_MAXINT32)
			break;
		g_byte_array_set_size(out, (guint)(before + CHUNK));
		output.dst = out->data + before;
		left = ZSTD_decompressStream(zstd, &output, &input);
		g_byte_array_set_size(out, (guint)(before + output.pos));
		if (ZSTD_isError(left)) {
			varve_fail(error, VARVE_ERROR_CORRUPT, "%s: not sound zstd: %s", name,
				   ZSTD_getErrorName(left));
			return NULL;
		}
		if (output.pos == 0 && input.pos == input.size)
			break;
	}
	if (out->len > limit || input.pos < input.size) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: unpacked it is larger than %" G_GSIZE_FORMAT
			   " bytes, the most that "
			   "is accepted here",
			   name, limit);
		return NULL;
	}
	if (left != 0) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: it ends within a frame of zstd", name);
		return NULL;
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

GBytes *varve_cpio_unpack(GBytes *packed, gsize limit, const char *name, GError **error)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(packed, &size);

	if (is_zstd(data, size))
		return unpack_zstd(packed, limit, name, error);
	if (size >= strlen(MAGIC) && memcmp(data, MAGIC, strlen(MAGIC)) == 0)
		return g_bytes_ref(packed);
	varve_fail(error, VARVE_ERROR_UNSUPPORTED,
		   "%s: neither a cpio archive nor one in zstd, which is all that is read here",
		   name);
	return NULL;
}

static gboolean read_field(const guint8 *header, int field, guint32 *ret)
{
	guint32 value = 0;

	for (int i = 0; i < 8; i++) {
		int digit = g_ascii_xdigit_value((char)header[strlen(MAGIC) + 8 * field + i]);

		if (digit < 0)
			return FALSE;
		value = value << 4 | (guint32)digit;
	}
	*ret = value;
	return TRUE;
}

static gsize round_up(gsize size)
{
	return (size + 3) & ~(gsize)3;
}

static gboolean corrupt(const char *name, gsize at, const char *what, GError **error)
{
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "%s: not a sound cpio archive: at byte %" G_GSIZE_FORMAT " %s", name, at,
			  what);
}

/* Reads the entry at *@at and moves it behind the entry. */
static gboolean read_entry(const guint8 *bytes, gsize size, gsize *at, const char *name,
			   VarveCpioEntry *entry, GError **error)
{
	const guint8 *header = bytes + *at;
	guint32 mode, uid, gid, data_size, name_size;
	gsize data_at;

	if (size - *at < HEADER_SIZE || memcmp(header, MAGIC, strlen(MAGIC)) != 0)
		return corrupt(name, *at, "an entry was expected", error);
	if (!read_field(header, FIELD_MODE, &mode) || !read_field(header, FIELD_UID, &uid) ||
	    !read_field(header, FIELD_GID, &gid) || !read_field(header, FIELD_SIZE, &data_size) ||
	    !read_field(header, FIELD_NAME_SIZE, &name_size))
		return corrupt(name, *at, "a number is not hexadecimal", error);
	if (name_size == 0 || name_size > PATH_MAX || name_size > size - *at - HEADER_SIZE ||
	    header[HEADER_SIZE + name_size - 1] != '\0' ||
	    memchr(header + HEADER_SIZE, '\0', name_size - 1))
		return corrupt(name, *at, "the name does not end where it should", error);
	/* A multiple of four from the beginning: every entry begins at one. */
	data_at = round_up(*at + HEADER_SIZE + name_size);
	if (data_at > size || data_size > size - data_at)
		return corrupt(name, *at, "the content ends behind the archive", error);
	*entry = (VarveCpioEntry){ .path = (const char *)header + HEADER_SIZE,
				   .mode = mode,
				   .uid = uid,
				   .gid = gid,
				   .data = bytes + data_at,
				   .size = data_size };
	*at = MIN(round_up(data_at + data_size), size);
	return TRUE;
}

gboolean varve_cpio_walk(GBytes *archive, const char *name, VarveCpioVisit visit, gpointer data,
			 GError **error)
{
	gsize size, at = 0;
	const guint8 *bytes = g_bytes_get_data(archive, &size);

	for (;;) {
		VarveCpioEntry entry;
		gsize begin = at;

		if (!read_entry(bytes, size, &at, name, &entry, error))
			return FALSE;
		if (strcmp(entry.path, TRAILER) == 0)
			return TRUE;
		if (!*entry.path || !varve_path_is_canonical(entry.path))
			return corrupt(name, begin, "the name is no path relative to the root",
				       error);
		if (!visit(&entry, data, error))
			return FALSE;
	}
}
