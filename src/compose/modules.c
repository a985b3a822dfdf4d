/* Kernel modules of a staged root, unpacked through libarchive's filters. */
#include "compose/modules.h"

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#define MODULE_LIMIT (256 << 20)

static gboolean collect(int parent, const char *name, const char *path, GPtrArray *found,
			GError **error)
{
	varve_autofd fd = varve_dir_open(parent, name, error);
	g_auto(GStrv) names = NULL;

	if (fd < 0 || !varve_dir_list(fd, ".", &names, error))
		return FALSE;
	for (char **entry = names; *entry; entry++) {
		g_autofree char *child = g_build_filename(path, *entry, NULL);
		struct stat st;

		if (fstatat(fd, *entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", child);
		if (S_ISDIR(st.st_mode) && !collect(fd, *entry, child, found, error))
			return FALSE;
		if (S_ISREG(st.st_mode) &&
		    (g_str_has_suffix(*entry, ".ko.xz") || g_str_has_suffix(*entry, ".ko.zst") ||
		     g_str_has_suffix(*entry, ".ko.gz")))
			g_ptr_array_add(found, g_steal_pointer(&child));
	}
	return TRUE;
}

static gboolean read_packed(struct archive *archive, const char *path, GByteArray *data,
			    GError **error)
{
	g_autofree char *buffer = g_malloc(1 << 16);
	struct archive_entry *entry;
	la_ssize_t n;

	if (archive_read_support_filter_all(archive) < ARCHIVE_WARN ||
	    archive_read_support_format_raw(archive) != ARCHIVE_OK ||
	    archive_read_open_filename(archive, path, 1 << 16) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: cannot unpack: %s", path,
				  archive_error_string(archive));
	while ((n = archive_read_data(archive, buffer, 1 << 16)) > 0) {
		if (data->len + (gsize)n > MODULE_LIMIT)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: unpacks to more than %d bytes", path, MODULE_LIMIT);
		g_byte_array_append(data, (const guint8 *)buffer, (guint)n);
	}
	if (n < 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: cannot unpack: %s", path,
				  archive_error_string(archive));
	return TRUE;
}

static gboolean unpack_one(gsize index, gpointer pointer, GError **error)
{
	const char *path = g_ptr_array_index((GPtrArray *)pointer, index);
	g_autofree char *plain = g_strndup(path, (gsize)(strrchr(path, '.') - path));
	g_autoptr(GByteArray) data = g_byte_array_new();
	struct archive *archive = archive_read_new();
	gboolean ok = read_packed(archive, path, data, error);
	varve_autofd fd = -1;

	archive_read_free(archive);
	if (!ok)
		return FALSE;
	fd = open(plain, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || varve_fd_write_full(fd, data->data, data->len) < 0 || unlink(path) < 0)
		return varve_fail_errno(error, errno, "%s: cannot write", plain);
	return TRUE;
}

gboolean varve_modules_unpack(const char *root, GError **error)
{
	g_autofree char *modules = g_build_filename(root, "usr/lib/modules", NULL);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

	if (!g_file_test(modules, G_FILE_TEST_IS_DIR))
		return TRUE;
	if (!collect(AT_FDCWD, modules, modules, found, error))
		return FALSE;
	return varve_parallel(found->len, 0, unpack_one, found, error);
}
