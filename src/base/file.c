/* Files and trees. */
#include "base/file.h"

#include "base/error.h"
#include "ground/syscalls.h"

#include <dirent.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

gboolean varve_file_read_fd(int fd, const char *path, size_t limit, char **ret_data,
			    size_t *ret_size, GError **error)
{
	g_autofree char *data = NULL;
	struct stat st;
	size_t size = 0, room;

	if (fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "%s: cannot stat", path);
	if (!S_ISREG(st.st_mode))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: not a regular file", path);
	/* Files of /proc and /sys say 0 and have more, so the size is only where to start. */
	room = MIN((size_t)st.st_size, limit) + 1;
	data = g_malloc(room + 1);
	for (;;) {
		ssize_t n = varve_fd_read_full(fd, data + size, room - size, (off_t)size);

		if (n < 0)
			return varve_fail_errno(error, errno, "%s: cannot read", path);
		size += (size_t)n;
		if (size > limit)
			return varve_fail(
				error, VARVE_ERROR_CORRUPT,
				"%s: larger than %zu bytes, the most that is accepted here", path,
				limit);
		if (size < room)
			break;
		room = MIN(room * 2, limit + 1);
		data = g_realloc(data, room + 1);
	}
	data[size] = '\0';
	*ret_data = g_steal_pointer(&data);
	if (ret_size)
		*ret_size = size;
	return TRUE;
}

gboolean varve_file_read(int dirfd, const char *path, size_t limit, char **ret_data,
			 size_t *ret_size, GError **error)
{
	varve_autofd fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", path);
	return varve_file_read_fd(fd, path, limit, ret_data, ret_size, error);
}

/* An fd, or -1 where a link or a mount is in the way, too. */
static int open_beneath(int dirfd, const char *path, uint64_t flags, GError **error)
{
	int fd = varve_openat2(dirfd, path, O_RDONLY | O_NOCTTY | O_NONBLOCK | flags, 0,
			       VARVE_RESOLVE_STRICT);

	if (fd < 0 && (errno == ELOOP || errno == EXDEV))
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: leads out of its tree, or over a symbolic link, expected a plain "
			   "path",
			   path);
	else if (fd < 0)
		varve_fail_errno(error, errno, "%s: cannot open", path);
	return fd;
}

gboolean varve_file_read_beneath(int dirfd, const char *path, size_t limit, char **ret_data,
				 size_t *ret_size, GError **error)
{
	varve_autofd fd = open_beneath(dirfd, path, 0, error);

	return fd >= 0 && varve_file_read_fd(fd, path, limit, ret_data, ret_size, error);
}

int varve_dir_open_beneath(int dirfd, const char *path, GError **error)
{
	return open_beneath(dirfd, path, O_DIRECTORY, error);
}

/* (caller frees) @path for people: with the directory of @dirfd in front. */
static char *whole_path(int dirfd, const char *path)
{
	g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", dirfd);
	g_autofree char *directory = NULL;

	if (dirfd != AT_FDCWD && !g_path_is_absolute(path))
		directory = g_file_read_link(link, NULL);
	return directory ? g_canonicalize_filename(path, directory) : g_strdup(path);
}

static gboolean fail_at(int dirfd, const char *path, int number, const char *what, GError **error)
{
	g_autofree char *whole = whole_path(dirfd, path);

	return varve_fail_errno(error, number, "%s: %s", whole, what);
}

/* Makes what happened in the directory of @path durable. */
static gboolean sync_parent(int dirfd, const char *path, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);
	varve_autofd fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return (fd >= 0 && fsync(fd) == 0) ||
	       fail_at(dirfd, parent, errno, "cannot sync the directory", error);
}

static char *partial_name(const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);

	return g_strdup_printf("%s/.%s.%d.%08x.partial", parent, name, (int)getpid(),
			       g_random_int());
}

gboolean varve_file_write(int dirfd, const char *path, const void *data, size_t size, mode_t mode,
			  GError **error)
{
	g_autofree char *partial = partial_name(path);
	varve_autofd fd =
		openat(dirfd, partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail_at(dirfd, path, errno, "cannot create", error);
	if (varve_fd_write_full(fd, data, size) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
	    renameat(dirfd, partial, dirfd, path) < 0) {
		int saved = errno;

		unlinkat(dirfd, partial, 0);
		return fail_at(dirfd, path, saved, "cannot write", error);
	}
	return sync_parent(dirfd, path, error);
}

gboolean varve_file_link(int dirfd, const char *path, const char *target, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path), *name = g_path_get_basename(path);
	g_autofree char *partial = g_strdup_printf("%s/.%s.new", parent, name);

	/* Whoever was killed left it. */
	unlinkat(dirfd, partial, 0);
	if (symlinkat(target, dirfd, partial) < 0)
		return fail_at(dirfd, path, errno, "cannot make the link", error);
	if (renameat(dirfd, partial, dirfd, path) < 0) {
		int saved = errno;

		unlinkat(dirfd, partial, 0);
		return fail_at(dirfd, path, saved, "cannot set the link", error);
	}
	return sync_parent(dirfd, path, error);
}

VarveNewFile *varve_new_file_open(const char *path, mode_t mode, GError **error)
{
	g_autoptr(VarveNewFile) file = g_new0(VarveNewFile, 1);

	file->path = g_strdup(path);
	file->partial = partial_name(path);
	file->fd = open(file->partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file->fd < 0) {
		int saved = errno;

		g_clear_pointer(&file->partial, g_free);
		varve_fail_errno(error, saved, "%s: cannot create", path);
		return NULL;
	}
	if (fchmod(file->fd, mode) < 0) {
		varve_fail_errno(error, errno, "%s: cannot set its mode", path);
		return NULL;
	}
	return g_steal_pointer(&file);
}

gboolean varve_new_file_commit(VarveNewFile *file, GError **error)
{
	if (fsync(file->fd) < 0 || rename(file->partial, file->path) < 0)
		return varve_fail_errno(error, errno, "%s: cannot write", file->path);
	g_clear_pointer(&file->partial, g_free);
	close(varve_fd_steal(&file->fd));
	return sync_parent(AT_FDCWD, file->path, error);
}

void varve_new_file_free(VarveNewFile *file)
{
	if (!file)
		return;
	varve_autofd_close(&file->fd);
	if (file->partial)
		unlink(file->partial);
	g_free(file->partial);
	g_free(file->path);
	g_free(file);
}

gboolean varve_dir_make(const char *path, mode_t mode, GError **error)
{
	if (g_mkdir_with_parents(path, (int)mode) < 0)
		return varve_fail_errno(error, errno, "%s: cannot make the directory", path);
	return TRUE;
}

int varve_dir_open(int dirfd, const char *path, GError **error)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		varve_fail_errno(error, errno, "%s: cannot open the directory", path);
	return fd;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in @fd, which is borrowed. */
static gboolean list_fd(int fd, const char *path, GPtrArray **ret_names, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = own >= 0 ? fdopendir(own) : NULL;

	if (!dir) {
		int saved = errno;

		if (own >= 0)
			close(own);
		return varve_fail_errno(error, saved, "%s: cannot list", path);
	}
	rewinddir(dir);
	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	if (errno) {
		int saved = errno;

		closedir(dir);
		return varve_fail_errno(error, saved, "%s: cannot list", path);
	}
	closedir(dir);
	g_ptr_array_sort(names, compare_names);
	*ret_names = g_steal_pointer(&names);
	return TRUE;
}

gboolean varve_dir_list(int dirfd, const char *path, char ***ret, GError **error)
{
	varve_autofd fd = varve_dir_open(dirfd, path, error);
	GPtrArray *names;

	if (fd < 0 || !list_fd(fd, path, &names, error))
		return FALSE;
	g_ptr_array_add(names, NULL);
	*ret = (char **)g_ptr_array_free(names, FALSE);
	return TRUE;
}

static gboolean remove_below(int dirfd, const char *name, dev_t device, GError **error)
{
	varve_autofd fd = -1;
	g_autoptr(GPtrArray) names = NULL;
	struct stat st;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return TRUE;
	if (errno != EISDIR && errno != EPERM)
		return varve_fail_errno(error, errno, "%s: cannot remove", name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "%s: cannot remove", name);
	if (st.st_dev != device)
		return varve_fail(error, VARVE_ERROR_BUSY,
				  "%s: something is mounted on it; unmount it first", name);
	if (!list_fd(fd, name, &names, error))
		return FALSE;
	for (guint i = 0; i < names->len; i++)
		if (!remove_below(fd, g_ptr_array_index(names, i), device, error))
			return FALSE;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0)
		return varve_fail_errno(error, errno, "%s: cannot remove", name);
	return TRUE;
}

gboolean varve_dir_remove(int dirfd, const char *path, GError **error)
{
	struct stat st;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? TRUE
				       : varve_fail_errno(error, errno, "%s: cannot remove", path);
	return remove_below(dirfd, path, st.st_dev, error);
}

gboolean varve_file_copy_bytes(int from, int to, guint64 size, const char *name, GError **error)
{
	g_autofree char *buffer = NULL;
	off_t in = 0, out = 0;
	guint64 done = 0;

	if (ioctl(to, FICLONE, from) == 0)
		return TRUE;
	while (done < size) {
		ssize_t n = copy_file_range(from, &in, to, &out, size - done, 0);

		if (n <= 0)
			break;
		done += (guint64)n;
	}
	buffer = g_malloc(1 << 20);
	while (done < size) {
		ssize_t n = varve_fd_read_full(from, buffer, 1 << 20, (off_t)done);

		if (n < 0)
			return varve_fail_errno(error, errno, "%s: cannot read", name);
		if (n == 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: became shorter while it was copied", name);
		if (varve_fd_pwrite_full(to, buffer, (size_t)n, (off_t)done) < 0)
			return varve_fail_errno(error, errno, "%s: cannot copy", name);
		done += (guint64)n;
	}
	return TRUE;
}

gboolean varve_file_copy(const char *from, const char *to, mode_t mode, GError **error)
{
	varve_autofd in = open(from, O_RDONLY | O_CLOEXEC);
	g_autoptr(VarveNewFile) out = NULL;
	struct stat st;

	if (in < 0 || fstat(in, &st) < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", from);
	out = varve_new_file_open(to, mode, error);
	if (!out || !varve_file_copy_bytes(in, out->fd, (guint64)st.st_size, from, error))
		return FALSE;
	return varve_new_file_commit(out, error);
}

int varve_lock(const char *path, gboolean wait, GError **error)
{
	varve_autofd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char holder[32] = "";

	if (fd < 0) {
		varve_fail_errno(error, errno, "%s: cannot open the lock", path);
		return -1;
	}
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK) {
			if (varve_fd_read_full(fd, holder, sizeof(holder) - 1, 0) < 0)
				holder[0] = '\0';
			varve_fail(error, VARVE_ERROR_BUSY,
				   "%s: process %s holds the lock; wait for it to end", path,
				   g_strstrip(holder));
		} else {
			varve_fail_errno(error, errno, "%s: cannot lock", path);
		}
		return -1;
	}
	g_snprintf(holder, sizeof(holder), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || varve_fd_pwrite_full(fd, holder, strlen(holder), 0) < 0) {
		varve_fail_errno(error, errno, "%s: cannot write", path);
		return -1;
	}
	return varve_fd_steal(&fd);
}
