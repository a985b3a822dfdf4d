/* The one overlay over /usr (facts in docs/architecture.md: at least two lowers, 500 at most, paths
 * as strings because Linux 6.12 takes no fds for them). */
#include "base/error.h"
#include "ground/fd.h"
#include "ground/mount.h"
#include "stack/stack.h"

#define LOWERS_MAX 500

char **varve_stack_lowers(const GPtrArray *layers, const char *base_usr)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();

	for (guint i = layers->len; i-- > 0;) {
		const VarveMounted *layer = layers->pdata[i];

		g_ptr_array_add(list, g_strconcat(layer->where, "/usr", NULL));
	}
	g_ptr_array_add(list, g_strdup(base_usr));
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

int varve_stack_merge_usr(const char *const *lowers, const char *empty, GError **error)
{
	guint n = g_strv_length((char **)lowers);
	g_autofree VarveMountOption *options = g_new0(VarveMountOption, n + 6);
	guint used = 0;
	char log[1024];
	int mount_fd;

	if (n + 1 > LOWERS_MAX) {
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "%u layers are more than the kernel merges (%d)", n, LOWERS_MAX - 1);
		return -1;
	}
	options[used++] = (VarveMountOption){ "source", "varve" };
	for (guint i = 0; i < n; i++)
		options[used++] = (VarveMountOption){ "lowerdir+", lowers[i] };
	if (n < 2)
		options[used++] = (VarveMountOption){ "lowerdir+", empty };
	options[used++] = (VarveMountOption){ "xino", "on" };
	/* Attributes that redirect or hide are no business of a layer. */
	options[used++] = (VarveMountOption){ "redirect_dir", "nofollow" };
	options[used++] = (VarveMountOption){ "metacopy", "off" };
	mount_fd = varve_mount_make("overlay", options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, log,
				    sizeof(log));
	if (mount_fd < 0)
		varve_fail_errno(error, errno, "/usr cannot be merged of %u layers%s%s", n,
				 *log ? ": " : "", log);
	return mount_fd;
}
