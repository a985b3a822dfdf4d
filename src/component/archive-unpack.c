/* Unpacks a source archive that nobody vouches for: entries are made by directory fd with openat2,
 * so that no name and no link of the archive leads out of the directory. */
#include "component/archive.h"

#include "base/error.h"
#include "base/text.h"
#include "component/archive-internal.h"
#include "ground/syscalls.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GIB (G_GUINT64_CONSTANT(1) << 30)
/* Links of the archive may be followed within the directory: "lib" can be one to "lib64". */
#define BENEATH (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

static const VarveArchiveLimits default_limits = {
	.entry = 10 * GIB,
	.total = 32 * GIB,
	.entries = 4000000,
};

typedef struct {
	const char *archive; /* its name, for messages */
	const VarveArchiveLimits *limits;
	VarveArchiveReader *reader;
	int into;
	guint64 total;
	guint entries;
	GHashTable *modes; /* path of a directory -> its permissions */
	char *parent;      /* (nullable) of the entry before */
	int parent_fd;
} Unpacker;

static gboolean refuse(const Unpacker *unpacker, VarveError code, const char *entry,
		       const char *what, GError **error)
{
	g_autofree char *shown = varve_text_line(entry);

	return varve_fail(error, code, "archive '%s': entry '%.200s' %s", unpacker->archive, shown,
			  what);
}

static gboolean refuse_errno(const Unpacker *unpacker, int errnum, const char *entry,
			     GError **error)
{
	g_autofree char *shown = varve_text_line(entry);

	return varve_fail_errno(error, errnum, "archive '%s': entry '%.200s' cannot be written",
				unpacker->archive, shown);
}

/* "./a//b/" is "a/b", and "./" is ""; NULL: absolute, or with "..". */
static char *plain_path(const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, "/", -1);
	g_autoptr(GString) path = g_string_new(NULL);

	if (*name == '/')
		return NULL;
	for (char **part = parts; *part; part++) {
		if (strcmp(*part, "..") == 0)
			return NULL;
		if (**part == '\0' || strcmp(*part, ".") == 0)
			continue;
		if (path->len > 0)
			g_string_append_c(path, '/');
		g_string_append(path, *part);
	}
	return g_string_free(g_steal_pointer(&path), FALSE);
}

static int open_directory(const Unpacker *unpacker, const char *path)
{
	return varve_openat2(unpacker->into, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0,
			     BENEATH);
}

/* Makes @path and what is missing above it. Returns: an fd, or -1 with errno. */
static int make_directories(const Unpacker *unpacker, const char *path)
{
	gsize size = strlen(path);
	g_autofree char *prefix = g_malloc0(size + 1);
	varve_autofd above = open_directory(unpacker, "");

	for (gsize at = 0; at < size && above >= 0;) {
		const char *slash = strchr(path + at, '/');
		gsize end = slash ? (gsize)(slash - path) : size;
		g_autofree char *name = g_strndup(path + at, end - at);
		int below;

		memcpy(prefix, path, end);
		if (mkdirat(above, name, 0755) < 0 && errno != EEXIST)
			return -1;
		below = open_directory(unpacker, prefix);
		varve_autofd_close(&above);
		above = below;
		at = end + 1;
	}
	return varve_fd_steal(&above);
}

/* The directory that @path is in, made where it is missing, and the name in it. The fd is kept:
 * archives go directory by directory. */
static gboolean open_parent(Unpacker *unpacker, const char *path, const char **ret_name,
			    GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *parent = g_strndup(path, slash ? (gsize)(slash - path) : 0);

	*ret_name = slash ? slash + 1 : path;
	if (unpacker->parent_fd >= 0 && strcmp(unpacker->parent, parent) == 0)
		return TRUE;
	varve_autofd_close(&unpacker->parent_fd);
	unpacker->parent_fd = open_directory(unpacker, parent);
	if (unpacker->parent_fd < 0 && errno == ENOENT)
		unpacker->parent_fd = make_directories(unpacker, parent);
	if (unpacker->parent_fd < 0 && (errno == EXDEV || errno == ELOOP || errno == ENOTDIR ||
					errno == EEXIST || errno == ENOENT))
		return refuse(unpacker, VARVE_ERROR_CORRUPT, path,
			      "is below what is not a directory, or a link that leads nowhere or "
			      "out of the archive",
			      error);
	if (unpacker->parent_fd < 0)
		return refuse_errno(unpacker, errno, path, error);
	g_free(unpacker->parent);
	unpacker->parent = g_steal_pointer(&parent);
	return TRUE;
}

static gboolean unpack_directory(Unpacker *unpacker, const char *path, mode_t mode, GError **error)
{
	varve_autofd fd = make_directories(unpacker, path);

	if (fd < 0 && (errno == EXDEV || errno == ELOOP || errno == ENOTDIR || errno == EEXIST ||
		       errno == ENOENT))
		return refuse(unpacker, VARVE_ERROR_CORRUPT, path,
			      "is a directory where there is something else, or a link that leads "
			      "nowhere or out of the archive",
			      error);
	if (fd < 0)
		return refuse_errno(unpacker, errno, path, error);
	/* Later: what is in it must be written first. */
	g_hash_table_replace(unpacker->modes, g_strdup(path), GUINT_TO_POINTER(mode));
	return TRUE;
}

/* Whether @target, seen from where @path is, is in the archive. */
static gboolean stays_within(const char *path, const char *target)
{
	g_auto(GStrv) above = g_strsplit(path, "/", -1), parts = g_strsplit(target, "/", -1);
	gssize depth = (gssize)g_strv_length(above) - 1;

	if (*target == '/')
		return FALSE;
	for (char **part = parts; *part; part++) {
		if (strcmp(*part, "..") == 0)
			depth--;
		else if (**part && strcmp(*part, ".") != 0)
			depth++;
		if (depth < 0)
			return FALSE;
	}
	return TRUE;
}

static gboolean unpack_link(Unpacker *unpacker, const char *path, const char *target,
			    GError **error)
{
	const char *name;

	if (!target || !*target)
		return refuse(unpacker, VARVE_ERROR_CORRUPT, path, "is a link without a target",
			      error);
	if (!stays_within(path, target))
		return refuse(unpacker, VARVE_ERROR_CORRUPT, path,
			      "is a link that leads out of the archive", error);
	if (!open_parent(unpacker, path, &name, error))
		return FALSE;
	if (symlinkat(target, unpacker->parent_fd, name) < 0) {
		if (errno == EEXIST)
			return refuse(unpacker, VARVE_ERROR_CORRUPT, path,
				      "is there twice, and one of the two is a link", error);
		return refuse_errno(unpacker, errno, path, error);
	}
	return TRUE;
}

/* Of two files of one name the later wins. */
static gboolean make_room(const Unpacker *unpacker, const char *path, const char *name,
			  GError **error)
{
	struct stat st;

	if (fstatat(unpacker->parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || refuse_errno(unpacker, errno, path, error);
	if (!S_ISREG(st.st_mode))
		return refuse(unpacker, VARVE_ERROR_CORRUPT, path,
			      "is there twice, once as a file and once as something else", error);
	if (unlinkat(unpacker->parent_fd, name, 0) < 0)
		return refuse_errno(unpacker, errno, path, error);
	return TRUE;
}

static gboolean write_data(const Unpacker *unpacker, int fd, const char *path, guint64 size,
			   GError **error)
{
	const void *data;
	size_t length;
	la_int64_t offset;
	int result;

	while ((result = archive_read_data_block(unpacker->reader, &data, &length, &offset)) ==
	       ARCHIVE_OK) {
		if (offset < 0 || (guint64)offset > size || length > size - (guint64)offset)
			return refuse(unpacker, VARVE_ERROR_CORRUPT, path, "is longer than it says",
				      error);
		if (varve_fd_pwrite_full(fd, data, length, offset) < 0)
			return refuse_errno(unpacker, errno, path, error);
	}
	if (result != ARCHIVE_EOF)
		return varve_archive_damaged(unpacker->archive, unpacker->reader, error);
	/* Holes at the end of a sparse file have no block. */
	if (ftruncate(fd, (off_t)size) < 0)
		return refuse_errno(unpacker, errno, path, error);
	return TRUE;
}

static gboolean unpack_file(Unpacker *unpacker, const char *path, struct archive_entry *entry,
			    GError **error)
{
	la_int64_t size = archive_entry_size(entry);
	varve_autofd fd = -1;
	const char *name;

	if (size < 0)
		return refuse(unpacker, VARVE_ERROR_CORRUPT, path, "has no size", error);
	if ((guint64)size > unpacker->limits->entry ||
	    (guint64)size > unpacker->limits->total - unpacker->total)
		return refuse(unpacker, VARVE_ERROR_UNSUPPORTED, path,
			      "makes the archive larger than is allowed", error);
	unpacker->total += (guint64)size;
	if (!open_parent(unpacker, path, &name, error) || !make_room(unpacker, path, name, error))
		return FALSE;
	fd = openat(unpacker->parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return refuse_errno(unpacker, errno, path, error);
	if (!write_data(unpacker, fd, path, (guint64)size, error))
		return FALSE;
	if (fchmod(fd, archive_entry_perm(entry) & 0777) < 0)
		return refuse_errno(unpacker, errno, path, error);
	return TRUE;
}

static gboolean unpack_entry(Unpacker *unpacker, struct archive_entry *entry, GError **error)
{
	const char *name = archive_entry_pathname(entry);
	g_autofree char *path = NULL;
	mode_t type = archive_entry_filetype(entry);

	if (!name)
		name = archive_entry_pathname_utf8(entry);
	if (!name)
		return refuse(unpacker, VARVE_ERROR_CORRUPT, "?", "has no name", error);
	if (++unpacker->entries > unpacker->limits->entries)
		return refuse(unpacker, VARVE_ERROR_UNSUPPORTED, name,
			      "is one more than is allowed", error);
	path = plain_path(name);
	if (!path)
		return refuse(unpacker, VARVE_ERROR_CORRUPT, name,
			      "would leave the archive's directory", error);
	if (archive_entry_hardlink(entry) || archive_entry_hardlink_utf8(entry))
		return refuse(unpacker, VARVE_ERROR_UNSUPPORTED, name,
			      "is a hard link, which cannot be packed again", error);
	if (type == AE_IFDIR)
		return !*path ||
		       unpack_directory(unpacker, path, archive_entry_perm(entry) & 0777, error);
	if (!*path)
		return refuse(unpacker, VARVE_ERROR_CORRUPT, name, "has no name", error);
	if (type == AE_IFREG)
		return unpack_file(unpacker, path, entry, error);
	if (type == AE_IFLNK)
		return unpack_link(unpacker, path, archive_entry_symlink(entry), error);
	return refuse(unpacker, VARVE_ERROR_UNSUPPORTED, name,
		      "is neither file, directory nor link and cannot be packed again", error);
}

static gint compare_depth(gconstpointer a, gconstpointer b)
{
	gsize left = strlen(*(const char *const *)a), right = strlen(*(const char *const *)b);

	return (left < right) - (left > right);
}

/* The deepest first: what is above can take away the right to go there. */
static gboolean set_modes(const Unpacker *unpacker, GError **error)
{
	guint n;
	g_autofree gpointer *paths = g_hash_table_get_keys_as_array(unpacker->modes, &n);

	if (n > 0)
		qsort(paths, n, sizeof *paths, compare_depth);
	for (guint i = 0; i < n; i++) {
		guint mode = GPOINTER_TO_UINT(g_hash_table_lookup(unpacker->modes, paths[i]));
		varve_autofd fd = open_directory(unpacker, paths[i]);

		if (fd < 0 || fchmod(fd, mode) < 0)
			return refuse_errno(unpacker, errno, paths[i], error);
	}
	return TRUE;
}

static gboolean unpack(Unpacker *unpacker, struct archive_entry *entry, GError **error)
{
	int result = entry ? ARCHIVE_OK : ARCHIVE_EOF;

	while (result != ARCHIVE_EOF) {
		if (!unpack_entry(unpacker, entry, error))
			return FALSE;
		result = archive_read_next_header(unpacker->reader, &entry);
		if (result != ARCHIVE_EOF && result < ARCHIVE_WARN)
			return varve_archive_damaged(unpacker->archive, unpacker->reader, error);
	}
	return set_modes(unpacker, error);
}

gboolean varve_archive_unpack_within(int sources, const char *name, int into,
				     const VarveArchiveLimits *limits, GError **error)
{
	g_auto(VarveArchiveFile) file = { .fd = -1 };
	g_autoptr(GHashTable) modes = NULL;
	Unpacker unpacker;
	gboolean done;

	if (!varve_archive_open(sources, name, &file, error))
		return FALSE;
	modes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	unpacker = (Unpacker){ .archive = name,
			       .limits = limits,
			       .reader = file.reader,
			       .into = into,
			       .modes = modes,
			       .parent_fd = -1 };
	done = unpack(&unpacker, file.first, error);
	varve_autofd_close(&unpacker.parent_fd);
	g_free(unpacker.parent);
	return done;
}

gboolean varve_archive_unpack(int sources, const char *name, int into, GError **error)
{
	return varve_archive_unpack_within(sources, name, into, &default_limits, error);
}
