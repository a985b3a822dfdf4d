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

/* What was understood is written in one way, and understood again. */
static void check_claims(const VarveSignaturePartition *claims)
{
	g_auto(VarveSignaturePartition) again = { 0 };
	g_autoptr(GBytes) bytes = varve_signature_partition_write(claims, 1 << 20, NULL);

	if (!bytes)
		return;
	if (!varve_signature_partition_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
					     "again", &again, NULL) ||
	    !varve_digest_equal(&again.root, &claims->root) ||
	    !g_bytes_equal(again.signature, claims->signature) ||
	    !again.platform_signature != !claims->platform_signature)
		__builtin_trap();
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
		if (varve_layer_check_platform(layer, nobody, NULL, NULL))
			__builtin_trap();
		check_claims(varve_layer_claims(layer));
		varve_layer_check_data(layer, NULL);
	}
	close(data_fd);
	close(hash_fd);
	close(signature_fd);
	return 0;
}
