/* Copying the seed of /var onto a blank state partition. */
#include "base/error.h"
#include "ground/fd.h"
#include "ground/syscalls.h"
#include "stack/state.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define XATTR_MAX 65536

typedef DIR Directory;
static void directory_close(Directory *dir)
{
	closedir(dir);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Directory, directory_close)

static gboolean copy_xattrs(int from, int to, const char *name, GError **error)
{
	g_autofree char *names = g_malloc(XATTR_MAX);
	g_autofree char *value = g_malloc(XATTR_MAX);
	ssize_t n = flistxattr(from, names, XATTR_MAX);

	if (n < 0 && errno == ENOTSUP)
		return TRUE;
	if (n < 0)
		return varve_fail_errno(error, errno, "%s: its attributes cannot be listed", name);
	for (const char *key = names; key < names + n; key += strlen(key) + 1) {
		ssize_t size;

		/* It is that of the factory; what is seeded is labelled for where it will be. */
		if (strcmp(key, "security.selinux") == 0)
			continue;
		size = fgetxattr(from, key, value, XATTR_MAX);

		if (size < 0 || fsetxattr(to, key, value, (size_t)size, 0) < 0)
			return varve_fail_errno(error, errno, "%s: attribute %s cannot be copied",
						name, key);
	}
	return TRUE;
}

static gboolean copy_metadata(int from, int to, const struct stat *st, const char *name,
			      GError **error)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return varve_fail_errno(error, errno, "%s: owner and mode cannot be set", name);
	if (!copy_xattrs(from, to, name, error))
		return FALSE;
	if (futimens(to, times) < 0)
		return varve_fail_errno(error, errno, "%s: its times cannot be set", name);
	return TRUE;
}

static gboolean copy_bytes(int from, int to, off_t size, const char *name, GError **error)
{
	while (size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)MIN(size, 1 << 30));

		if (n < 0)
			return varve_fail_errno(error, errno, "%s cannot be copied", name);
		if (n == 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT, "%s ends early", name);
		size -= n;
	}
	return TRUE;
}

static gboolean copy_file(int from_dir, int to_dir, const char *name, const struct stat *st,
			  GError **error)
{
	varve_autofd from = varve_openat2(from_dir, name, O_RDONLY, 0, VARVE_RESOLVE_STRICT);
	varve_autofd to = -1;

	if (from < 0)
		return varve_fail_errno(error, errno, "%s cannot be read", name);
	/* What is there was left by a seeding that was interrupted. */
	if (unlinkat(to_dir, name, 0) < 0 && errno != ENOENT)
		return varve_fail_errno(error, errno, "%s cannot be replaced", name);
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0)
		return varve_fail_errno(error, errno, "%s cannot be made", name);
	return copy_bytes(from, to, st->st_size, name, error) &&
	       copy_metadata(from, to, st, name, error);
}

static gboolean copy_link(int from_dir, int to_dir, const char *name, const struct stat *st,
			  GError **error)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return varve_fail_errno(error, errno, "%s cannot be read", name);
	target[n] = '\0';
	if (unlinkat(to_dir, name, 0) < 0 && errno != ENOENT)
		return varve_fail_errno(error, errno, "%s cannot be replaced", name);
	if (symlinkat(target, to_dir, name) < 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return varve_fail_errno(error, errno, "%s cannot be made", name);
	return TRUE;
}

static gboolean copy_directory(int from_dir, int to_dir, const char *name, const struct stat *st,
			       GError **error)
{
	varve_autofd from =
		varve_openat2(from_dir, name, O_RDONLY | O_DIRECTORY, 0, VARVE_RESOLVE_STRICT);
	varve_autofd to = -1;

	if (from < 0)
		return varve_fail_errno(error, errno, "%s cannot be read", name);
	if (mkdirat(to_dir, name, 0700) < 0 && errno != EEXIST)
		return varve_fail_errno(error, errno, "%s cannot be made", name);
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return varve_fail_errno(error, errno, "%s cannot be opened", name);
	return varve_seed_copy(from, to, error) && copy_metadata(from, to, st, name, error);
}

gboolean varve_seed_copy(int from_fd, int to_fd, GError **error)
{
	varve_autofd fd = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(Directory) dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return varve_fail_errno(error, errno, "the seed of /var cannot be listed");
	varve_fd_steal(&fd);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		gboolean ok = TRUE;
		struct stat st;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s", name);
		if (S_ISDIR(st.st_mode))
			ok = copy_directory(dirfd(dir), to_fd, name, &st, error);
		else if (S_ISREG(st.st_mode))
			ok = copy_file(dirfd(dir), to_fd, name, &st, error);
		else if (S_ISLNK(st.st_mode))
			ok = copy_link(dirfd(dir), to_fd, name, &st, error);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}
