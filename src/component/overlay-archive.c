/* Overlays within an archive: unpacked beside, changed as loose files are, packed again. */
#include "component/archive.h"
#include "component/overlay-internal.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

/* Most archives have one directory at their top; paths of overlays are below it. Otherwise they are
 * those of the archive. */
static int open_root(int unpacked, GError **error)
{
	g_auto(GStrv) names = NULL;
	struct stat st;

	if (!varve_dir_list(unpacked, ".", &names, error))
		return -1;
	if (g_strv_length(names) == 1 &&
	    fstatat(unpacked, names[0], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return varve_dir_open_beneath(unpacked, names[0], error);
	return varve_dir_open(unpacked, ".", error);
}

static gboolean change(int unpacked, const char *archive, const VarveSpecOverlay *overlays, gsize n,
		       const VarveSpecOverlay **ret_failed, GError **error)
{
	varve_autofd root = open_root(unpacked, error);

	if (root < 0)
		return FALSE;
	for (gsize i = 0; i < n; i++) {
		if (g_strcmp0(overlays[i].archive, archive) != 0 ||
		    varve_overlay_files(root, &overlays[i], error))
			continue;
		if (ret_failed)
			*ret_failed = &overlays[i];
		g_prefix_error(error, "in the archive '%s': ", archive);
		return FALSE;
	}
	return TRUE;
}

gboolean varve_overlay_archive(int sources, const char *name, const VarveSpecOverlay *overlays,
			       gsize n, const VarveSpecOverlay **ret_failed, GError **error)
{
	g_autofree char *directory = NULL;
	gboolean done = FALSE;

	if (sources < 0 || strchr(name, '/'))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no archive '%s' beside the spec", name);
	/* Not beside the sources: what is left there after a crash would match their patterns. */
	directory = g_dir_make_tmp("varve-archive-XXXXXX", error);
	if (!directory)
		return FALSE;
	{
		varve_autofd unpacked = varve_dir_open(AT_FDCWD, directory, error);

		done = unpacked >= 0 && varve_archive_unpack(sources, name, unpacked, error) &&
		       change(unpacked, name, overlays, n, ret_failed, error) &&
		       varve_archive_pack(sources, name, unpacked, error);
	}
	if (!varve_dir_remove(AT_FDCWD, directory, done ? error : NULL))
		return FALSE;
	return done;
}
