/* Writing into a staged root without ever leaving it. */
#include "compose/root-dir.h"

#include "base/error.h"

#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define TEXT_LIMIT (16 << 20)

static int open_in_root(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (guint64)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* Opens the directory @path below @root, made component by component where it is missing. */
static int open_or_make(int root, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_autoptr(GString) so_far = g_string_new(".");
	int fd = open_in_root(root, ".", O_RDONLY | O_DIRECTORY);

	for (char **part = parts; *part && fd >= 0; part++) {
		varve_autofd parent = fd;

		if (!**part) {
			fd = varve_fd_steal(&parent);
			continue;
		}
		g_string_append_printf(so_far, "/%s", *part);
		fd = open_in_root(root, so_far->str, O_RDONLY | O_DIRECTORY);
		/* A dangling link is left to fail: making its target would guess. */
		if (fd < 0 && errno == ENOENT && mkdirat(parent, *part, 0755) == 0)
			fd = open_in_root(root, so_far->str, O_RDONLY | O_DIRECTORY);
	}
	return fd;
}

int varve_root_parent(const char *root, const char *path, char **ret_name, GError **error)
{
	varve_autofd top = varve_dir_open(AT_FDCWD, root, error);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	int fd;

	if (top < 0)
		return -1;
	fd = open_or_make(top, parent);
	if (fd < 0)
		varve_fail_errno(error, errno, "%s: cannot make the directory of '%s'", root, path);
	else
		*ret_name = g_steal_pointer(&name);
	return fd;
}

gboolean varve_root_write(const char *root, const char *path, const void *data, size_t size,
			  mode_t mode, uid_t uid, gid_t gid, GError **error)
{
	g_autofree char *name = NULL;
	varve_autofd parent = varve_root_parent(root, path, &name, error);
	varve_autofd fd = -1;

	if (parent < 0)
		return FALSE;
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return varve_fail_errno(error, errno, "%s%s: cannot replace", root, path);
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || varve_fd_write_full(fd, data, size) < 0 || fchown(fd, uid, gid) < 0 ||
	    fchmod(fd, mode) < 0)
		return varve_fail_errno(error, errno, "%s%s: cannot write", root, path);
	return TRUE;
}

gboolean varve_root_write_text(const char *root, const char *path, const char *text, GError **error)
{
	return varve_root_write(root, path, text, strlen(text), 0644, 0, 0, error);
}

gboolean varve_root_link(const char *root, const char *path, const char *target, GError **error)
{
	g_autofree char *name = NULL;
	varve_autofd parent = varve_root_parent(root, path, &name, error);

	if (parent < 0)
		return FALSE;
	/* Over an empty directory too: a package's mount points become links to the state. */
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT &&
	    unlinkat(parent, name, AT_REMOVEDIR) < 0)
		return varve_fail_errno(error, errno, "%s%s: cannot replace by a link", root, path);
	if (symlinkat(target, parent, name) < 0)
		return varve_fail_errno(error, errno, "%s%s: cannot make the link", root, path);
	return TRUE;
}

gboolean varve_root_mkdir(const char *root, const char *path, mode_t mode, uid_t uid, gid_t gid,
			  GError **error)
{
	varve_autofd top = varve_dir_open(AT_FDCWD, root, error);
	varve_autofd fd = top < 0 ? -1 : open_or_make(top, path);

	if (top < 0)
		return FALSE;
	if (fd < 0 || fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
		return varve_fail_errno(error, errno, "%s%s: cannot make the directory", root,
					path);
	return TRUE;
}

char *varve_root_read(const char *root, const char *path, GError **error)
{
	varve_autofd top = varve_dir_open(AT_FDCWD, root, error);
	varve_autofd fd = -1;
	g_autofree char *through = NULL, *text = NULL;

	if (top < 0)
		return NULL;
	fd = open_in_root(top, path, O_RDONLY);
	if (fd < 0) {
		varve_fail_errno(error, errno, "%s%s: cannot open", root, path);
		return NULL;
	}
	through = g_strdup_printf("/proc/self/fd/%d", fd);
	if (!varve_file_read(AT_FDCWD, through, TEXT_LIMIT, &text, NULL, error))
		return NULL;
	return g_steal_pointer(&text);
}

gboolean varve_root_exists(const char *root, const char *path)
{
	varve_autofd top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	varve_autofd fd = top < 0 ? -1 : open_in_root(top, path, O_PATH);

	return fd >= 0;
}
