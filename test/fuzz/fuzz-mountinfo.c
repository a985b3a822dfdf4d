/* Lists of mounts. */
#include "format/mountinfo.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GPtrArray) mounts = varve_mountinfo_parse(text, NULL);

	for (guint i = 0; mounts && i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];
		g_auto(GStrv) lowers = varve_mount_option(mount, "lowerdir+");
		gsize length = 0;

		for (char **lower = lowers; *lower; lower++)
			length += strlen(*lower);
		if (length > strlen(mount->super))
			__builtin_trap();
		if (strlen(mount->point) + strlen(mount->source) + strlen(mount->super) > size)
			__builtin_trap();
	}
	return 0;
}
