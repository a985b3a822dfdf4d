/* Labelling trees of the state partition. */
#include "stack/dress.h"

#include "base/error.h"
#include "ground/fd.h"
#include "ground/syscalls.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define XATTR "security.selinux"
#define DEPTH_MAX 64
#define ENTRIES_MAX 1000000

typedef struct {
	const VarveLabels *labels;
	dev_t device;
	guint depth;
	guint64 entries;
} Dressing;

typedef DIR Directory;
static void directory_close(Directory *dir)
{
	closedir(dir);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Directory, directory_close)

gboolean varve_dress_one(int fd, const char *as, const VarveLabels *labels, GError **error)
{
	g_autofree char *label = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "%s", as);
	label = varve_labels_find(labels, as, st.st_mode);
	if (!label || fsetxattr(fd, XATTR, label, strlen(label) + 1, 0) == 0 || errno == ENOTSUP)
		return TRUE;
	return varve_fail_errno(error, errno, "%s: its label '%s' cannot be set", as, label);
}

/* By name, so that links and sockets can be labelled without being opened. */
static gboolean dress_name(const Dressing *dressing, int dirfd, const char *name, const char *as,
			   mode_t mode, GError **error)
{
	g_autofree char *proc = g_strdup_printf("/proc/self/fd/%d/%s", dirfd, name);
	g_autofree char *label = NULL;

	if (lgetxattr(proc, XATTR, NULL, 0) >= 0 || errno == ENOTSUP)
		return TRUE;
	label = varve_labels_find(dressing->labels, as, mode);
	if (!label || lsetxattr(proc, XATTR, label, strlen(label) + 1, 0) == 0)
		return TRUE;
	return varve_fail_errno(error, errno, "%s: its label '%s' cannot be set", as, label);
}

static gboolean dress_below(Dressing *dressing, int fd, const char *as, GError **error);

static gboolean dress_entry(Dressing *dressing, int dirfd, const char *name, const char *parent,
			    GError **error)
{
	g_autofree char *as = g_build_filename(parent, name, NULL);
	varve_autofd fd = -1;
	struct stat st;

	if (++dressing->entries > ENTRIES_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: there are more than %d files",
				  parent, ENTRIES_MAX);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return varve_fail_errno(error, errno, "%s", as);
	if (st.st_dev != dressing->device)
		return TRUE;
	if (!dress_name(dressing, dirfd, name, as, st.st_mode, error))
		return FALSE;
	if (!S_ISDIR(st.st_mode))
		return TRUE;
	fd = varve_openat2(dirfd, name, O_RDONLY | O_DIRECTORY, 0, VARVE_RESOLVE_STRICT);
	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", as);
	return dress_below(dressing, fd, as, error);
}

static gboolean dress_below(Dressing *dressing, int fd, const char *as, GError **error)
{
	varve_autofd own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(Directory) dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;

	if (!dir)
		return varve_fail_errno(error, errno, "%s cannot be listed", as);
	varve_fd_steal(&own);
	if (++dressing->depth > DEPTH_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s lies deeper than %d directories",
				  as, DEPTH_MAX);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!dress_entry(dressing, dirfd(dir), entry->d_name, as, error))
			return FALSE;
	}
	dressing->depth--;
	return TRUE;
}

gboolean varve_dress_tree(int fd, const char *as, const VarveLabels *labels, GError **error)
{
	Dressing dressing = { .labels = labels };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "%s", as);
	dressing.device = st.st_dev;
	return varve_dress_one(fd, as, labels, error) && dress_below(&dressing, fd, as, error);
}
