/* Loose source files, touched by directory fd. */
#include "component/loose-files.h"

#include "base/error.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 128
/* The name of a file that is being written: ".varve.0123abcd.partial". */
#define PARTIAL_BEGIN ".varve."
#define PARTIAL_END ".partial"

gboolean varve_loose_is_git(const char *path)
{
	return g_str_has_prefix(path, ".git/") || strstr(path, "/.git/");
}

gboolean varve_loose_is_spec(const char *path)
{
	return g_str_has_suffix(path, ".spec");
}

static gboolean check_path(const char *path, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	for (char **part = parts; *part; part++)
		if (!**part || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0)
			return varve_fail(error, VARVE_ERROR_CONFLICT,
					  "'%s' is not a path below the directory of the sources; "
					  "give it without '.', '..' and a slash at its ends",
					  path);
	return *parts || varve_fail(error, VARVE_ERROR_CONFLICT, "the file's name is empty");
}

/* An fd of the directory that @path is in, and its last part in *@ret_name; -1. */
static int open_parent(int directory, const char *path, const char **ret_name, GError **error)
{
	const char *slash = strrchr(path, '/');
	g_autofree char *parent = slash ? g_strndup(path, (gsize)(slash - path)) : g_strdup(".");

	if (!check_path(path, error))
		return -1;
	*ret_name = slash ? slash + 1 : path;
	return varve_dir_open_beneath(directory, parent, error);
}

/* Matching */

static gboolean is_partial(const char *name)
{
	const gsize begin = strlen(PARTIAL_BEGIN);

	return g_str_has_prefix(name, PARTIAL_BEGIN) &&
	       strspn(name + begin, "0123456789abcdef") == 8 &&
	       strcmp(name + begin + 8, PARTIAL_END) == 0;
}

static gboolean is_wanted(const char *name, mode_t mode, VarveLooseKind kind)
{
	return (S_ISREG(mode) || (S_ISLNK(mode) && kind == VARVE_LOOSE_FILES_OR_LINKS)) &&
	       !varve_loose_is_spec(name) && !is_partial(name);
}

typedef struct {
	const VarvePattern *pattern;
	VarveLooseKind kind;
	guint depth; /* of the directories that the pattern reaches */
	GPtrArray *found;
} Search;

static gboolean collect(const Search *search, int directory, const char *prefix, guint depth,
			GError **error)
{
	g_auto(GStrv) names = NULL;

	if (depth > DEPTH_MAX)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "'%s' is more than %d directories deep; name the directories "
				  "that are meant",
				  prefix, DEPTH_MAX);
	if (!varve_dir_list(directory, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_strconcat(prefix, *name, NULL);
		struct stat st;

		if (fstatat(directory, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", path);
		if (S_ISDIR(st.st_mode) && strcmp(*name, ".git") != 0 && depth < search->depth) {
			g_autofree char *below = g_strconcat(path, "/", NULL);
			varve_autofd fd = varve_dir_open_beneath(directory, *name, error);

			if (fd < 0 || !collect(search, fd, below, depth + 1, error))
				return FALSE;
		} else if (is_wanted(*name, st.st_mode, search->kind) &&
			   varve_pattern_match(search->pattern, path)) {
			g_ptr_array_add(search->found, g_steal_pointer(&path));
		}
	}
	return TRUE;
}

static gboolean find_literal(const Search *search, int directory, const char *path, GError **error)
{
	g_autoptr(GError) parent_error = NULL;
	const char *name;
	varve_autofd parent = open_parent(directory, path, &name, &parent_error);
	struct stat st;

	if (g_error_matches(parent_error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		return TRUE;
	if (parent < 0) {
		g_propagate_error(error, g_steal_pointer(&parent_error));
		return FALSE;
	}
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || varve_fail_errno(error, errno, "%s: cannot stat", path);
	if (S_ISLNK(st.st_mode) && search->kind == VARVE_LOOSE_FILES)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "'%s' is a symbolic link, which overlays do not follow; name the "
				  "file that it leads to",
				  path);
	if (is_wanted(name, st.st_mode, search->kind) && !varve_loose_is_git(path))
		g_ptr_array_add(search->found, g_strdup(path));
	return TRUE;
}

gboolean varve_loose_match(int directory, const VarvePattern *pattern, VarveLooseKind kind,
			   GPtrArray **ret, GError **error)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	const char *literal = varve_pattern_literal(pattern);
	const Search search = { .pattern = pattern,
				.kind = kind,
				.depth = varve_pattern_depth(pattern),
				.found = found };

	if (literal ? !find_literal(&search, directory, literal, error)
		    : !collect(&search, directory, "", 0, error))
		return FALSE;
	*ret = g_steal_pointer(&found);
	return TRUE;
}

/* Reading and writing */

gboolean varve_loose_read(int directory, const char *path, char **ret_data, gsize *ret_size,
			  mode_t *ret_mode, GError **error)
{
	const char *name;
	varve_autofd parent = open_parent(directory, path, &name, error);
	struct stat st;

	if (parent < 0)
		return FALSE;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return varve_fail_errno(error, errno, "%s: cannot stat", path);
	if (S_ISREG(st.st_mode) && (guint64)st.st_size > VARVE_LOOSE_MAX)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "'%s' has %" G_GUINT64_FORMAT " bytes and is too large to be "
				  "changed (at most %zu MiB); leave it out",
				  path, (guint64)st.st_size, VARVE_LOOSE_MAX >> 20);
	*ret_mode = st.st_mode & 0777;
	return varve_file_read_beneath(parent, name, VARVE_LOOSE_MAX, ret_data, ret_size, error);
}

static gboolean write_new(int parent, const char *name, const void *data, gsize size, mode_t mode,
			  GError **error)
{
	varve_autofd fd =
		openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return varve_fail(error, VARVE_ERROR_CONFLICT, "'%s' is there already", name);
	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot write", name);
	if (varve_fd_write_full(fd, data, size) < 0 || fchmod(fd, mode) < 0) {
		varve_fail_errno(error, errno, "%s: cannot write", name);
		unlinkat(parent, name, 0);
		return FALSE;
	}
	return TRUE;
}

/* Under another name first, so that a failure leaves the old file. Not synced: what is rendered can
 * be rendered again. */
gboolean varve_loose_write(int directory, const char *path, const void *data, gsize size,
			   mode_t mode, GError **error)
{
	const char *name;
	varve_autofd parent = open_parent(directory, path, &name, error);
	g_autofree char *partial =
		g_strdup_printf(PARTIAL_BEGIN "%08x" PARTIAL_END, g_random_int());

	if (parent < 0 || !write_new(parent, partial, data, size, mode, error))
		return FALSE;
	if (renameat(parent, partial, parent, name) < 0) {
		varve_fail_errno(error, errno, "%s: cannot write", path);
		unlinkat(parent, partial, 0);
		return FALSE;
	}
	return TRUE;
}

gboolean varve_loose_can_add(int directory, const char *path, GError **error)
{
	const char *name;
	varve_autofd parent = open_parent(directory, path, &name, error);
	struct stat st;

	if (parent < 0)
		return FALSE;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "'%s' is there already; remove it first, or take another name",
				  path);
	return errno == ENOENT || varve_fail_errno(error, errno, "%s: cannot stat", path);
}

gboolean varve_loose_add(int directory, const char *path, const char *from, GError **error)
{
	const char *name;
	varve_autofd parent = -1;
	g_autofree char *data = NULL;
	gsize size;

	if (!varve_loose_can_add(directory, path, error) ||
	    !varve_file_read(AT_FDCWD, from, VARVE_LOOSE_MAX, &data, &size, error))
		return FALSE;
	parent = open_parent(directory, path, &name, error);
	return parent >= 0 && write_new(parent, name, data, size, 0644, error);
}

gboolean varve_loose_remove(int directory, const char *path, GError **error)
{
	const char *name;
	varve_autofd parent = open_parent(directory, path, &name, error);

	if (parent < 0)
		return FALSE;
	return unlinkat(parent, name, 0) == 0 ||
	       varve_fail_errno(error, errno, "%s: cannot remove", path);
}

gboolean varve_loose_rename(int directory, const char *path, const char *name, GError **error)
{
	const char *old;
	varve_autofd parent = open_parent(directory, path, &old, error);

	if (parent < 0 || !check_path(name, error))
		return FALSE;
	if (strchr(name, '/') || varve_loose_is_spec(name))
		return varve_fail(
			error, VARVE_ERROR_CONFLICT,
			"'%s' cannot be the new name: expected the name of a file that is "
			"not a spec, without a directory",
			name);
	return renameat(parent, old, parent, name) == 0 ||
	       varve_fail_errno(error, errno, "%s: cannot rename to '%s'", path, name);
}

/* Copying */

static gboolean copy_file(int from, int to, const char *name, const struct stat *st, GError **error)
{
	varve_autofd in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	varve_autofd out = -1;

	if (in < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", name);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return varve_fail_errno(error, errno, "%s: cannot write", name);
	if (!varve_file_copy_bytes(in, out, (guint64)st->st_size, name, error))
		return FALSE;
	return fchmod(out, st->st_mode & 0777) == 0 ||
	       varve_fail_errno(error, errno, "%s: cannot set its mode", name);
}

static gboolean copy_link(int from, int to, const char *name, GError **error)
{
	char target[4096];
	ssize_t n = readlinkat(from, name, target, sizeof(target));

	if (n < 0 || n == (ssize_t)sizeof(target))
		return varve_fail_errno(error, n < 0 ? errno : ENAMETOOLONG,
					"%s: cannot read the link", name);
	target[n] = '\0';
	return symlinkat(target, to, name) == 0 ||
	       varve_fail_errno(error, errno, "%s: cannot make the link", name);
}

/* The directory that is copied to, which may lie in the one that is copied. */
typedef struct {
	dev_t device;
	ino_t inode;
} Target;

static gboolean copy_tree(int from, int to, const char *but, const Target *target, guint depth,
			  GError **error);

static gboolean copy_directory(int from, int to, const char *name, const Target *target,
			       guint depth, GError **error)
{
	varve_autofd in = varve_dir_open_beneath(from, name, error);
	varve_autofd out = -1;

	if (in < 0)
		return FALSE;
	if (mkdirat(to, name, 0755) < 0)
		return varve_fail_errno(error, errno, "%s: cannot make the directory", name);
	out = varve_dir_open_beneath(to, name, error);
	return out >= 0 && copy_tree(in, out, NULL, target, depth + 1, error);
}

static gboolean copy_tree(int from, int to, const char *but, const Target *target, guint depth,
			  GError **error)
{
	g_auto(GStrv) names = NULL;

	if (depth > DEPTH_MAX)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "the sources are more than %d directories deep", DEPTH_MAX);
	if (!varve_dir_list(from, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		struct stat st;
		gboolean copied;

		if (g_strcmp0(*name, but) == 0 || strcmp(*name, ".git") == 0)
			continue;
		if (fstatat(from, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", *name);
		if (st.st_dev == target->device && st.st_ino == target->inode)
			continue;
		if (S_ISREG(st.st_mode))
			copied = copy_file(from, to, *name, &st, error);
		else if (S_ISDIR(st.st_mode))
			copied = copy_directory(from, to, *name, target, depth, error);
		else if (S_ISLNK(st.st_mode))
			copied = copy_link(from, to, *name, error);
		else
			copied = varve_fail(error, VARVE_ERROR_UNSUPPORTED,
					    "%s: neither a file nor a directory nor a link", *name);
		if (!copied)
			return FALSE;
	}
	return TRUE;
}

gboolean varve_loose_copy(int from, int to, const char *but, GError **error)
{
	struct stat st;
	Target target;

	if (fstat(to, &st) < 0)
		return varve_fail_errno(error, errno, "cannot stat the directory to copy to");
	target = (Target){ st.st_dev, st.st_ino };
	return copy_tree(from, to, but, &target, 0, error);
}
