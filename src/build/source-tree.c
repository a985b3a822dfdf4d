/* A tracked tree as a tar archive. */
#include "build/source-tree.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "ground/fd.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct archive Archive;
typedef struct archive_entry Entry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Archive, archive_write_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Entry, archive_entry_free)

#define FILE_LIMIT (256 << 20)

/* git sorts by bytes. */
static char **list_tracked(const char *tree, const char *const *only, GError **error)
{
	/* The tree may be another user's: it is read, and nothing of its configuration runs. */
	static const char *const command[] = { "git", "-c", "safe.directory=*", "-C" };
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	varve_autofd out = memfd_create("files", MFD_CLOEXEC);
	VarveProcess process = { .output_fd = out };
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = NULL;
	size_t size = 0;

	if (out < 0) {
		varve_fail_errno(error, errno, "git: cannot make a memory file");
		return NULL;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(command); i++)
		g_ptr_array_add(argv, (gpointer)command[i]);
	for (const char *const *word = (const char *const[]){ tree, "ls-files", "-z", "--", NULL };
	     *word; word++)
		g_ptr_array_add(argv, (gpointer)*word);
	for (; only && *only; only++)
		g_ptr_array_add(argv, (gpointer)*only);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	if (!varve_process_run(&process, NULL, error) ||
	    !varve_file_read_fd(out, "git's answer", 64 << 20, &text, &size, error))
		return NULL;
	for (const char *name = text; name < text + size; name += strlen(name) + 1)
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_add(names, NULL);
	g_ptr_array_set_free_func(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static gboolean tar_failed(Archive *archive, const char *name, GError **error)
{
	return varve_fail(error, VARVE_ERROR_SYSTEM, "%s: cannot be packed: %s", name,
			  archive_error_string(archive));
}

static gboolean add_file(Archive *archive, int tree, const char *name, const char *prefix,
			 gint64 time, GError **error)
{
	g_autoptr(Entry) entry = archive_entry_new();
	g_autofree char *path = g_build_filename(prefix, name, NULL);
	g_autofree char *data = NULL;
	char target[4096] = "";
	size_t size = 0;
	struct stat st;

	/* Removed and not yet committed. */
	if (fstatat(tree, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || varve_fail_errno(error, errno, "%s", name);
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(tree, name, target, sizeof(target) - 1);

		if (n < 0)
			return varve_fail_errno(error, errno, "%s", name);
		target[n] = '\0';
		archive_entry_set_filetype(entry, AE_IFLNK);
		archive_entry_set_symlink(entry, target);
	} else if (S_ISREG(st.st_mode)) {
		if (!varve_file_read(tree, name, FILE_LIMIT, &data, &size, error))
			return FALSE;
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_size(entry, (la_int64_t)size);
	} else {
		return TRUE; /* a submodule */
	}
	archive_entry_set_pathname(entry, path);
	archive_entry_set_perm(entry, st.st_mode & 0100 ? 0755 : 0644);
	archive_entry_set_mtime(entry, time, 0);
	archive_entry_set_uname(entry, "root");
	archive_entry_set_gname(entry, "root");
	if (archive_write_header(archive, entry) != ARCHIVE_OK ||
	    (size > 0 && archive_write_data(archive, data, size) != (la_ssize_t)size))
		return tar_failed(archive, name, error);
	return TRUE;
}

gboolean varve_source_tree_pack(const char *tree, const char *const *only, const char *file,
				gint64 time, GError **error)
{
	g_autoptr(Archive) archive = archive_write_new();
	g_autofree char *prefix = g_path_get_basename(file);
	g_autoptr(VarveNewFile) out = NULL;
	varve_autofd directory = varve_dir_open(AT_FDCWD, tree, error);
	g_auto(GStrv) names = directory < 0 ? NULL : list_tracked(tree, only, error);
	char *suffix = strstr(prefix, ".tar");

	if (!names)
		return FALSE;
	if (suffix)
		*suffix = '\0';
	out = varve_new_file_open(file, 0644, error);
	if (!out)
		return FALSE;
	archive_write_set_format_ustar(archive);
	if (archive_write_open_fd(archive, out->fd) != ARCHIVE_OK)
		return tar_failed(archive, file, error);
	for (char **name = names; *name; name++)
		if (!add_file(archive, directory, *name, prefix, time, error))
			return FALSE;
	if (archive_write_close(archive) != ARCHIVE_OK)
		return tar_failed(archive, file, error);
	return varve_new_file_commit(out, error);
}
