/* deb(5) through libarchive: one archive inside another. */
#include "package/deb-archive.h"

#include "base/error.h"
#include "ground/fd.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define CONTROL_LIMIT (4U << 20)
/* A tar of names alone could fill memory; no package comes near. */
#define ENTRIES_LIMIT 2000000U

typedef struct archive Archive;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Archive, archive_read_free)

typedef struct {
	VarveDeb *deb;
	const char *name;
	GHashTable *paths; /* path -> VarveDebEntry */
	guint64 spooled;
	guint32 links;
	gboolean saw_control, saw_data;
} Reader;

static void free_entry(gpointer pointer)
{
	VarveDebEntry *entry = pointer;

	g_free(entry->path);
	g_free(entry->user);
	g_free(entry->group);
	g_free(entry->target);
	g_free(entry);
}

void varve_deb_free(VarveDeb *deb)
{
	if (!deb)
		return;
	g_free(deb->control);
	g_hash_table_unref(deb->conffiles);
	g_ptr_array_unref(deb->entries);
	varve_autofd_close(&deb->fd);
	g_free(deb);
}

static gboolean fail_archive(const Reader *reader, Archive *archive, GError **error)
{
	return varve_fail(error, VARVE_ERROR_CORRUPT, "package '%s': damaged: %s", reader->name,
			  archive_error_string(archive));
}

static ssize_t read_outer(Archive *inner, void *data, const void **buffer)
{
	Archive *outer = data;
	size_t size = 0;
	la_int64_t offset;
	int status = archive_read_data_block(outer, buffer, &size, &offset);

	if (status == ARCHIVE_EOF)
		return 0;
	if (status != ARCHIVE_OK) {
		archive_set_error(inner, archive_errno(outer), "%s", archive_error_string(outer));
		return -1;
	}
	return (ssize_t)size;
}

static Archive *open_inner(const Reader *reader, Archive *outer, GError **error)
{
	g_autoptr(Archive) inner = archive_read_new();

	archive_read_support_filter_xz(inner);
	archive_read_support_filter_zstd(inner);
	archive_read_support_filter_gzip(inner);
	archive_read_support_format_tar(inner);
	if (archive_read_open(inner, outer, NULL, read_outer, NULL) != ARCHIVE_OK) {
		fail_archive(reader, inner, error);
		return NULL;
	}
	return g_steal_pointer(&inner);
}

/* "./usr/bin/x", "usr/bin/x/" -> "/usr/bin/x"; the root itself is "". NULL for what leaves it. */
static char *normalise(const char *raw)
{
	g_auto(GStrv) parts = g_strsplit(raw, "/", -1);
	g_autoptr(GString) path = g_string_new(NULL);
	static const char *const merged[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };

	for (char **part = parts; *part; part++) {
		if (!**part || strcmp(*part, ".") == 0)
			continue;
		if (strcmp(*part, "..") == 0)
			return NULL;
		g_string_append_printf(path, "/%s", *part);
	}
	/* /bin and the like are links into /usr: what is said to be below them is there. The links
	 * themselves are told apart by the caller. */
	for (gsize i = 0; i < G_N_ELEMENTS(merged); i++) {
		gsize length = strlen(merged[i]);

		if (strncmp(path->str + (path->len > 0), merged[i], length) == 0 &&
		    path->len > length + 1 && path->str[length + 1] == '/')
			g_string_prepend(path, "/usr");
	}
	return g_string_free(g_steal_pointer(&path), FALSE);
}

static gboolean is_merged_directory(const char *path)
{
	static const char *const names[] = {
		"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(path, names[i]) == 0)
			return TRUE;
	return FALSE;
}

static gboolean spool_content(Reader *reader, Archive *inner, VarveDebEntry *entry, GError **error)
{
	const void *buffer;
	size_t size;
	la_int64_t offset, expected = 0;
	int status;

	entry->offset = reader->spooled;
	while ((status = archive_read_data_block(inner, &buffer, &size, &offset)) == ARCHIVE_OK) {
		if (offset != expected)
			return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
					  "package '%s': %s is a sparse file", reader->name,
					  entry->path);
		if (varve_fd_write_full(reader->deb->fd, buffer, size) < 0)
			return varve_fail_errno(error, errno, "package '%s': cannot unpack %s",
						reader->name, entry->path);
		expected += (la_int64_t)size;
	}
	if (status != ARCHIVE_EOF)
		return fail_archive(reader, inner, error);
	if ((guint64)expected != entry->size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "package '%s': %s has %" G_GINT64_FORMAT
				  " bytes, the archive says %" G_GUINT64_FORMAT,
				  reader->name, entry->path, (gint64)expected, entry->size);
	reader->spooled += (guint64)expected;
	return TRUE;
}

static gboolean take_hard_link(Reader *reader, const char *raw, VarveDebEntry *entry,
			       GError **error)
{
	g_autofree char *target = normalise(raw);
	VarveDebEntry *first = target ? g_hash_table_lookup(reader->paths, target) : NULL;

	if (!first || !S_ISREG(first->mode))
		return varve_fail(
			error, VARVE_ERROR_CORRUPT,
			"package '%s': %s is a hard link to '%s', which is no earlier file",
			reader->name, entry->path, raw);
	if (!first->link)
		first->link = ++reader->links;
	entry->link = first->link;
	entry->mode = first->mode;
	entry->offset = first->offset;
	entry->size = first->size;
	return TRUE;
}

static char *owner(const char *name, la_int64_t id)
{
	if (name && *name)
		return g_strdup(name);
	return id ? g_strdup_printf("%" G_GINT64_FORMAT, (gint64)id) : g_strdup("root");
}

/* Adds the member that @inner stands at. */
static gboolean take_entry(Reader *reader, Archive *inner, struct archive_entry *member,
			   GError **error)
{
	const char *raw = archive_entry_pathname(member);
	const char *hard = archive_entry_hardlink(member), *soft = archive_entry_symlink(member);
	g_autofree char *path = raw ? normalise(raw) : NULL;
	VarveDebEntry *entry, *known;

	if (!path)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "package '%s': the path '%s' leaves the root", reader->name,
				  raw ? raw : "(none)");
	entry = NULL;
	if (!*path || (is_merged_directory(path) && S_ISDIR(archive_entry_mode(member))))
		return TRUE;
	known = g_hash_table_lookup(reader->paths, path);
	if (known && S_ISDIR(known->mode) && S_ISDIR(archive_entry_mode(member)))
		return TRUE;
	if (known || reader->deb->entries->len >= ENTRIES_LIMIT)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "package '%s': %s is in it twice",
				  reader->name, path);
	entry = g_new0(VarveDebEntry, 1);
	g_ptr_array_add(reader->deb->entries, entry);
	entry->path = g_steal_pointer(&path);
	entry->mode = archive_entry_mode(member);
	entry->user = owner(archive_entry_uname(member), archive_entry_uid(member));
	entry->group = owner(archive_entry_gname(member), archive_entry_gid(member));
	entry->mtime = CLAMP(archive_entry_mtime(member), 0, G_MAXUINT32);
	reader->deb->newest = MAX(reader->deb->newest, entry->mtime);
	g_hash_table_insert(reader->paths, entry->path, entry);
	if (hard)
		return take_hard_link(reader, hard, entry, error);
	if (S_ISLNK(entry->mode)) {
		if (!soft || !*soft)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "package '%s': the link %s points nowhere", reader->name,
					  entry->path);
		entry->target = g_strdup(soft);
		entry->mode = S_IFLNK | 0777;
		return TRUE;
	}
	if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode))
		entry->device = (guint32)((archive_entry_rdevmajor(member) & 0xff) << 8 |
					  (archive_entry_rdevminor(member) & 0xff));
	if (!S_ISREG(entry->mode))
		return TRUE;
	entry->size = (guint64)MAX(archive_entry_size(member), 0);
	return spool_content(reader, inner, entry, error);
}

static gboolean read_data(Reader *reader, Archive *outer, GError **error)
{
	g_autoptr(Archive) inner = open_inner(reader, outer, error);
	struct archive_entry *member;
	int status;

	if (!inner)
		return FALSE;
	while ((status = archive_read_next_header(inner, &member)) == ARCHIVE_OK ||
	       status == ARCHIVE_WARN)
		if (!take_entry(reader, inner, member, error))
			return FALSE;
	return status == ARCHIVE_EOF || fail_archive(reader, inner, error);
}

static gboolean read_text(const Reader *reader, Archive *inner, struct archive_entry *member,
			  char **ret_text, GError **error)
{
	gsize size = (gsize)MAX(archive_entry_size(member), 0);
	g_autofree char *text = NULL;
	la_ssize_t got;

	if (size > CONTROL_LIMIT)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "package '%s': its control data are larger than 4 MiB",
				  reader->name);
	text = g_malloc0(size + 1);
	got = archive_read_data(inner, text, size);
	if (got < 0 || (gsize)got != size)
		return fail_archive(reader, inner, error);
	if (memchr(text, '\0', size))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "package '%s': a NUL byte in its control data", reader->name);
	g_free(*ret_text);
	*ret_text = g_steal_pointer(&text);
	return TRUE;
}

static void take_conffiles(Reader *reader, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_strstrip(*line);
		/* "remove-on-upgrade /path" names what is not shipped. */
		if (**line == '/')
			g_hash_table_add(reader->deb->conffiles, normalise(*line));
	}
}

static gboolean read_control(Reader *reader, Archive *outer, GError **error)
{
	g_autoptr(Archive) inner = open_inner(reader, outer, error);
	g_autofree char *conffiles = NULL;
	struct archive_entry *member;
	int status;

	if (!inner)
		return FALSE;
	while ((status = archive_read_next_header(inner, &member)) == ARCHIVE_OK ||
	       status == ARCHIVE_WARN) {
		const char *raw = archive_entry_pathname(member);
		g_autofree char *path = raw ? normalise(raw) : NULL;
		char **into = g_strcmp0(path, "/control") == 0     ? &reader->deb->control
			      : g_strcmp0(path, "/conffiles") == 0 ? &conffiles
								   : NULL;

		if (into && !read_text(reader, inner, member, into, error))
			return FALSE;
	}
	if (status != ARCHIVE_EOF)
		return fail_archive(reader, inner, error);
	if (conffiles)
		take_conffiles(reader, conffiles);
	return TRUE;
}

static gboolean read_members(Reader *reader, Archive *outer, GError **error)
{
	struct archive_entry *member;
	int status;

	while ((status = archive_read_next_header(outer, &member)) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(member);

		if (g_str_has_prefix(name, "control.tar")) {
			reader->saw_control = TRUE;
			if (!read_control(reader, outer, error))
				return FALSE;
		} else if (g_str_has_prefix(name, "data.tar")) {
			reader->saw_data = TRUE;
			if (!read_data(reader, outer, error))
				return FALSE;
		}
	}
	if (status != ARCHIVE_EOF)
		return fail_archive(reader, outer, error);
	if (!reader->saw_control || !reader->saw_data || !reader->deb->control)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "package '%s': not a .deb: it has no %s", reader->name,
				  reader->saw_data ? "control file" : "data.tar");
	return TRUE;
}

VarveDeb *varve_deb_open(int fd, const char *name, const char *scratch, GError **error)
{
	g_autoptr(VarveDeb) deb = g_new0(VarveDeb, 1);
	g_autoptr(Archive) outer = archive_read_new();
	g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);
	Reader reader = { .deb = deb, .name = name, .paths = paths };

	deb->conffiles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	deb->entries = g_ptr_array_new_with_free_func(free_entry);
	deb->fd = open(scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (deb->fd < 0) {
		varve_fail_errno(error, errno, "%s: cannot make a temporary file", scratch);
		return NULL;
	}
	archive_read_support_format_ar(outer);
	if (lseek(fd, 0, SEEK_SET) < 0) {
		varve_fail_errno(error, errno, "package '%s': cannot seek", name);
		return NULL;
	}
	if (archive_read_open_fd(outer, fd, 1 << 20) != ARCHIVE_OK) {
		fail_archive(&reader, outer, error);
		return NULL;
	}
	return read_members(&reader, outer, error) ? g_steal_pointer(&deb) : NULL;
}

const VarveDebEntry *varve_deb_find(const VarveDeb *deb, const char *path)
{
	for (guint i = 0; i < deb->entries->len; i++) {
		const VarveDebEntry *entry = g_ptr_array_index(deb->entries, i);

		if (strcmp(entry->path, path) == 0)
			return entry;
	}
	return NULL;
}

gboolean varve_deb_read(const VarveDeb *deb, const VarveDebEntry *entry, char **ret_data,
			gsize *ret_size, GError **error)
{
	g_autofree char *data = NULL;
	ssize_t got;

	if (!S_ISREG(entry->mode) || entry->size > CONTROL_LIMIT)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: expected a regular file of at most 4 MiB", entry->path);
	data = g_malloc0(entry->size + 1);
	got = varve_fd_read_full(deb->fd, data, entry->size, (off_t)entry->offset);
	if (got < 0 || (guint64)got != entry->size)
		return varve_fail_errno(error, got < 0 ? errno : EIO, "%s: cannot read",
					entry->path);
	*ret_data = g_steal_pointer(&data);
	*ret_size = entry->size;
	return TRUE;
}
