/* The mounts of this process. */
#include "trace/mounts.h"

#include "base/file.h"

#include <string.h>

#define MOUNTINFO "/proc/self/mountinfo"
#define MOUNTINFO_LIMIT ((size_t)64 * 1024 * 1024)

GPtrArray *varve_mounts_read(GError **error)
{
	g_autofree char *text = NULL;
	size_t size;

	if (!varve_file_read(AT_FDCWD, MOUNTINFO, MOUNTINFO_LIMIT, &text, &size, error))
		return NULL;
	return varve_mountinfo_parse(text, error);
}

const VarveMount *varve_mounts_by_id(const GPtrArray *mounts, guint64 id)
{
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];

		if (mount->id == id)
			return mount;
	}
	return NULL;
}

/* What follows the directory @prefix in @path, without slashes in front; NULL where @path is not
 * below it, or it itself. */
static const char *below(const char *path, const char *prefix)
{
	gsize length = strcmp(prefix, "/") == 0 ? 0 : strlen(prefix);

	if (strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
		return NULL;
	return path + length + strspn(path + length, "/");
}

char *varve_mounts_inside(const VarveMount *mount, const char *path)
{
	const char *rest = below(path, mount->point);
	const char *root = mount->root + strspn(mount->root, "/");

	if (!rest)
		return NULL;
	return g_strconcat(root, *root && *rest ? "/" : "", rest, NULL);
}
