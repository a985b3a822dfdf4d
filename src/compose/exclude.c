/* Taking paths out of a staged root. */
#include "compose/exclude.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

static gboolean matches(const char *const *const lists[2], const char *path)
{
	for (gsize i = 0; i < 2; i++)
		for (gsize j = 0; lists[i] && lists[i][j]; j++)
			if (varve_glob_match(lists[i][j], path))
				return TRUE;
	return FALSE;
}

gboolean varve_exclude_matches(const VarveExclude *exclude, const char *path)
{
	if (matches(exclude->keep, path))
		return FALSE;
	for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
		g_autofree char *above = g_strndup(path, (gsize)(slash - path));

		if (matches(exclude->exclude, above))
			return TRUE;
	}
	return matches(exclude->exclude, path);
}

/* @path is a directory's, "" for the root's. @inside: below a directory that is excluded.
 * @ret_removed, @ret_left: whether anything went, whether anything stayed. */
static gboolean prune(int fd, const char *path, const VarveExclude *exclude, gboolean inside,
		      gboolean *ret_removed, gboolean *ret_left, GError **error)
{
	g_auto(GStrv) names = NULL;

	*ret_removed = *ret_left = FALSE;
	if (!varve_dir_list(fd, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *child = g_strconcat(path, "/", *name, NULL);
		gboolean out = inside || matches(exclude->exclude, child);
		gboolean removed = FALSE, left = FALSE;
		struct stat st;

		if (fstatat(fd, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", child);
		if (S_ISDIR(st.st_mode)) {
			varve_autofd below = varve_dir_open(fd, *name, error);

			if (below < 0 || !prune(below, child, exclude, out, &removed, &left, error))
				return FALSE;
			if (left || (!removed && !out)) {
				*ret_left = TRUE;
				*ret_removed |= removed;
				continue;
			}
		} else if (!out) {
			*ret_left = TRUE;
			continue;
		}
		if (out && matches(exclude->keep, child)) {
			*ret_left = TRUE;
			continue;
		}
		if (unlinkat(fd, *name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
			return varve_fail_errno(error, errno, "%s: cannot leave it out", child);
		*ret_removed = TRUE;
	}
	return TRUE;
}

gboolean varve_exclude_apply(const char *root, const VarveExclude *exclude, GError **error)
{
	varve_autofd fd = varve_dir_open(AT_FDCWD, root, error);
	gboolean removed, left;

	return fd >= 0 && prune(fd, "", exclude, FALSE, &removed, &left, error);
}
