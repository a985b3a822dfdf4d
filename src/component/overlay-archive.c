/* Overlays within an archive: unpacked beside, changed as loose files are, packed again. */
#include "component/archive.h"
#include "component/overlay-internal.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

/* A directory that its owner may not write, or not even read, and what its permissions were. */
typedef struct {
	char *path;
	mode_t mode;
} Closed;

static void clear_closed(Closed *closed)
{
	g_free(closed->path);
}

/* Lets the owner read and write all directories of @path ("" for the top) and notes those that were
 * closed, what is above before what is below. The tree is ours: nobody puts links in its way. No
 * fd is held: it can be deep. */
static gboolean open_directories(int unpacked, const char *path, GArray *closed, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(unpacked, *path ? path : ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *below =
			*path ? g_strconcat(path, "/", *name, NULL) : g_strdup(*name);
		struct stat st;

		if (fstatat(unpacked, below, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", below);
		if (!S_ISDIR(st.st_mode))
			continue;
		if ((st.st_mode & S_IRWXU) != S_IRWXU) {
			Closed one = { g_strdup(below), st.st_mode & 07777 };

			g_array_append_val(closed, one);
			if (fchmodat(unpacked, below, one.mode | S_IRWXU, 0) < 0)
				return varve_fail_errno(error, errno, "%s: cannot set its mode",
							below);
		}
		if (!open_directories(unpacked, below, closed, error))
			return FALSE;
	}
	return TRUE;
}

static GArray *closed_new(void)
{
	GArray *closed = g_array_new(FALSE, FALSE, sizeof(Closed));

	g_array_set_clear_func(closed, (GDestroyNotify)clear_closed);
	return closed;
}

static gboolean close_directories(int unpacked, const GArray *closed, GError **error)
{
	for (guint i = closed->len; i > 0; i--) {
		const Closed *one = &g_array_index(closed, Closed, i - 1);

		if (fchmodat(unpacked, one->path, one->mode, 0) < 0)
			return varve_fail_errno(error, errno, "%s: cannot set its mode", one->path);
	}
	return TRUE;
}

/* Most archives have one directory at their top; paths of overlays are below it. Otherwise they are
 * those of the archive. *@ret_top: (nullable) that directory. */
static int open_root(int unpacked, char **ret_top, GError **error)
{
	g_auto(GStrv) names = NULL;
	struct stat st;

	if (!varve_dir_list(unpacked, ".", &names, error))
		return -1;
	if (g_strv_length(names) == 1 &&
	    fstatat(unpacked, names[0], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
		*ret_top = g_strdup(names[0]);
		return varve_dir_open_beneath(unpacked, names[0], error);
	}
	return varve_dir_open(unpacked, ".", error);
}

static gboolean change(int unpacked, const char *archive, const VarveSpecOverlay *overlays, gsize n,
		       const VarveSpecOverlay **ret_failed, GError **error)
{
	g_autofree char *top = NULL, *base = NULL;
	varve_autofd root = open_root(unpacked, &top, error);

	if (root < 0)
		return FALSE;
	for (gsize i = 0; i < n; i++) {
		if (g_strcmp0(overlays[i].archive, archive) != 0 ||
		    varve_overlay_files(root, &overlays[i], error))
			continue;
		if (ret_failed)
			*ret_failed = &overlays[i];
		base = top ? varve_text_line(top) : NULL;
		g_prefix_error(error,
			       "in the archive '%s' (paths are below its %s%.200s%s): ", archive,
			       base ? "directory '" : "top, which has several entries",
			       base ? base : "", base ? "'" : "");
		return FALSE;
	}
	return TRUE;
}

static gboolean work(int sources, const char *name, int unpacked, const VarveSpecOverlay *overlays,
		     gsize n, const VarveSpecOverlay **ret_failed, GError **error)
{
	g_autoptr(GArray) closed = closed_new();

	return varve_archive_unpack(sources, name, unpacked, error) &&
	       open_directories(unpacked, "", closed, error) &&
	       change(unpacked, name, overlays, n, ret_failed, error) &&
	       close_directories(unpacked, closed, error) &&
	       varve_archive_pack(sources, name, unpacked, error);
}

gboolean varve_overlay_archive(int sources, const char *name, const VarveSpecOverlay *overlays,
			       gsize n, const VarveSpecOverlay **ret_failed, GError **error)
{
	g_autofree char *directory = NULL;
	gboolean done = FALSE;

	if (sources < 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no directory of sources beside the spec, in which the "
				  "archive '%s' could be",
				  name);
	if (strchr(name, '/'))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "'%s' cannot be the name of an archive: expected the name of a "
				  "file beside the spec, without a directory",
				  name);
	/* Not beside the sources: what is left there after a crash would match their patterns. */
	directory = g_dir_make_tmp("varve-archive-XXXXXX", error);
	if (!directory)
		return FALSE;
	{
		varve_autofd unpacked = varve_dir_open(AT_FDCWD, directory, error);
		g_autoptr(GArray) closed = closed_new();

		done = unpacked >= 0 &&
		       work(sources, name, unpacked, overlays, n, ret_failed, error);
		if (unpacked >= 0)
			open_directories(unpacked, "", closed, NULL);
	}
	/* What stays takes room; the archive is as it should be all the same. */
	varve_dir_remove(AT_FDCWD, directory, NULL);
	return done;
}
