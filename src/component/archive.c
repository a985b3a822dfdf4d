/* Opens a source archive and says what it is, by its name and by its bytes. */
#include "component/archive.h"

#include "component/archive-internal.h"

#include "base/error.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK 65536

typedef struct {
	const char *suffix;
	int filter;
} Suffix;

static const Suffix suffixes[] = {
	{ ".tar", ARCHIVE_FILTER_NONE },      { ".tar.gz", ARCHIVE_FILTER_GZIP },
	{ ".tgz", ARCHIVE_FILTER_GZIP },      { ".tar.bz2", ARCHIVE_FILTER_BZIP2 },
	{ ".tbz2", ARCHIVE_FILTER_BZIP2 },    { ".tbz", ARCHIVE_FILTER_BZIP2 },
	{ ".tar.xz", ARCHIVE_FILTER_XZ },     { ".txz", ARCHIVE_FILTER_XZ },
	{ ".tar.zst", ARCHIVE_FILTER_ZSTD },  { ".tzst", ARCHIVE_FILTER_ZSTD },
	{ ".tar.lzma", ARCHIVE_FILTER_LZMA }, { ".tar.lz", ARCHIVE_FILTER_LZIP },
};

gboolean varve_archive_damaged(const char *name, VarveArchiveReader *reader, GError **error)
{
	const char *reason = archive_error_string(reader);

	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "archive '%s' is damaged or not a tar archive: %s; fetch it again", name,
			  reason ? reason : "it cannot be read");
}

static const Suffix *find_suffix(const char *name)
{
	gsize size = strlen(name);

	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		gsize length = strlen(suffixes[i].suffix);

		if (size > length &&
		    g_ascii_strcasecmp(name + size - length, suffixes[i].suffix) == 0)
			return &suffixes[i];
	}
	return NULL;
}

static VarveArchiveReader *new_reader(void)
{
	static int (*const supports[])(struct archive *) = {
		archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
		archive_read_support_filter_xz,   archive_read_support_filter_lzma,
		archive_read_support_filter_lzip, archive_read_support_filter_zstd,
		archive_read_support_format_tar,  archive_read_support_format_empty,
	};
	VarveArchiveReader *reader = archive_read_new();

	for (gsize i = 0; i < G_N_ELEMENTS(supports); i++)
		supports[i](reader);
	return reader;
}

static gboolean open_file(int sources, const char *name, struct stat *ret_st, int *ret_fd,
			  GError **error)
{
	varve_autofd fd = openat(sources, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 || fstat(fd, ret_st) < 0)
		return varve_fail_errno(error, errno, "archive '%s': cannot open", name);
	if (!S_ISREG(ret_st->st_mode))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "archive '%s' is not a regular file",
				  name);
	*ret_fd = varve_fd_steal(&fd);
	return TRUE;
}

/* To the first entry: only then the compression is known. */
static gboolean begin(VarveArchiveFile *file, const char *name, GError **error)
{
	int result = archive_read_open_fd(file->reader, file->fd, BLOCK);

	if (result == ARCHIVE_OK)
		result = archive_read_next_header(file->reader, &file->first);
	if (result == ARCHIVE_EOF)
		file->first = NULL;
	else if (result < ARCHIVE_WARN)
		return varve_archive_damaged(name, file->reader, error);
	if (archive_filter_count(file->reader) > 2)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "archive '%s' is compressed more than once", name);
	return TRUE;
}

gboolean varve_archive_named(const char *name, int *ret_filter, GError **error)
{
	const Suffix *suffix = find_suffix(name);

	if (!suffix || strchr(name, '/'))
		return varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"'%s' is not the name of an archive that can be written: it must "
			"be a file name that ends in .tar or .tar.{gz,bz2,xz,zst,lzma,lz}",
			name);
	if (ret_filter)
		*ret_filter = suffix->filter;
	return TRUE;
}

gboolean varve_archive_open(int sources, const char *name, VarveArchiveFile *ret, GError **error)
{
	g_auto(VarveArchiveFile) file = { .fd = -1 };
	struct stat st;
	int filter;

	if (!varve_archive_named(name, &filter, error))
		return FALSE;
	if (!open_file(sources, name, &st, &file.fd, error))
		return FALSE;
	file.reader = new_reader();
	file.mode = st.st_mode & 0777;
	if (!begin(&file, name, error))
		return FALSE;
	/* An empty file has no bytes to tell by. */
	file.filter = st.st_size == 0 ? filter : archive_filter_code(file.reader, 0);
	*ret = file;
	file = (VarveArchiveFile){ .fd = -1 };
	return TRUE;
}

void varve_archive_close(VarveArchiveFile *file)
{
	g_clear_pointer(&file->reader, archive_read_free);
	varve_autofd_close(&file->fd);
}
