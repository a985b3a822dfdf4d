/* EROFS images: walked with digests, searched, read. The checksum is not asked for. */
#include "format/erofs.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean visit(const VarvePath *path, gpointer data, GError **error)
{
	VarveErofs *erofs = data;
	g_autofree char *content = NULL;
	size_t size;

	(void)error;
	if (strlen(path->path) > 4095 || strlen(path->target) > 4095)
		__builtin_trap();
	for (size_t i = 0; i < path->n_xattrs; i++) {
		if (i > 0 && strcmp(path->xattrs[i - 1].name, path->xattrs[i].name) >= 0)
			__builtin_trap();
	}
	varve_erofs_read_file(erofs, path->path, 65536, &content, &size, NULL);
	return TRUE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree uint8_t *bytes = g_memdup2(data, size);
	int fd = memfd_create("erofs", MFD_CLOEXEC);
	g_autoptr(VarveErofs) erofs = NULL;

	if (size >= 1024 + 128)
		bytes[1024 + 8] &= (uint8_t)~1;
	if (fd < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
		__builtin_trap();
	erofs = varve_erofs_open(fd, 0, size, "input", NULL);
	if (erofs) {
		g_autofree char *path = varve_erofs_find_block(erofs, 2);

		varve_erofs_walk(erofs, TRUE, visit, erofs, NULL);
	}
	close(fd);
	return 0;
}
