/* An RPM file of unknown origin: its facts, its files, its digests. */
#include "ground/fd.h"
#include "rpm/reader.h"

#include <stdint.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	varve_autofd fd = memfd_create("package", MFD_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(VarvePackage) package = NULL;

	if (varve_fd_write_full(fd, data, size) < 0)
		abort();
	varve_rpm_read(path, &package, &files, NULL);
	return 0;
}
