/* Path tables, byte by byte as docs/formats.md describes them. */
#include "format/path-table.h"

#include "base/error.h"
#include "format/path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAGIC "VarvePTb"
#define VERSION 1
#define HEADER_SIZE 32
#define RECORD_SIZE 96
#define XATTR_SIZE 16
/* Linux lists at most 64 KiB of names; nothing real comes near. */
#define XATTRS_MAX 1024
#define LABEL_XATTR "security.selinux"
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

/* Offsets within the header, a record, and an entry of the attribute table. */
enum {
	HEADER_VERSION = 8,
	HEADER_RECORDS = 12,
	HEADER_XATTRS = 16,
	HEADER_RESERVED = 20,
	HEADER_POOL_SIZE = 24,
};
enum {
	RECORD_PATH = 0,
	RECORD_MODE = 4,
	RECORD_UID = 8,
	RECORD_GID = 12,
	RECORD_CONTENT_SIZE = 16,
	RECORD_HARDLINK = 24,
	RECORD_MAJOR = 32,
	RECORD_MINOR = 36,
	RECORD_TARGET = 40,
	RECORD_LABEL = 44,
	RECORD_PACKAGE = 48,
	RECORD_XATTRS = 52,
	RECORD_N_XATTRS = 56,
	RECORD_RESERVED = 60,
	RECORD_DIGEST = 64,
};
enum {
	XATTR_NAME = 0,
	XATTR_VALUE = 4,
	XATTR_VALUE_SIZE = 8,
	XATTR_RESERVED = 12,
};

static guint32 get32(const guint8 *bytes)
{
	guint32 value;

	memcpy(&value, bytes, sizeof value);
	return GUINT32_FROM_LE(value);
}

static guint64 get64(const guint8 *bytes)
{
	guint64 value;

	memcpy(&value, bytes, sizeof value);
	return GUINT64_FROM_LE(value);
}

static void put32(guint8 *bytes, guint32 value)
{
	value = GUINT32_TO_LE(value);
	memcpy(bytes, &value, sizeof value);
}

static void put64(guint8 *bytes, guint64 value)
{
	value = GUINT64_TO_LE(value);
	memcpy(bytes, &value, sizeof value);
}

/* What must hold of a record, whoever made it; NULL where it does. */
static const char *record_fault(const VarvePath *path)
{
	static const VarveDigest none;
	gboolean regular = S_ISREG(path->mode), link = S_ISLNK(path->mode);

	if (strnlen(path->path, PATH_MAX) == PATH_MAX ||
	    strnlen(path->target, PATH_MAX) == PATH_MAX)
		return "the path or target is longer than Linux allows";
	if (!varve_path_is_canonical(path->path))
		return "the path is not in canonical form";
	if (path->mode & ~(mode_t)(S_IFMT | 07777))
		return "the mode has bits that mean nothing";
	if (!regular && !link && !S_ISDIR(path->mode) && !S_ISCHR(path->mode) &&
	    !S_ISBLK(path->mode) && !S_ISFIFO(path->mode) && !S_ISSOCK(path->mode))
		return "the mode has no known type";
	if (!*path->path && !S_ISDIR(path->mode))
		return "the root is not a directory";
	if (link != (*path->target != '\0'))
		return "a link without target, or a target without link";
	if (link && path->size != strlen(path->target))
		return "the size of a link is not its target's length";
	if (!link && !regular && path->size != 0)
		return "a size where there is no content";
	if (!link && !regular && !varve_digest_equal(&path->digest, &none))
		return "a digest where there is no content";
	if (path->device != 0 && !S_ISCHR(path->mode) && !S_ISBLK(path->mode))
		return "a device number on what is no device";
	if (path->hardlink != 0 && S_ISDIR(path->mode))
		return "a directory with several names";
	if (path->n_xattrs > XATTRS_MAX)
		return "more attributes than a path can have";
	for (size_t i = 0; i < path->n_xattrs; i++) {
		const char *name = path->xattrs[i].name;

		if (!*name || strcmp(name, LABEL_XATTR) == 0)
			return "an attribute that does not belong into the list";
		if (i > 0 && strcmp(path->xattrs[i - 1].name, name) >= 0)
			return "attributes are not sorted";
	}
	return NULL;
}

/* Writing. */

/* The pool: every string (with its NUL) and attribute value once. */
typedef struct {
	GByteArray *bytes;
	GHashTable *offsets; /* GBytes * → offset */
	gboolean overflow;
} Pool;

static void pool_init(Pool *pool)
{
	pool->bytes = g_byte_array_new();
	pool->offsets = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
					      (GDestroyNotify)g_bytes_unref, NULL);
	pool->overflow = FALSE;
}

static void pool_clear(Pool *pool)
{
	g_byte_array_unref(pool->bytes);
	g_hash_table_unref(pool->offsets);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pool, pool_clear)

/* Every entry is followed by a NUL, so that the pool as a whole ends with one. */
static guint32 pool_add(Pool *pool, const void *data, size_t size)
{
	g_autoptr(GBytes) key = g_bytes_new(data, size);
	gpointer known;
	guint32 offset;

	if (g_hash_table_lookup_extended(pool->offsets, key, NULL, &known))
		return GPOINTER_TO_UINT(known);
	offset = pool->bytes->len;
	if (size >= G_MAXINT32 - offset) {
		pool->overflow = TRUE;
		return 0;
	}
	g_byte_array_append(pool->bytes, data, (guint)size);
	g_byte_array_append(pool->bytes, (const guint8 *)"", 1);
	g_hash_table_insert(pool->offsets, g_steal_pointer(&key), GUINT_TO_POINTER(offset));
	return offset;
}

static guint32 pool_add_text(Pool *pool, const char *text)
{
	return pool_add(pool, text, strlen(text));
}

static void write_record(GByteArray *records, GByteArray *xattrs, Pool *pool, const VarvePath *path)
{
	guint8 record[RECORD_SIZE] = { 0 };

	put32(record + RECORD_PATH, pool_add_text(pool, path->path));
	put32(record + RECORD_MODE, (guint32)path->mode);
	put32(record + RECORD_UID, path->uid);
	put32(record + RECORD_GID, path->gid);
	put64(record + RECORD_CONTENT_SIZE, path->size);
	put64(record + RECORD_HARDLINK, path->hardlink);
	put32(record + RECORD_MAJOR, major(path->device));
	put32(record + RECORD_MINOR, minor(path->device));
	put32(record + RECORD_TARGET, pool_add_text(pool, path->target));
	put32(record + RECORD_LABEL, pool_add_text(pool, path->label));
	put32(record + RECORD_PACKAGE, pool_add_text(pool, path->package));
	put32(record + RECORD_XATTRS, path->n_xattrs ? xattrs->len / XATTR_SIZE : 0);
	put32(record + RECORD_N_XATTRS, (guint32)path->n_xattrs);
	memcpy(record + RECORD_DIGEST, path->digest.bytes, VARVE_DIGEST_SIZE);
	g_byte_array_append(records, record, sizeof record);
	for (size_t i = 0; i < path->n_xattrs; i++) {
		const VarveXattr *xattr = &path->xattrs[i];
		guint8 entry[XATTR_SIZE] = { 0 };

		put32(entry + XATTR_NAME, pool_add_text(pool, xattr->name));
		put32(entry + XATTR_VALUE, pool_add(pool, xattr->value, xattr->size));
		put32(entry + XATTR_VALUE_SIZE, (guint32)xattr->size);
		g_byte_array_append(xattrs, entry, sizeof entry);
	}
}

static gint sort_paths(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const VarvePath *const *)a)->path, (*(const VarvePath *const *)b)->path);
}

GBytes *varve_path_table_write(const GPtrArray *paths, GError **error)
{
	g_autoptr(GByteArray) records = g_byte_array_new(), xattrs = g_byte_array_new();
	g_autoptr(GPtrArray) sorted = g_ptr_array_sized_new(paths->len);
	guint8 header[HEADER_SIZE] = MAGIC;
	g_auto(Pool) pool;

	pool_init(&pool);
	pool_add_text(&pool, "");
	for (guint i = 0; i < paths->len; i++)
		g_ptr_array_add(sorted, paths->pdata[i]);
	g_ptr_array_sort(sorted, sort_paths);
	for (guint i = 0; i < sorted->len; i++) {
		const VarvePath *path = sorted->pdata[i];
		const char *fault = record_fault(path);

		if (i > 0 &&
		    strcmp(((const VarvePath *)sorted->pdata[i - 1])->path, path->path) == 0) {
			varve_fail(error, VARVE_ERROR_CONFLICT,
				   "path table: '/%s' is there twice: a layer has one entry a path",
				   path->path);
			return NULL;
		}
		if (fault) {
			varve_fail(error, VARVE_ERROR_CORRUPT, "path table: '/%s': %s", path->path,
				   fault);
			return NULL;
		}
		write_record(records, xattrs, &pool, path);
	}
	if (pool.overflow || (guint64)records->len + xattrs->len + pool.bytes->len > G_MAXINT32) {
		varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"path table: %u paths with their names and attributes are more than 2 GiB",
			sorted->len);
		return NULL;
	}
	put32(header + HEADER_VERSION, VERSION);
	put32(header + HEADER_RECORDS, sorted->len);
	put32(header + HEADER_XATTRS, xattrs->len / XATTR_SIZE);
	put64(header + HEADER_POOL_SIZE, pool.bytes->len);
	g_byte_array_prepend(records, header, sizeof header);
	g_byte_array_append(records, xattrs->data, xattrs->len);
	g_byte_array_append(records, pool.bytes->data, pool.bytes->len);
	return g_byte_array_free_to_bytes(g_steal_pointer(&records));
}

/* Reading. */

struct VarvePathTable {
	GBytes *bytes; /* NULL where it is mapped */
	guint8 *map;
	gsize map_size;
	char *name;
	const guint8 *records;
	const char *pool;
	guint32 n_records;
	guint32 n_xattrs;
	guint32 pool_size;
	VarveXattr *xattrs; /* the whole attribute table: few paths have any */
};

void varve_path_table_free(VarvePathTable *table)
{
	if (!table)
		return;
	g_clear_pointer(&table->bytes, g_bytes_unref);
	if (table->map)
		munmap(table->map, table->map_size);
	g_free(table->name);
	g_free(table->xattrs);
	g_free(table);
}

/* Makes sure that @size bytes at @at, which lie in the table, can be read without a signal: what a
 * mapping holds is only found to be damaged when it is looked at. */
static gboolean reach(const VarvePathTable *table, const void *at, gsize size, GError **error)
{
	gsize page_size = (gsize)getpagesize();
	gsize offset, begin;

	if (!table->map)
		return TRUE;
	offset = (gsize)((const guint8 *)at - table->map);
	begin = offset - offset % page_size;
	/* A kernel that does not know the advice reads the page when it is touched. */
	if (madvise(table->map + begin, offset + size - begin, MADV_POPULATE_READ) == 0 ||
	    errno == EINVAL)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "%s: it cannot be read at byte %" G_GSIZE_FORMAT
			  ": what is there is not what was signed, or the disk fails",
			  table->name, offset);
}

/* The same for a text, whose end is not known before it is read; the pool ends with a NUL. */
static gboolean reach_text(const VarvePathTable *table, guint32 offset, GError **error)
{
	gsize page_size = (gsize)getpagesize();

	while (table->map) {
		gsize at = (gsize)((const guint8 *)table->pool - table->map) + offset;
		gsize size = MIN(page_size - at % page_size, table->pool_size - offset);

		if (!reach(table, table->map + at, size, error))
			return FALSE;
		if (memchr(table->map + at, '\0', size))
			return TRUE;
		offset += (guint32)size;
	}
	return TRUE;
}

static gboolean read_header(VarvePathTable *table, const guint8 *data, gsize size, GError **error)
{
	guint64 pool_size, expected;

	if (size < HEADER_SIZE || memcmp(data, MAGIC, strlen(MAGIC)) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: does not start with '%s': not a path table", table->name,
				  MAGIC);
	if (get32(data + HEADER_VERSION) != VERSION)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: is of version %u, expected %d: it was made by a newer Varve",
				  table->name, get32(data + HEADER_VERSION), VERSION);
	table->n_records = get32(data + HEADER_RECORDS);
	table->n_xattrs = get32(data + HEADER_XATTRS);
	pool_size = get64(data + HEADER_POOL_SIZE);
	/* Two products below 2^39 and a pool below 2^32 cannot overflow. */
	expected = HEADER_SIZE + (guint64)table->n_records * RECORD_SIZE +
		   (guint64)table->n_xattrs * XATTR_SIZE;
	if (get32(data + HEADER_RESERVED) != 0 || pool_size == 0 || pool_size > G_MAXUINT32 ||
	    expected + pool_size != size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: %u paths, %u attributes and %" G_GUINT64_FORMAT
				  " bytes of text do not make %" G_GSIZE_FORMAT " bytes",
				  table->name, table->n_records, table->n_xattrs, pool_size, size);
	table->records = data + HEADER_SIZE;
	table->pool = (const char *)data + expected;
	table->pool_size = (guint32)pool_size;
	if (!reach(table, table->pool + pool_size - 1, 1, error))
		return FALSE;
	if (table->pool[pool_size - 1] != '\0')
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: the text does not end with a NUL", table->name);
	return TRUE;
}

static gboolean read_xattrs(VarvePathTable *table, GError **error)
{
	const guint8 *entry = table->records + (gsize)table->n_records * RECORD_SIZE;

	if (!reach(table, entry, (gsize)table->n_xattrs * XATTR_SIZE, error))
		return FALSE;
	table->xattrs = g_new0(VarveXattr, table->n_xattrs);
	for (guint32 i = 0; i < table->n_xattrs; i++, entry += XATTR_SIZE) {
		guint32 name = get32(entry + XATTR_NAME), value = get32(entry + XATTR_VALUE);
		guint32 size = get32(entry + XATTR_VALUE_SIZE);

		if (name >= table->pool_size || value >= table->pool_size ||
		    size > table->pool_size - value || get32(entry + XATTR_RESERVED) != 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: attribute %u lies outside the text", table->name, i);
		table->xattrs[i].name = table->pool + name;
		table->xattrs[i].value = table->pool + value;
		table->xattrs[i].size = size;
	}
	return TRUE;
}

VarvePathTable *varve_path_table_open(GBytes *bytes, const char *name, GError **error)
{
	g_autoptr(VarvePathTable) table = g_new0(VarvePathTable, 1);
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	table->bytes = g_bytes_ref(bytes);
	table->name = g_strdup(name);
	if (!read_header(table, data, size, error) || !read_xattrs(table, error))
		return NULL;
	return g_steal_pointer(&table);
}

VarvePathTable *varve_path_table_map(int fd, const char *name, GError **error)
{
	g_autoptr(VarvePathTable) table = g_new0(VarvePathTable, 1);
	struct stat st;

	table->name = g_strdup(name);
	if (fstat(fd, &st) < 0) {
		varve_fail_errno(error, errno, "%s", name);
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < HEADER_SIZE) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: not a path table", name);
		return NULL;
	}
	table->map_size = (gsize)st.st_size;
	table->map = mmap(NULL, table->map_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (table->map == MAP_FAILED) {
		table->map = NULL;
		varve_fail_errno(error, errno, "%s: cannot be mapped", name);
		return NULL;
	}
	if (!reach(table, table->map, HEADER_SIZE, error) ||
	    !read_header(table, table->map, table->map_size, error) || !read_xattrs(table, error))
		return NULL;
	return g_steal_pointer(&table);
}

gsize varve_path_table_count(const VarvePathTable *table)
{
	return table->n_records;
}

static gboolean text_at(const VarvePathTable *table, gsize index, int field, const char **ret,
			GError **error)
{
	const guint8 *at = table->records + index * RECORD_SIZE + field;
	guint32 offset;

	if (!reach(table, at, sizeof offset, error))
		return FALSE;
	offset = get32(at);
	if (offset >= table->pool_size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: record %" G_GSIZE_FORMAT " points outside the text",
				  table->name, index);
	if (!reach_text(table, offset, error))
		return FALSE;
	*ret = table->pool + offset;
	return TRUE;
}

gboolean varve_path_table_get(const VarvePathTable *table, gsize index, VarvePath *ret_path,
			      GError **error)
{
	const guint8 *record;
	guint32 xattrs, n_xattrs;
	const char *before = NULL, *fault;
	VarvePath path = { 0 };

	if (index >= table->n_records)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "%s: there is no record %" G_GSIZE_FORMAT ", only %u",
				  table->name, index, table->n_records);
	record = table->records + index * RECORD_SIZE;
	if (!reach(table, record, RECORD_SIZE, error))
		return FALSE;
	if (!text_at(table, index, RECORD_PATH, &path.path, error) ||
	    !text_at(table, index, RECORD_TARGET, &path.target, error) ||
	    !text_at(table, index, RECORD_LABEL, &path.label, error) ||
	    !text_at(table, index, RECORD_PACKAGE, &path.package, error))
		return FALSE;
	path.mode = get32(record + RECORD_MODE);
	path.uid = get32(record + RECORD_UID);
	path.gid = get32(record + RECORD_GID);
	path.size = get64(record + RECORD_CONTENT_SIZE);
	path.hardlink = get64(record + RECORD_HARDLINK);
	path.device = makedev(get32(record + RECORD_MAJOR), get32(record + RECORD_MINOR));
	memcpy(path.digest.bytes, record + RECORD_DIGEST, VARVE_DIGEST_SIZE);
	xattrs = get32(record + RECORD_XATTRS);
	n_xattrs = get32(record + RECORD_N_XATTRS);
	if (xattrs > table->n_xattrs || n_xattrs > table->n_xattrs - xattrs ||
	    get32(record + RECORD_RESERVED) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: record %" G_GSIZE_FORMAT " points outside the attributes",
				  table->name, index);
	path.xattrs = table->xattrs + xattrs;
	path.n_xattrs = n_xattrs;
	for (guint32 i = 0; i < n_xattrs; i++) {
		const VarveXattr *xattr = &path.xattrs[i];

		if (!reach_text(table, (guint32)(xattr->name - table->pool), error) ||
		    !reach(table, xattr->value, xattr->size, error))
			return FALSE;
	}
	fault = record_fault(&path);
	if (!fault && index > 0) {
		if (!text_at(table, index - 1, RECORD_PATH, &before, error))
			return FALSE;
		if (strcmp(before, path.path) >= 0)
			fault = "it does not sort after the one before it";
	}
	if (fault)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: record %" G_GSIZE_FORMAT ": %s",
				  table->name, index, fault);
	*ret_path = path;
	return TRUE;
}

gboolean varve_path_table_seek(const VarvePathTable *table, const char *path, gsize *ret_index,
			       GError **error)
{
	gsize low = 0, high = table->n_records;

	while (low < high) {
		gsize middle = low + (high - low) / 2;
		const char *at = NULL;

		if (!text_at(table, middle, RECORD_PATH, &at, error))
			return FALSE;
		if (strcmp(path, at) <= 0)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_index = low;
	return TRUE;
}

gboolean varve_path_table_find(const VarvePathTable *table, const char *path, gsize *ret_index,
			       GError **error)
{
	const char *at = NULL;
	gsize index;

	if (!varve_path_table_seek(table, path, &index, error) ||
	    (index < table->n_records && !text_at(table, index, RECORD_PATH, &at, error)))
		return FALSE;
	if (!at || strcmp(path, at) != 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: does not have '/%s'",
				  table->name, path);
	*ret_index = index;
	return TRUE;
}
