/* Steps of forge that change a file after it was sealed, or put something else in its place. */
#include "base/file.h"
#include "forge.h"
#include "format/bytes.h"
#include "format/crc32.h"
#include "format/gpt.h"

#include <string.h>
#include <sys/stat.h>

#define SECTOR 512
#define ENTRY_SIZE 128
#define ENTRIES_SIZE (128 * ENTRY_SIZE)
#define HEADER_SIZE 92

/* The bytes of the sealed file, read, changed and written back. */
typedef struct {
	guint8 *bytes;
	gsize size;
} Content;

static Content read_content(const char *path)
{
	Content content;
	GError *error = NULL;

	g_file_get_contents(path, (char **)&content.bytes, &content.size, &error);
	forge_check(error, path);
	return content;
}

/* Takes @content. */
static void write_content(const char *path, Content content)
{
	GError *error = NULL;

	g_file_set_contents(path, (const char *)content.bytes, (gssize)content.size, &error);
	forge_check(error, path);
	g_free(content.bytes);
}

/* Where the parts of the file @path lie. */
typedef struct {
	guint64 data, data_size, hash, hash_size, signature, signature_size;
} Extents;

static Extents extents_of(const char *path)
{
	GError *error = NULL;
	g_autoptr(VarveLayer) layer = varve_layer_open_path(path, &error);
	Extents e;

	forge_check(error, path);
	varve_layer_extents(layer, &e.data, &e.data_size, &e.hash, &e.hash_size);
	varve_layer_signature_extent(layer, &e.signature, &e.signature_size);
	return e;
}

static gsize find_bytes(const Content *content, const Extents *e, const char *text)
{
	const guint8 *found = memmem(content->bytes + e->data, e->data_size, text, strlen(text));

	if (!found)
		forge_die("'%s' is not in the layer's data", text);
	return (gsize)(found - content->bytes);
}

static void step_flip(Forged *forged, char *const *arguments)
{
	Extents e = extents_of(forged->path);
	Content content = read_content(forged->path);
	const char *where = arguments[0];
	gsize at;

	if (strcmp(where, "data") == 0)
		at = find_bytes(&content, &e, forged->manifest->name);
	else if (strcmp(where, "superblock") == 0)
		at = e.data + 1024;
	else if (strcmp(where, "manifest") == 0)
		at = find_bytes(&content, &e, "\"rollback-index\": 1") +
		     strlen("\"rollback-index\": ");
	else if (strcmp(where, "tree") == 0)
		at = e.hash + 4096;
	else if (strcmp(where, "tree-superblock") == 0)
		at = e.hash + 32;
	else
		forge_die("flip: '%s' is no place", where);
	content.bytes[at] ^= 2;
	write_content(forged->path, content);
}

static void step_cut(Forged *forged, char *const *arguments)
{
	struct stat st;

	if (stat(forged->path, &st) < 0 ||
	    truncate(forged->path, st.st_size * atoi(arguments[0]) / 100) < 0)
		forge_die("%s: %s", forged->path, g_strerror(errno));
}

/* Both tables' checksums, after their entries were changed. */
static void seal_tables(Content *content)
{
	guint8 *first = content->bytes + SECTOR, *last = content->bytes + content->size - SECTOR;
	guint8 *entries = content->bytes + 2 * SECTOR, *copy = last - ENTRIES_SIZE;

	memcpy(copy, entries, ENTRIES_SIZE);
	for (int i = 0; i < 2; i++) {
		guint8 *header = i ? last : first;

		varve_put_le32(header + 88, varve_crc32(entries, ENTRIES_SIZE));
		varve_put_le32(header + 16, 0);
		varve_put_le32(header + 16, varve_crc32(header, HEADER_SIZE));
	}
}

static void step_table(Forged *forged, char *const *arguments)
{
	Content content = read_content(forged->path);
	guint8 *entries = content.bytes + 2 * SECTOR;
	const char *how = arguments[0];

	if (strcmp(how, "past-end") == 0)
		varve_put_le64(entries + 2 * ENTRY_SIZE + 40, content.size / SECTOR + 1000);
	else if (strcmp(how, "overlap") == 0)
		varve_put_le64(entries + ENTRY_SIZE + 32, varve_get_le64(entries + 32));
	else if (strcmp(how, "backwards") == 0)
		varve_put_le64(entries + ENTRY_SIZE + 40, varve_get_le64(entries + 32));
	else if (strcmp(how, "id") == 0)
		entries[16] ^= 1;
	else if (strcmp(how, "fourth") == 0)
		memcpy(entries + 3 * ENTRY_SIZE, entries + 2 * ENTRY_SIZE, ENTRY_SIZE);
	else if (strcmp(how, "backup") != 0)
		forge_die("table: '%s' is no way", how);
	if (strcmp(how, "backup") == 0)
		content.bytes[content.size - SECTOR + 56] ^= 1;
	else
		seal_tables(&content);
	write_content(forged->path, content);
}

static const char *file_of(const Forged *forged, const char *row)
{
	const char *path = g_hash_table_lookup(forged->shop->made, row);

	if (!path)
		forge_die("%s: there is no row '%s' above it", forged->file, row);
	return path;
}

static void step_signature_of(Forged *forged, char *const *arguments)
{
	const char *other = file_of(forged, arguments[0]);
	Extents mine = extents_of(forged->path), theirs = extents_of(other);
	Content content = read_content(forged->path), from = read_content(other);

	if (mine.signature_size != theirs.signature_size)
		forge_die("%s: the signature partitions are not of one size", forged->file);
	memcpy(content.bytes + mine.signature, from.bytes + theirs.signature, mine.signature_size);
	g_free(from.bytes);
	write_content(forged->path, content);
}

/* Puts @json into the signature partition. */
static void write_signature(Forged *forged, const char *json)
{
	Extents e = extents_of(forged->path);
	Content content = read_content(forged->path);

	if (strlen(json) >= e.signature_size)
		forge_die("%s: the signature partition is too small", forged->file);
	memset(content.bytes + e.signature, 0, e.signature_size);
	memcpy(content.bytes + e.signature, json, strlen(json));
	write_content(forged->path, content);
}

static char *signature_text(const char *path)
{
	Extents e = extents_of(path);
	Content content = read_content(path);
	char *text = g_strndup((const char *)content.bytes + e.signature, e.signature_size);

	g_free(content.bytes);
	return text;
}

/* The text between the quotes of a member of the signature's JSON. */
static char *member(const char *json, const char *key)
{
	g_autofree char *label = g_strdup_printf("\"%s\"", key);
	const char *at = strstr(json, label);
	const char *from = at ? strchr(at + strlen(label), '"') : NULL;

	if (!from)
		forge_die("the signature's JSON has no %s", label);
	return g_strndup(from + 1, strcspn(from + 1, "\""));
}

static void step_pkcs7_of(Forged *forged, char *const *arguments)
{
	g_autofree char *mine = signature_text(forged->path);
	g_autofree char *theirs = signature_text(file_of(forged, arguments[0]));
	g_autofree char *old = member(mine, "signature"), *new = member(theirs, "signature");
	g_auto(GStrv) parts = g_strsplit(mine, old, 2);
	g_autofree char *text = g_strconcat(parts[0], new, parts[1], NULL);

	write_signature(forged, text);
}

static void step_fingerprint(Forged *forged, char *const *arguments)
{
	g_autofree char *text = signature_text(forged->path);
	g_autofree char *old = member(text, "certificateFingerprint");

	(void)arguments;
	strstr(text, old)[0] = old[0] == '0' ? '1' : '0';
	write_signature(forged, text);
}

static void step_signature_member(Forged *forged, char *const *arguments)
{
	g_autofree char *text = signature_text(forged->path);
	g_autofree char *longer = g_strdup_printf("{\"%s\":\"\",%s", arguments[0], text + 1);

	write_signature(forged, longer);
}

static void step_copy_of(Forged *forged, char *const *arguments)
{
	GError *error = NULL;

	varve_file_copy(file_of(forged, arguments[0]), forged->path, 0644, &error);
	forge_check(error, forged->path);
}

static void step_symlink_to(Forged *forged, char *const *arguments)
{
	g_autofree char *target = g_path_get_basename(file_of(forged, arguments[0]));

	if (symlink(target, forged->path) < 0)
		forge_die("symlink %s: %s", forged->path, g_strerror(errno));
}

static void step_fifo(Forged *forged, char *const *arguments)
{
	(void)arguments;
	if (mkfifo(forged->path, 0644) < 0)
		forge_die("mkfifo %s: %s", forged->path, g_strerror(errno));
}

static void step_directory(Forged *forged, char *const *arguments)
{
	(void)arguments;
	if (mkdir(forged->path, 0755) < 0)
		forge_die("mkdir %s: %s", forged->path, g_strerror(errno));
}

static void step_garbage(Forged *forged, char *const *arguments)
{
	gsize size = (gsize)g_ascii_strtoull(arguments[0], NULL, 10);
	Content content = { g_malloc(size + 1), size };

	for (gsize i = 0; i < size; i++)
		content.bytes[i] = (guint8)(i * 131 + i / 251);
	write_content(forged->path, content);
}

const ForgeStep forge_file_steps[] = {
	{ "flip", FORGE_SEALED, 1, step_flip },
	{ "cut", FORGE_SEALED, 1, step_cut },
	{ "partitions", FORGE_SEALED, 1, step_table },
	{ "signature-of", FORGE_SEALED, 1, step_signature_of },
	{ "pkcs7-of", FORGE_SEALED, 1, step_pkcs7_of },
	{ "fingerprint", FORGE_SEALED, 0, step_fingerprint },
	{ "signature-member", FORGE_SEALED, 1, step_signature_member },
	{ "copy-of", FORGE_INSTEAD, 1, step_copy_of },
	{ "symlink-to", FORGE_INSTEAD, 1, step_symlink_to },
	{ "fifo", FORGE_INSTEAD, 0, step_fifo },
	{ "directory", FORGE_INSTEAD, 0, step_directory },
	{ "garbage", FORGE_INSTEAD, 1, step_garbage },
	{ NULL, FORGE_NAME, 0, NULL },
};
