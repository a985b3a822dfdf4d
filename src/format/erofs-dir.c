/* EROFS: directories and extended attributes. */
#include "format/erofs-internal.h"

#include "format/bytes.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define DIRENT_SIZE 12
#define DIR_MAX (256 * 1024 * 1024)
#define XATTR_HEADER_SIZE 12
#define XATTR_ENTRY_SIZE 4
#define XATTR_LONG_PREFIX 0x80

static gboolean fail_dir(const VarveErofs *erofs, const ErofsInode *dir, GError **error,
			 const char *what)
{
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "%s: EROFS directory (inode %" G_GUINT64_FORMAT "): %s", erofs->name,
			  dir->nid, what);
}

static gboolean check_name(const VarveErofs *erofs, const ErofsInode *dir, const char *name,
			   size_t size, GError **error)
{
	if (size == 0 || size > NAME_MAX)
		return fail_dir(erofs, dir, error, "a name of no or more than 255 bytes");
	if (memchr(name, '/', size))
		return fail_dir(erofs, dir, error, "a name with a slash");
	if (memchr(name, '\0', size))
		return fail_dir(erofs, dir, error, "a name with a NUL");
	return TRUE;
}

/* The kernel compares names by bytes, the shorter of two first. */
static gboolean check_order(const VarveErofs *erofs, const ErofsInode *dir, const char *previous,
			    const char *name, GError **error)
{
	if (!previous || strcmp(previous, name) < 0)
		return TRUE;
	return fail_dir(erofs, dir, error,
			"its names are not sorted, or one is there twice: the kernel would find "
			"some of them only when it lists");
}

static void entry_clear(gpointer data)
{
	g_free(((ErofsEntry *)data)->name);
}

/* One block of @size bytes: records, then names; the first name's offset tells how many. */
static gboolean parse_dir_block(const VarveErofs *erofs, const ErofsInode *dir,
				const uint8_t *block, size_t size, GArray *entries, GError **error)
{
	size_t first, n;

	if (size < DIRENT_SIZE)
		return fail_dir(erofs, dir, error, "a block too short for one entry");
	first = varve_get_le16(block + 8);
	n = first / DIRENT_SIZE;
	if (n == 0 || first % DIRENT_SIZE || first >= size)
		return fail_dir(erofs, dir, error, "the first name's offset is wrong");
	for (size_t i = 0; i < n; i++) {
		const uint8_t *raw = block + i * DIRENT_SIZE;
		size_t start = varve_get_le16(raw + 8);
		size_t end = i + 1 < n ? varve_get_le16(raw + DIRENT_SIZE + 8) : size;
		ErofsEntry entry = { .nid = varve_get_le64(raw), .type = raw[10] };
		const char *previous;

		if (start < first || start >= size || end < start || end > size)
			return fail_dir(erofs, dir, error, "a name's offset is wrong");
		if (i + 1 == n)
			end = start + strnlen((const char *)block + start, size - start);
		if (!check_name(erofs, dir, (const char *)block + start, end - start, error))
			return FALSE;
		previous = entries->len > 0
				   ? g_array_index(entries, ErofsEntry, entries->len - 1).name
				   : NULL;
		entry.name = g_strndup((const char *)block + start, end - start);
		g_array_append_val(entries, entry);
		if (!check_order(erofs, dir, previous, entry.name, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean take_dot(const VarveErofs *erofs, const ErofsInode *dir, GArray *entries,
			 const char *name, guint64 nid, GError **error)
{
	for (guint i = 0; i < entries->len; i++) {
		const ErofsEntry *entry = &g_array_index(entries, ErofsEntry, i);

		if (strcmp(entry->name, name) != 0)
			continue;
		if (entry->nid != nid)
			return fail_dir(erofs, dir, error,
					"its '.' or '..' leads to another directory");
		g_array_remove_index(entries, i);
		return TRUE;
	}
	return fail_dir(erofs, dir, error, "it has no '.' or no '..'");
}

GArray *varve_erofs_read_dir(const VarveErofs *erofs, const ErofsInode *dir, guint64 parent,
			     GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(ErofsEntry));
	g_autofree uint8_t *data = NULL;

	g_array_set_clear_func(entries, entry_clear);
	if (!S_ISDIR(dir->mode)) {
		fail_dir(erofs, dir, error, "it is none");
		return NULL;
	}
	if (dir->size > MIN(DIR_MAX, erofs->size)) {
		fail_dir(erofs, dir, error, "it is larger than the image or than 256 MiB");
		return NULL;
	}
	data = g_malloc(dir->size + 1);
	if (!varve_erofs_read_data(erofs, dir, 0, data, dir->size, error))
		return NULL;
	for (guint64 at = 0; at < dir->size; at += EROFS_BLOCK) {
		if (!parse_dir_block(erofs, dir, data + at,
				     (size_t)MIN(EROFS_BLOCK, dir->size - at), entries, error))
			return NULL;
	}
	if (!take_dot(erofs, dir, entries, ".", dir->nid, error) ||
	    !take_dot(erofs, dir, entries, "..", parent, error))
		return NULL;
	return g_steal_pointer(&entries);
}

static const char *xattr_prefix(guint index)
{
	static const char *const prefixes[] = {
		NULL,
		"user.",
		"system.posix_acl_access",
		"system.posix_acl_default",
		"trusted.",
		"lustre.",
		"security.",
	};

	return index < G_N_ELEMENTS(prefixes) ? prefixes[index] : NULL;
}

typedef struct {
	char *name;
	guint8 *value;
	size_t size;
} Attribute;

static void attribute_clear(gpointer data)
{
	Attribute *attribute = data;

	g_free(attribute->name);
	g_free(attribute->value);
}

static gboolean fail_xattr(const VarveErofs *erofs, const ErofsInode *inode, GError **error,
			   const char *what)
{
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "%s: EROFS inode %" G_GUINT64_FORMAT ": xattrs: %s", erofs->name,
			  inode->nid, what);
}

/* Reads the entry at byte @at, which must end before @end. */
static gboolean read_attribute(VarveErofs *erofs, const ErofsInode *inode, guint64 at, guint64 end,
			       GArray *attributes, guint64 *ret_end, GError **error)
{
	uint8_t raw[XATTR_ENTRY_SIZE];
	char name[UINT8_MAX + 1] = { 0 };
	Attribute attribute = { 0 };
	const char *prefix;

	if (end < at || end - at < XATTR_ENTRY_SIZE ||
	    !varve_erofs_read_meta(erofs, at, raw, sizeof(raw), NULL))
		return fail_xattr(erofs, inode, error, "an entry lies outside");
	attribute.size = varve_get_le16(raw + 2);
	at += XATTR_ENTRY_SIZE;
	if (end - at < raw[0] + attribute.size)
		return fail_xattr(erofs, inode, error, "an entry is longer than what is left");
	if (raw[1] & XATTR_LONG_PREFIX)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: EROFS inode %" G_GUINT64_FORMAT
				  ": an xattr with a long prefix",
				  erofs->name, inode->nid);
	prefix = xattr_prefix(raw[1]);
	if (!prefix)
		return fail_xattr(erofs, inode, error, "a name of an unknown class");
	if (!varve_erofs_read_meta(erofs, at, name, raw[0], error))
		return FALSE;
	if (strlen(name) != raw[0])
		return fail_xattr(erofs, inode, error, "a name with a NUL");
	attribute.value = g_malloc(attribute.size + 1);
	attribute.name = g_strconcat(prefix, name, NULL);
	g_array_append_val(attributes, attribute);
	at += raw[0];
	if (!varve_erofs_read_meta(erofs, at, attribute.value, attribute.size, error))
		return FALSE;
	*ret_end = (at + attribute.size + 3) / 4 * 4;
	return TRUE;
}

static int compare_attributes(gconstpointer a, gconstpointer b)
{
	return strcmp(((const Attribute *)a)->name, ((const Attribute *)b)->name);
}

/* One allocation: the array, then names and values. */
static VarveXattr *pack(const GArray *attributes)
{
	gsize size = attributes->len * sizeof(VarveXattr);
	VarveXattr *xattrs;
	char *at;

	for (guint i = 0; i < attributes->len; i++) {
		const Attribute *attribute = &g_array_index(attributes, Attribute, i);

		size += strlen(attribute->name) + 1 + attribute->size;
	}
	if (attributes->len == 0)
		return NULL;
	xattrs = g_malloc(size);
	at = (char *)(xattrs + attributes->len);
	for (guint i = 0; i < attributes->len; i++) {
		const Attribute *attribute = &g_array_index(attributes, Attribute, i);
		size_t length = strlen(attribute->name) + 1;

		xattrs[i] = (VarveXattr){ at, at + length, attribute->size };
		memcpy(at, attribute->name, length);
		memcpy(at + length, attribute->value, attribute->size);
		at += length + attribute->size;
	}
	return xattrs;
}

gboolean varve_erofs_read_xattrs(VarveErofs *erofs, const ErofsInode *inode,
				 VarveXattr **ret_xattrs, size_t *ret_n, GError **error)
{
	g_autoptr(GArray) attributes = g_array_new(FALSE, FALSE, sizeof(Attribute));
	guint64 start = inode->at + inode->head_size, end = start + inode->xattr_size, at;
	uint8_t header[XATTR_HEADER_SIZE];
	guint shared;

	g_array_set_clear_func(attributes, attribute_clear);
	*ret_xattrs = NULL;
	*ret_n = 0;
	if (inode->xattr_size == 0)
		return TRUE;
	if (!varve_erofs_read_meta(erofs, start, header, sizeof(header), error))
		return FALSE;
	shared = header[4];
	at = start + XATTR_HEADER_SIZE;
	if (end - at < shared * 4u)
		return fail_xattr(erofs, inode, error, "more shared ones than fit");
	for (guint i = 0; i < shared; i++, at += 4) {
		uint8_t raw[4];
		guint64 unused;

		if (!varve_erofs_read_meta(erofs, at, raw, sizeof(raw), error) ||
		    !read_attribute(erofs, inode,
				    erofs->xattr_offset + (guint64)varve_get_le32(raw) * 4,
				    erofs->size, attributes, &unused, error))
			return FALSE;
	}
	while (at < end) {
		if (!read_attribute(erofs, inode, at, end, attributes, &at, error))
			return FALSE;
	}
	g_array_sort(attributes, compare_attributes);
	for (guint i = 1; i < attributes->len; i++) {
		if (compare_attributes(&g_array_index(attributes, Attribute, i - 1),
				       &g_array_index(attributes, Attribute, i)) == 0)
			return fail_xattr(erofs, inode, error, "one name twice");
	}
	*ret_xattrs = pack(attributes);
	*ret_n = attributes->len;
	return TRUE;
}
