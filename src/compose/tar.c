/* The tree as a pax archive, which is what mkfs.erofs takes: metadata from us, not from a disk. */
#include "compose/tree.h"

#include "base/error.h"
#include "ground/fd.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static gboolean failed(struct archive *archive, const char *path, GError **error)
{
	return varve_fail(error, VARVE_ERROR_SYSTEM, "/%s: cannot put it into the image: %s", path,
			  archive_error_string(archive));
}

static gboolean write_data(struct archive *archive, const VarveTreeFile *file, GError **error)
{
	varve_autofd fd = -1;
	g_autofree char *buffer = NULL;
	guint64 done = 0;

	if (file->content) {
		gsize size;
		const void *data = g_bytes_get_data(file->content, &size);

		if (size && archive_write_data(archive, data, size) != (la_ssize_t)size)
			return failed(archive, file->path.path, error);
		return TRUE;
	}
	fd = open(file->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", file->source);
	buffer = g_malloc(1 << 18);
	while (done < file->path.size) {
		ssize_t n = varve_fd_read_full(fd, buffer, 1 << 18, (off_t)done);

		if (n < 0)
			return varve_fail_errno(error, errno, "%s: cannot read", file->source);
		if (n == 0)
			return varve_fail(error, VARVE_ERROR_BUSY,
					  "%s: became shorter while it was read", file->source);
		if (archive_write_data(archive, buffer, (size_t)n) != n)
			return failed(archive, file->path.path, error);
		done += (guint64)n;
	}
	return TRUE;
}

/* @linked: hard-link number → path of the first name. */
static gboolean write_one(struct archive *archive, struct archive_entry *entry,
			  const VarveTreeFile *file, GHashTable *linked, gint64 epoch,
			  GError **error)
{
	const VarvePath *path = &file->path;
	g_autofree char *name =
		g_strconcat("./", path->path, S_ISDIR(path->mode) && *path->path ? "/" : "", NULL);
	const char *first = path->hardlink ? g_hash_table_lookup(linked, &path->hardlink) : NULL;

	archive_entry_clear(entry);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_mode(entry, path->mode);
	archive_entry_set_uid(entry, path->uid);
	archive_entry_set_gid(entry, path->gid);
	archive_entry_set_mtime(entry, epoch, 0);
	archive_entry_set_size(entry, S_ISREG(path->mode) && !first ? (la_int64_t)path->size : 0);
	if (S_ISLNK(path->mode))
		archive_entry_set_symlink(entry, path->target);
	if (S_ISCHR(path->mode) || S_ISBLK(path->mode))
		archive_entry_set_rdev(entry, path->device);
	if (first)
		archive_entry_set_hardlink(entry, first);
	else if (path->hardlink)
		g_hash_table_insert(linked, (gpointer)&path->hardlink, (gpointer)path->path);
	if (*path->label)
		archive_entry_xattr_add_entry(entry, "security.selinux", path->label,
					      strlen(path->label) + 1);
	for (size_t i = 0; i < path->n_xattrs; i++)
		archive_entry_xattr_add_entry(entry, path->xattrs[i].name, path->xattrs[i].value,
					      path->xattrs[i].size);
	if (archive_write_header(archive, entry) != ARCHIVE_OK)
		return failed(archive, path->path, error);
	return !S_ISREG(path->mode) || first || write_data(archive, file, error);
}

gboolean varve_tree_write_tar(VarveTree *tree, int fd, gint64 epoch, GError **error)
{
	const GPtrArray *files = varve_tree_files(tree);
	g_autoptr(GHashTable) linked = g_hash_table_new(g_int64_hash, g_int64_equal);
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	gboolean ok;

	ok = archive_write_set_format_pax(archive) == ARCHIVE_OK &&
	     archive_write_set_options(archive, "xattrheader=SCHILY,hdrcharset=BINARY") ==
		     ARCHIVE_OK &&
	     archive_write_set_bytes_per_block(archive, 1 << 18) == ARCHIVE_OK &&
	     archive_write_open_fd(archive, fd) == ARCHIVE_OK;
	if (!ok)
		failed(archive, "", error);
	for (guint i = 0; ok && i < files->len; i++)
		ok = write_one(archive, entry, g_ptr_array_index(files, i), linked, epoch, error);
	if (ok && archive_write_close(archive) != ARCHIVE_OK)
		ok = failed(archive, "", error);
	archive_entry_free(entry);
	archive_write_free(archive);
	return ok;
}
