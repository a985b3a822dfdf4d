/* Looking into the base's tree with openat2(RESOLVE_IN_ROOT). */
#include "image/base-tree.h"

#include "base/error.h"
#include "base/file.h"

#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

int varve_base_tree_open(const char *root, GError **error)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		varve_fail_errno(error, errno, "%s: cannot open the tree", root);
	return fd;
}

static int open_inside(int tree, const char *path, int flags)
{
	struct open_how how = { .flags = (guint64)(flags | O_CLOEXEC),
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, tree, *path ? path : ".", &how, sizeof(how));
}

/* The name that an open file of ours is read by: it is not looked up again. */
static char *fd_path(int fd)
{
	return g_strdup_printf("/proc/self/fd/%d", fd);
}

gboolean varve_base_tree_resolve(int tree, const char *path, char **ret, GError **error)
{
	varve_autofd fd = open_inside(tree, path, O_PATH);
	g_autofree char *of_root = fd_path(tree);
	g_autofree char *of_file = NULL;
	g_autofree char *root = NULL;
	g_autofree char *file = NULL;
	size_t length;

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open in the tree", path);
	of_file = fd_path(fd);
	root = g_file_read_link(of_root, error);
	file = root ? g_file_read_link(of_file, error) : NULL;
	if (!file)
		return FALSE;
	length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(file, root, length) != 0 || (file[length] != '/' && file[length] != '\0'))
		return varve_fail(error, VARVE_ERROR_SYSTEM, "%s: '%s' is not below '%s'", path,
				  file, root);
	*ret = g_strdup(file[length] ? file + length + 1 : "");
	return TRUE;
}

gboolean varve_base_tree_has(int tree, const char *path)
{
	varve_autofd fd = open_inside(tree, path, O_PATH);

	return fd >= 0;
}

gboolean varve_base_tree_read(int tree, const char *path, size_t limit, char **ret_data,
			      size_t *ret_size, GError **error)
{
	varve_autofd fd = open_inside(tree, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	g_autofree char *open_path = NULL;

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open in the tree", path);
	open_path = fd_path(fd);
	if (!varve_file_read(AT_FDCWD, open_path, limit, ret_data, ret_size, error)) {
		g_prefix_error(error, "%s: ", path);
		return FALSE;
	}
	return TRUE;
}

gboolean varve_base_tree_list(int tree, const char *path, char ***ret, GError **error)
{
	varve_autofd fd = open_inside(tree, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open in the tree", path);
	return varve_dir_list(fd, ".", ret, error);
}
