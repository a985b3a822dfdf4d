/* Opening a layer: its verity superblock (the first 512 bytes) and its signature partition. */
#include "layer/layer.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SUPERBLOCK 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int make(const void *data, size_t size, size_t whole)
{
	int fd = memfd_create("part", MFD_CLOEXEC);

	if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size || ftruncate(fd, (off_t)whole) < 0)
		__builtin_trap();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) nobody = g_ptr_array_new();
	g_autoptr(VarveLayer) layer = NULL;
	int data_fd, hash_fd, signature_fd;

	if (size < SUPERBLOCK)
		return 0;
	data_fd = make("", 0, 65536);
	hash_fd = make(data, SUPERBLOCK, 16384);
	signature_fd = make(data + SUPERBLOCK, size - SUPERBLOCK, size - SUPERBLOCK);
	layer = varve_layer_open_partitions(data_fd, hash_fd, signature_fd, "input", NULL);
	if (layer) {
		if (varve_layer_check_signature(layer, nobody, NULL, NULL))
			__builtin_trap();
		varve_layer_check_data(layer, NULL);
	}
	close(data_fd);
	close(hash_fd);
	close(signature_fd);
	return 0;
}
