/* Walking a tree that nobody vouches for: by directory fds, on one filesystem, without following
 * any link. */
#include "base/error.h"
#include "format/path.h"
#include "ground/fd.h"
#include "ground/syscalls.h"
#include "stack/stack.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define PATHS_MAX 1000000u
#define XATTR_MAX 65536
/* Of names and attributes: inodes may share an attribute, so that a small image has many. */
#define TEXT_MAX (256u * 1024 * 1024)

typedef struct {
	GPtrArray *paths;
	GStringChunk *strings;
	gsize text;
} Walk;

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(((const VarveXattr *)a)->name, ((const VarveXattr *)b)->name);
}

/* Reads one attribute into the chunk; FALSE with errno. */
static gboolean read_xattr(Walk *walk, const char *proc, const char *name, VarveXattr *ret)
{
	g_autofree char *value = g_malloc(XATTR_MAX);
	ssize_t n = getxattr(proc, name, value, XATTR_MAX);

	if (n < 0)
		return FALSE;
	ret->name = g_string_chunk_insert(walk->strings, name);
	ret->value = g_string_chunk_insert_len(walk->strings, value, n);
	ret->size = (size_t)n;
	walk->text += (gsize)n + strlen(name);
	return TRUE;
}

/* Attributes through /proc: an O_PATH fd, which is all that one can have of a link, has no other
 * way to them. */
static gboolean read_xattrs(Walk *walk, int fd, VarvePath *path, GError **error)
{
	g_autofree char *names = g_malloc(XATTR_MAX);
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(VarveXattr));
	char proc[32];
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = listxattr(proc, names, XATTR_MAX);
	if (n < 0 && errno == ENOTSUP)
		return TRUE;
	if (n < 0)
		return varve_fail_errno(error, errno, "/%s: its attributes cannot be listed",
					path->path);
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		VarveXattr xattr;

		if (!read_xattr(walk, proc, name, &xattr))
			return varve_fail_errno(error, errno, "/%s: attribute %s cannot be read",
						path->path, name);
		if (strcmp(name, "security.selinux") == 0)
			path->label = xattr.value;
		else
			g_array_append_val(list, xattr);
	}
	g_array_sort(list, by_name);
	path->n_xattrs = list->len;
	/* The chunk knows how to keep bytes, not how to align them. */
	path->xattrs = (const VarveXattr *)g_array_free(g_steal_pointer(&list), FALSE);
	return TRUE;
}

static void path_free(gpointer data)
{
	VarvePath *path = data;

	g_free((gpointer)path->xattrs);
	g_free(path);
}

static VarvePath *add_path(Walk *walk, const char *name, const struct stat *st)
{
	VarvePath *path = g_new0(VarvePath, 1);

	path->path = g_string_chunk_insert(walk->strings, name);
	path->mode = st->st_mode;
	path->uid = st->st_uid;
	path->gid = st->st_gid;
	path->target = path->label = path->package = "";
	if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode))
		path->size = (guint64)st->st_size;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		path->device = st->st_rdev;
	g_ptr_array_add(walk->paths, path);
	return path;
}

static gboolean walk_directory(Walk *walk, int fd, const char *name, GError **error);

static gboolean visit(Walk *walk, int fd, const char *name, GError **error)
{
	struct stat st;
	VarvePath *path;

	if (fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "/%s", name);
	if (walk->paths->len >= PATHS_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "it has more than %u paths",
				  PATHS_MAX);
	path = add_path(walk, name, &st);
	walk->text += strlen(name);
	if (!read_xattrs(walk, fd, path, error))
		return FALSE;
	if (walk->text > TEXT_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "its names and attributes are more than %u bytes", TEXT_MAX);
	if (S_ISLNK(st.st_mode)) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);

		if (n < 0)
			return varve_fail_errno(error, errno, "/%s", name);
		target[n] = '\0';
		path->target = g_string_chunk_insert(walk->strings, target);
	}
	return !S_ISDIR(st.st_mode) || walk_directory(walk, fd, path->path, error);
}

static gboolean walk_entry(Walk *walk, int dir_fd, const char *parent, const char *entry,
			   GError **error)
{
	g_autofree char *name = g_strconcat(parent, *parent ? "/" : "", entry, NULL);
	varve_autofd fd = -1;

	if (strchr(entry, '/') || !varve_path_is_canonical(name) || strlen(name) >= PATH_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "below /%s is a name that cannot be",
				  parent);
	fd = varve_openat2(dir_fd, entry, O_PATH | O_NOFOLLOW, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
	if (fd < 0)
		return varve_fail_errno(error, errno, "/%s", name);
	return visit(walk, fd, name, error);
}

typedef DIR Directory;
static void directory_close(Directory *dir)
{
	closedir(dir);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Directory, directory_close)

/* @fd is O_PATH and stays the caller's. */
static gboolean walk_directory(Walk *walk, int fd, const char *name, GError **error)
{
	varve_autofd readable =
		varve_openat2(fd, ".", O_RDONLY | O_DIRECTORY, 0, VARVE_RESOLVE_STRICT);
	g_autoptr(Directory) dir = NULL;

	if (readable < 0)
		return varve_fail_errno(error, errno, "/%s", name);
	dir = fdopendir(readable);
	if (!dir)
		return varve_fail_errno(error, errno, "/%s", name);
	varve_fd_steal(&readable);
	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry && errno != 0)
			return varve_fail_errno(error, errno, "/%s", name);
		if (!entry)
			return TRUE;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!walk_entry(walk, dirfd(dir), name, entry->d_name, error))
			return FALSE;
	}
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const VarvePath *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

GPtrArray *varve_tree_walk(int fd, GStringChunk *strings, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(path_free);
	Walk walk = { .paths = paths, .strings = strings };

	if (!visit(&walk, fd, "", error))
		return NULL;
	g_ptr_array_sort(paths, by_path);
	return g_steal_pointer(&paths);
}
