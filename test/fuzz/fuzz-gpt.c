/* Partition tables: right checksums are put in, or nothing behind them would ever be reached. */
#include "format/bytes.h"
#include "format/crc32.h"
#include "format/gpt.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix_checksums(uint8_t *bytes, size_t size)
{
	guint64 at, table;
	uint8_t *header;
	guint32 header_size;

	if (size < 1024)
		return;
	header = bytes + 512;
	at = varve_get_le64(header + 72);
	table = (guint64)varve_get_le32(header + 80) * varve_get_le32(header + 84);
	if (at < size / 512 && table <= size - at * 512)
		varve_put_le32(header + 88, varve_crc32(bytes + at * 512, (size_t)table));
	header_size = varve_get_le32(header + 12);
	if (header_size < 92 || header_size > 512)
		return;
	varve_put_le32(header + 16, 0);
	varve_put_le32(header + 16, varve_crc32(header, header_size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree uint8_t *bytes = g_memdup2(data, size);
	int fd = memfd_create("gpt", MFD_CLOEXEC);
	g_autofree VarveGpt *gpt = NULL;

	fix_checksums(bytes, size);
	if (fd < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
		__builtin_trap();
	if (varve_gpt_read(fd, &gpt, NULL)) {
		for (guint i = 0; i < gpt->n_partitions; i++) {
			const VarveGptPartition *p = &gpt->partitions[i];

			if (p->offset > size || p->size == 0 || p->size > size - p->offset)
				__builtin_trap();
		}
	}
	close(fd);
	return 0;
}
