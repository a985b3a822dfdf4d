/* Copies of factory files. tmpfiles.d(5) places them ("C", "L"); who has what is in the path
 * tables. */
#include "live/factory.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "ground/syscalls.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define FACTORY "usr/share/factory/"
#define LABEL "security.selinux"
/* Configuration; what is larger is data that nobody hands out through the factory. */
#define LIMIT (64 * 1024 * 1024)

static void file_of(VarveFactoryFile *file, const VarvePath *path)
{
	gboolean fits = path && (S_ISREG(path->mode) || S_ISLNK(path->mode));

	file->target = g_strdup(fits ? path->target : "");
	if (!fits)
		return;
	file->mode = path->mode;
	file->uid = path->uid;
	file->gid = path->gid;
	file->digest = path->digest;
}

VarveFactoryCopy *varve_factory_copy_of(const VarveMergedChange *change)
{
	static const char prefix[] = "/" FACTORY;
	const char *place = change->path + strlen(prefix);
	g_autoptr(VarveFactoryCopy) copy = g_new0(VarveFactoryCopy, 1);

	if (!g_str_has_prefix(change->path, prefix) ||
	    (!g_str_has_prefix(place, "etc/") && !g_str_has_prefix(place, "var/")))
		return NULL;
	copy->place = g_strdup(place);
	file_of(&copy->before, change->before);
	file_of(&copy->after, change->after);
	return copy->before.mode ? g_steal_pointer(&copy) : NULL;
}

void varve_factory_copy_free(VarveFactoryCopy *copy)
{
	if (!copy)
		return;
	g_free(copy->place);
	g_free(copy->before.target);
	g_free(copy->after.target);
	g_free(copy);
}

/* Where a copy lies. */
typedef struct {
	int parent;
	char *name;
	char *temporary;
} Place;

static void place_clear(Place *place)
{
	varve_autofd_close(&place->parent);
	g_free(place->name);
	g_free(place->temporary);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

/* /etc and /var are mounts of their own; below them is one filesystem each, and no link is
 * followed. FALSE without an error: it is not there, or behind a link. */
static gboolean find_place(int root_fd, const char *path, Place *place, GError **error)
{
	g_autofree char *top = g_strndup(path, 3);
	g_autofree char *directory = g_path_get_dirname(path + 4);
	varve_autofd top_fd = openat(root_fd, top, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (top_fd < 0)
		return varve_fail_errno(error, errno, "/%s", top);
	place->parent =
		varve_openat2(top_fd, directory, O_RDONLY | O_DIRECTORY, 0, VARVE_RESOLVE_STRICT);
	if (place->parent < 0 && errno != ENOENT && errno != ELOOP && errno != ENOTDIR &&
	    errno != EXDEV)
		return varve_fail_errno(error, errno, "/%s", path);
	if (place->parent < 0)
		return FALSE;
	place->name = g_path_get_basename(path);
	place->temporary = g_strdup_printf(".%s.varve-new", place->name);
	return TRUE;
}

static gboolean base_has(int base_fd, const char *path)
{
	g_autofree char *seed = g_strconcat(FACTORY, path, NULL);
	struct stat st;

	return fstatat(base_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	       (g_str_has_prefix(path, "var/") &&
		fstatat(base_fd, seed, &st, AT_SYMLINK_NOFOLLOW) == 0);
}

/* What lies at a place, as far as it matters. */
typedef struct {
	gboolean there;
	mode_t mode;
	VarveDigest digest;
	char *label; /* (nullable) */
	gsize label_size;
} Found;

static void found_clear(Found *found)
{
	g_free(found->label);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

static void take_label(const Place *place, Found *found)
{
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/%s", place->parent, place->name);
	char value[4096];
	ssize_t size = lgetxattr(path, LABEL, value, sizeof(value));

	if (size <= 0)
		return;
	found->label = g_memdup2(value, (gsize)size);
	found->label_size = (gsize)size;
}

static gboolean look(const Place *place, const char *path, Found *found, GError **error)
{
	g_autofree char *data = NULL;
	struct stat st;
	gsize size;

	if (fstatat(place->parent, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || varve_fail_errno(error, errno, "/%s", path);
	found->there = TRUE;
	found->mode = st.st_mode;
	take_label(place, found);
	if (S_ISLNK(st.st_mode)) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(place->parent, place->name, target, sizeof(target));

		if (n < 0)
			return varve_fail_errno(error, errno, "/%s", path);
		varve_sha256(target, (gsize)n, &found->digest);
	} else if (S_ISREG(st.st_mode) && st.st_size <= LIMIT) {
		if (!varve_file_read_beneath(place->parent, place->name, LIMIT, &data, &size,
					     error))
			return FALSE;
		varve_sha256(data, size, &found->digest);
	} else {
		found->mode = 0; /* nothing that the factory could have made */
	}
	return TRUE;
}

/* A mode that somebody changed alone does not keep a file from being updated: tmpfiles.d sets it at
 * every boot. */
static gboolean is_as(const Found *found, const VarveFactoryFile *file)
{
	return (found->mode & S_IFMT) == (file->mode & S_IFMT) &&
	       varve_digest_equal(&found->digest, &file->digest);
}

static gboolean write_file(int root_fd, const VarveFactoryCopy *copy, const Place *place,
			   const Found *found, GError **error)
{
	g_autofree char *source = g_strconcat(FACTORY, copy->place, NULL);
	g_autofree char *data = NULL;
	varve_autofd fd = -1;
	VarveDigest digest;
	gsize size;

	/* Not beneath: usr is a mount of its own. */
	if (!varve_file_read(root_fd, source, LIMIT, &data, &size, error))
		return FALSE;
	varve_sha256(data, size, &digest);
	if (!varve_digest_equal(&digest, &copy->after.digest))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "/%s is not what its layer says; '/%s' stays as it is", source,
				  copy->place);
	fd = openat(place->parent, place->temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || varve_fd_write_full(fd, data, size) < 0 ||
	    fchown(fd, copy->after.uid, copy->after.gid) < 0 ||
	    fchmod(fd, copy->after.mode & 07777) < 0 ||
	    (found->label && fsetxattr(fd, LABEL, found->label, found->label_size, 0) < 0) ||
	    fsync(fd) < 0)
		return varve_fail_errno(error, errno, "/%s cannot be written", copy->place);
	return TRUE;
}

static gboolean write_link(const VarveFactoryCopy *copy, const Place *place, const Found *found,
			   GError **error)
{
	g_autofree char *path =
		g_strdup_printf("/proc/self/fd/%d/%s", place->parent, place->temporary);

	if (symlinkat(copy->after.target, place->parent, place->temporary) < 0 ||
	    fchownat(place->parent, place->temporary, copy->after.uid, copy->after.gid,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    (found->label && lsetxattr(path, LABEL, found->label, found->label_size, 0) < 0))
		return varve_fail_errno(error, errno, "/%s cannot be linked", copy->place);
	return TRUE;
}

static gboolean replace(int root_fd, const VarveFactoryCopy *copy, const Place *place,
			const Found *found, GError **error)
{
	gboolean ok;

	/* One that was cut short. */
	unlinkat(place->parent, place->temporary, 0);
	ok = S_ISLNK(copy->after.mode) ? write_link(copy, place, found, error)
				       : write_file(root_fd, copy, place, found, error);
	if (ok && renameat(place->parent, place->temporary, place->parent, place->name) < 0)
		ok = varve_fail_errno(error, errno, "/%s cannot be replaced", copy->place);
	if (!ok)
		unlinkat(place->parent, place->temporary, 0);
	return ok;
}

static gboolean update(int root_fd, int base_fd, const VarveFactoryCopy *copy, GPtrArray *done,
		       GError **error)
{
	g_auto(Place) place = { .parent = -1 };
	g_auto(Found) found = { 0 };
	g_autoptr(GError) local = NULL;

	if (base_has(base_fd, copy->place))
		return TRUE;
	if (!find_place(root_fd, copy->place, &place, &local) ||
	    !look(&place, copy->place, &found, &local)) {
		if (!local)
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!found.there ||
	    (copy->after.mode && !is_as(&found, &copy->before) && is_as(&found, &copy->after)))
		return TRUE;
	if (!is_as(&found, &copy->before)) {
		g_ptr_array_add(done,
				copy->after.mode
					? g_strdup_printf("kept /%s, which was changed here: the "
							  "layer's new one is /" FACTORY "%s",
							  copy->place, copy->place)
					: g_strdup_printf("kept /%s, which was changed here: no "
							  "layer has one any more",
							  copy->place));
		return TRUE;
	}
	if (!copy->after.mode && unlinkat(place.parent, place.name, 0) < 0)
		return varve_fail_errno(error, errno, "/%s cannot be removed", copy->place);
	if (copy->after.mode && !replace(root_fd, copy, &place, &found, error))
		return FALSE;
	g_ptr_array_add(done, g_strdup_printf("%s /%s", copy->after.mode ? "updated" : "removed",
					      copy->place));
	return TRUE;
}

gboolean varve_factory_update(int root_fd, int base_fd, const GPtrArray *copies, GPtrArray *done,
			      GError **error)
{
	gboolean ok = TRUE;

	for (guint i = 0; i < copies->len; i++)
		ok &= update(root_fd, base_fd, copies->pdata[i], done, ok ? error : NULL);
	return ok;
}
