/* Packages from anywhere. What is accepted stays below the root. */
#include "package/deb-archive.h"

#include "ground/fd.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	varve_autofd fd = memfd_create("deb", MFD_CLOEXEC);
	g_autoptr(VarveDeb) deb = NULL;

	if (fd < 0 || varve_fd_write_full(fd, data, size) < 0)
		return 0;
	deb = varve_deb_open(fd, "input", "/tmp", NULL);
	for (guint i = 0; deb && i < deb->entries->len; i++) {
		const VarveDebEntry *entry = g_ptr_array_index(deb->entries, i);

		if (entry->path[0] != '/' || strstr(entry->path, "/../") ||
		    g_str_has_suffix(entry->path, "/..") || g_str_has_prefix(entry->path, "/lib/"))
			__builtin_trap();
	}
	return 0;
}
