/* Whether the files of a mounted layer have the contents that its path table says. */
#include "base/error.h"
#include "base/parallel.h"
#include "crypt/sha256.h"
#include "ground/fd.h"
#include "ground/syscalls.h"
#include "stack/stack.h"

#include <string.h>
#include <sys/stat.h>

static gboolean fail_content(const char *path, GError **error)
{
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "/%s has another content than the path table says", path);
}

static gboolean compare_path(const VarvePath *path, gpointer data, GError **error)
{
	const VarveMounted *mounted = data;
	VarvePath said;
	gsize index;

	if (!S_ISREG(path->mode) && !S_ISLNK(path->mode))
		return TRUE;
	/* That both have the same paths was found before; the table's own files are in neither. */
	if (!varve_path_table_find(mounted->paths, path->path, &index, NULL))
		return TRUE;
	if (!varve_path_table_get(mounted->paths, index, &said, error))
		return FALSE;
	return varve_digest_equal(&said.digest, &path->digest) || fail_content(path->path, error);
}

static gboolean digest_of(const VarveMounted *mounted, const VarvePath *path,
			  VarveDigest *ret_digest, GError **error)
{
	varve_autofd fd = -1;
	guint64 size;

	if (S_ISLNK(path->mode)) {
		varve_sha256(path->target, strlen(path->target), ret_digest);
		return TRUE;
	}
	fd = varve_openat2(mounted->fd, path->path, O_RDONLY, 0, VARVE_RESOLVE_STRICT);
	if (fd < 0)
		return varve_fail_errno(error, errno, "/%s", path->path);
	if (varve_sha256_fd(fd, ret_digest, &size, error))
		return TRUE;
	g_prefix_error(error, "/%s: ", path->path);
	return FALSE;
}

static gboolean check_path(gsize index, gpointer data, GError **error)
{
	const VarveMounted *mounted = data;
	VarveDigest digest;
	VarvePath path;

	if (!varve_path_table_get(mounted->paths, index, &path, error))
		return FALSE;
	if (!S_ISREG(path.mode) && !S_ISLNK(path.mode))
		return TRUE;
	if (!digest_of(mounted, &path, &digest, error))
		return FALSE;
	return varve_digest_equal(&digest, &path.digest) || fail_content(path.path, error);
}

/* From the file, whose bytes are in memory since they were hashed: through the mount every block
 * would come from the disk and be hashed once more. Who changes the file meanwhile can only have a
 * good layer refused, or a lie overlooked that no other rule believes. UNSUPPORTED where the layer
 * is compressed. */
static gboolean check_file(const VarveMounted *mounted, GError **error)
{
	g_autoptr(VarveErofs) erofs = varve_layer_open_erofs(mounted->layer, error);

	return erofs && varve_erofs_walk(erofs, TRUE, compare_path, (gpointer)mounted, error);
}

VarveRefusal *varve_mounted_contents(const VarveMounted *mounted)
{
	g_autoptr(GError) error = NULL;

	if (mounted->layer && check_file(mounted, &error))
		return NULL;
	if (!mounted->layer || g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED)) {
		g_clear_error(&error);
		if (varve_parallel(varve_path_table_count(mounted->paths), 0, check_path,
				   (gpointer)mounted, &error))
			return NULL;
	}
	/* The bytes of a file that cannot be read are not those that were signed. */
	return varve_refusal_new(g_error_matches(error, VARVE_ERROR, VARVE_ERROR_CORRUPT)
					 ? "manifest-mismatch"
					 : "damaged",
				 "%s", error->message);
}
