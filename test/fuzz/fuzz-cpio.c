/* cpio archives: what is read lies inside the input, and its paths are canonical. */
#include "format/cpio.h"
#include "format/path.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean visit(const VarveCpioEntry *entry, gpointer data, GError **error)
{
	g_autoptr(GBytes) content = g_bytes_new_static(entry->data, entry->size);
	guint *n = data;

	(void)error;
	if (!varve_path_is_canonical(entry->path))
		__builtin_trap();
	*n += g_bytes_hash(content);
	return TRUE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(GBytes) archive = varve_cpio_unpack(bytes, 1 << 20, "input", NULL);
	guint n = 0;

	if (archive && g_bytes_get_size(archive) > 1 << 20)
		__builtin_trap();
	if (archive)
		varve_cpio_walk(archive, "input", visit, &n, NULL);
	return 0;
}
