/* Packs a directory into a source archive, the same tree to the same bytes: what tar does with
 * --format=gnu --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner. */
#include "component/archive.h"

#include "base/error.h"
#include "base/file.h"
#include "component/archive-internal.h"

#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536
/* RFC 1952, 2.3.1: where the system that wrote it stands, and "unknown". */
#define GZIP_OS_OFFSET 9
#define GZIP_OS_UNKNOWN 0xff

typedef struct archive ArchiveWriter;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveWriter, archive_write_free)

typedef struct archive_entry ArchiveEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveEntry, archive_entry_free)

typedef struct {
	const char *archive; /* its name, for messages */
	ArchiveWriter *writer;
	int from;
	char *block;
} Packer;

static gboolean fail_writing(const Packer *packer, GError **error)
{
	const char *reason = archive_error_string(packer->writer);

	return varve_fail(error, VARVE_ERROR_SYSTEM,
			  "archive '%s': the new one cannot be written: %s; nothing was changed",
			  packer->archive, reason ? reason : "no reason is known");
}

static gboolean fail_reading(const Packer *packer, const char *path, GError **error)
{
	return varve_fail_errno(error, errno, "archive '%s': '%s' cannot be read to be packed",
				packer->archive, path);
}

static gboolean pack_data(const Packer *packer, const char *path, guint64 size, GError **error)
{
	varve_autofd fd = openat(packer->from, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return fail_reading(packer, path, error);
	for (guint64 at = 0; at < size;) {
		ssize_t n = varve_fd_read_full(fd, packer->block, MIN(BLOCK, size - at), (off_t)at);

		if (n < 0)
			return fail_reading(packer, path, error);
		if (n == 0)
			return varve_fail(error, VARVE_ERROR_SYSTEM,
					  "archive '%s': '%s' became shorter while it was packed",
					  packer->archive, path);
		if (archive_write_data(packer->writer, packer->block, (size_t)n) != n)
			return fail_writing(packer, error);
		at += (guint64)n;
	}
	return TRUE;
}

static gboolean set_link(const Packer *packer, const char *path, const struct stat *st,
			 ArchiveEntry *entry, GError **error)
{
	g_autofree char *target = g_malloc0((gsize)st->st_size + 1);
	ssize_t n = readlinkat(packer->from, path, target, (size_t)st->st_size + 1);

	if (n < 0)
		return fail_reading(packer, path, error);
	if (n > st->st_size)
		return varve_fail(error, VARVE_ERROR_SYSTEM,
				  "archive '%s': the link '%s' changed while it was packed",
				  packer->archive, path);
	target[n] = '\0';
	archive_entry_set_symlink(entry, target);
	return TRUE;
}

static gboolean pack_entry(const Packer *packer, const char *path, const struct stat *st,
			   GError **error)
{
	g_autoptr(ArchiveEntry) entry = archive_entry_new();
	g_autofree char *name = g_strconcat(path, S_ISDIR(st->st_mode) ? "/" : "", NULL);

	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode) && !S_ISLNK(st->st_mode))
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "archive '%s': '%s' is neither file, directory nor link",
				  packer->archive, path);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_mode(entry, (st->st_mode & S_IFMT) | (st->st_mode & 0777));
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_size(entry, S_ISREG(st->st_mode) ? st->st_size : 0);
	if (S_ISLNK(st->st_mode) && !set_link(packer, path, st, entry, error))
		return FALSE;
	if (archive_write_header(packer->writer, entry) != ARCHIVE_OK)
		return fail_writing(packer, error);
	return !S_ISREG(st->st_mode) || pack_data(packer, path, (guint64)st->st_size, error);
}

/* What is in the directory @path, "" for the top. No fd is held: it can be deep. */
static gboolean pack_directory(const Packer *packer, const char *path, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(packer->from, *path ? path : ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *below =
			*path ? g_strconcat(path, "/", *name, NULL) : g_strdup(*name);
		struct stat st;

		if (fstatat(packer->from, below, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return fail_reading(packer, below, error);
		if (!pack_entry(packer, below, &st, error) ||
		    (S_ISDIR(st.st_mode) && !pack_directory(packer, below, error)))
			return FALSE;
	}
	return TRUE;
}

/* The levels are those of azldev and, where it has none, what the compressors do by themselves;
 * said, so that another version of the library cannot have others. */
static gboolean set_compression(ArchiveWriter *writer, int filter)
{
	static const struct {
		int filter;
		const char *options;
	} known[] = {
		{ ARCHIVE_FILTER_NONE, NULL },
		{ ARCHIVE_FILTER_GZIP, "gzip:compression-level=9,gzip:!timestamp" },
		{ ARCHIVE_FILTER_BZIP2, "bzip2:compression-level=9" },
		{ ARCHIVE_FILTER_XZ, "xz:compression-level=6,xz:threads=1" },
		{ ARCHIVE_FILTER_ZSTD, "zstd:compression-level=3" },
		{ ARCHIVE_FILTER_LZMA, "lzma:compression-level=6" },
		{ ARCHIVE_FILTER_LZIP, "lzip:compression-level=6" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
		if (known[i].filter == filter)
			return archive_write_add_filter(writer, filter) == ARCHIVE_OK &&
			       (!known[i].options ||
				archive_write_set_options(writer, known[i].options) == ARCHIVE_OK);
	}
	return FALSE;
}

static gboolean write_archive(const char *name, int filter, int from, int fd, GError **error)
{
	g_autoptr(ArchiveWriter) writer = archive_write_new();
	g_autofree char *block = g_malloc(BLOCK);
	Packer packer = { .archive = name, .writer = writer, .from = from, .block = block };
	static const guint8 unknown = GZIP_OS_UNKNOWN;

	if (archive_write_set_format_gnutar(writer) != ARCHIVE_OK ||
	    !set_compression(writer, filter))
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "archive '%s': its compression cannot be written by the "
				  "libarchive of this machine",
				  name);
	archive_write_set_bytes_in_last_block(writer, 1);
	if (archive_write_open_fd(writer, fd) != ARCHIVE_OK)
		return fail_writing(&packer, error);
	if (!pack_directory(&packer, "", error))
		return FALSE;
	if (archive_write_close(writer) != ARCHIVE_OK)
		return fail_writing(&packer, error);
	if (filter == ARCHIVE_FILTER_GZIP &&
	    varve_fd_pwrite_full(fd, &unknown, sizeof unknown, GZIP_OS_OFFSET) < 0)
		return varve_fail_errno(error, errno, "archive '%s': cannot write", name);
	return TRUE;
}

/* A new file of the directory, without a name where the filesystem can (*@ret_named is FALSE): a
 * killed process leaves nothing that a pattern of an overlay could match. */
static int open_new(int sources, const char *partial, gboolean *ret_named)
{
	int fd = openat(sources, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);

	*ret_named = fd < 0;
	if (fd < 0)
		fd = openat(sources, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0600);
	return fd;
}

static gboolean put_in_place(int sources, const char *name, const char *partial, int fd,
			     gboolean *named, GError **error)
{
	g_autofree char *open_file = g_strdup_printf("/proc/self/fd/%d", fd);

	if (fsync(fd) < 0)
		return varve_fail_errno(error, errno, "archive '%s': cannot write", name);
	if (!*named && linkat(AT_FDCWD, open_file, sources, partial, AT_SYMLINK_FOLLOW) < 0)
		return varve_fail_errno(error, errno, "archive '%s': cannot name the new one",
					name);
	*named = TRUE;
	if (renameat(sources, partial, sources, name) < 0)
		return varve_fail_errno(error, errno, "archive '%s': cannot be replaced", name);
	*named = FALSE;
	if (fsync(sources) < 0)
		return varve_fail_errno(error, errno, "archive '%s': cannot sync its directory",
					name);
	return TRUE;
}

static gboolean pack(int sources, const char *name, int filter, mode_t mode, int from,
		     GError **error)
{
	g_autofree char *partial =
		g_strdup_printf(".%.200s.%d.%08x.partial", name, (int)getpid(), g_random_int());
	gboolean named = FALSE, done;
	varve_autofd fd = open_new(sources, partial, &named);

	if (fd < 0)
		return varve_fail_errno(error, errno, "archive '%s': cannot write beside it", name);
	done = write_archive(name, filter, from, fd, error);
	if (done && fchmod(fd, mode) < 0)
		done = varve_fail_errno(error, errno, "archive '%s': cannot set its mode", name);
	done = done && put_in_place(sources, name, partial, fd, &named, error);
	if (named)
		unlinkat(sources, partial, 0);
	return done;
}

gboolean varve_archive_pack(int sources, const char *name, int from, GError **error)
{
	g_auto(VarveArchiveFile) old = { .fd = -1 };

	return varve_archive_open(sources, name, &old, error) &&
	       pack(sources, name, old.filter, old.mode, from, error);
}

gboolean varve_archive_create(int sources, const char *name, int from, GError **error)
{
	int filter;

	return varve_archive_named(name, &filter, error) &&
	       pack(sources, name, filter, 0644, from, error);
}
