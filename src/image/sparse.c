/* Copying by extents: SEEK_DATA, SEEK_HOLE, copy_file_range(2). */
#include "image/sparse.h"

#include "base/error.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean copy_extent(int from, guint64 offset, guint64 size, int to, guint64 to_offset,
			    const char *name, GError **error)
{
	off_t in = (off_t)offset, out = (off_t)to_offset;

	while (size > 0) {
		ssize_t n = copy_file_range(from, &in, to, &out, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return varve_fail_errno(error, errno, "%s: cannot copy", name);
		if (n == 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: ends at %lld, %llu bytes too early", name,
					  (long long)in, (unsigned long long)size);
		size -= (guint64)n;
	}
	return TRUE;
}

gboolean varve_sparse_copy(int from, guint64 from_offset, guint64 size, int to, guint64 to_offset,
			   const char *name, GError **error)
{
	guint64 done = 0;
	struct stat st;

	if (fstat(from, &st) < 0)
		return varve_fail_errno(error, errno, "%s: cannot stat", name);
	if ((guint64)st.st_size < from_offset || (guint64)st.st_size - from_offset < size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: has %lld bytes, fewer than its own tables say", name,
				  (long long)st.st_size);
	while (done < size) {
		off_t data = lseek(from, (off_t)(from_offset + done), SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		guint64 start, end;

		if (data < 0 && errno == ENXIO)
			break; /* nothing but a hole up to the end */
		if (data < 0 || hole < 0)
			return varve_fail_errno(error, errno, "%s: cannot look for holes", name);
		start = MIN((guint64)data - from_offset, size);
		end = MIN((guint64)hole - from_offset, size);
		if (!copy_extent(from, from_offset + start, end - start, to, to_offset + start,
				 name, error))
			return FALSE;
		done = end;
	}
	return TRUE;
}

gboolean varve_sparse_copy_file(int from, int to, const char *name, GError **error)
{
	struct stat st;

	if (ioctl(to, FICLONE, from) == 0)
		return TRUE;
	if (fstat(from, &st) < 0 || ftruncate(to, st.st_size) < 0)
		return varve_fail_errno(error, errno, "%s: cannot copy", name);
	return varve_sparse_copy(from, 0, (guint64)st.st_size, to, 0, name, error);
}
