/* Variable stores: what is written out of one can be read again, and then says the same. The
 * header's checksum is put right, or nothing behind it would ever be reached. */
#include "format/bytes.h"
#include "format/variable-store.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix_checksum(uint8_t *bytes, size_t size)
{
	size_t header = size < 72 ? 0 : varve_get_le16(bytes + 48);
	guint16 sum = 0;

	if (header < 72 || header > size)
		return;
	varve_put_le16(bytes + 50, 0);
	for (size_t i = 0; i + 1 < header; i += 2)
		sum = (guint16)(sum + varve_get_le16(bytes + i));
	varve_put_le16(bytes + 50, (guint16)-sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree uint8_t *bytes = g_memdup2(data, size);
	g_autoptr(GBytes) value = g_bytes_new_static("value", 5), input = NULL;
	const VarveEfiVariable variable = { "db", VARVE_EFI_SECURITY_DATABASE, 0x27, 1, value };
	g_autoptr(GBytes) result = NULL, again = NULL;

	fix_checksum(bytes, size);
	input = g_bytes_new(bytes, size);
	result = varve_variable_store_set(input, "input", &variable, 1, NULL);
	if (!result)
		return 0;
	again = varve_variable_store_set(result, "result", &variable, 1, NULL);
	if (!again || g_bytes_get_size(result) != size || !g_bytes_equal(result, again))
		__builtin_trap();
	return 0;
}
