/* The signed exitrd. */
#include "stack/exitrd.h"

#include "base/error.h"
#include "ground/fd.h"
#include "ground/mount.h"

#define EXITRD "/usr/lib/varve/exitrd"

gboolean varve_exitrd_bind(const char *sysroot, GError **error)
{
	const unsigned attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	g_autofree char *from = g_strconcat(sysroot, EXITRD, NULL);

	if (varve_make_dirs(VARVE_EXITRD_MOUNT) < 0 ||
	    varve_mount_bind(from, VARVE_EXITRD_MOUNT, attributes) < 0)
		return varve_fail_errno(error, errno,
					"base: its " EXITRD
					" cannot be bound at " VARVE_EXITRD_MOUNT);
	return TRUE;
}
