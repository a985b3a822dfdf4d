/* What the kernel writes in /proc has names in it that anybody chose. */
#include "format/maps.h"
#include "stack/unit-of.h"
#include "trace/mounts.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *unit = varve_unit_from_cgroup(text);
	g_autoptr(GPtrArray) mounts = varve_mountinfo_parse(text, NULL);
	VarveMapLine line;

	for (guint i = 0; mounts && i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];
		g_autofree char *inside = varve_mounts_inside(mount, mount->point);

		if (varve_mounts_by_id(mounts, mount->id) == NULL)
			__builtin_trap();
	}
	if (varve_maps_parse_line(text, &line)) {
		if (line.end <= line.start)
			__builtin_trap();
		g_free(line.name);
	}
	return 0;
}
