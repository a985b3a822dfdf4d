/* Path tables: each record that is read can be found, and all of them make a table again. */
#include "format/path-table.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size), written = NULL;
	g_autoptr(VarvePathTable) table = varve_path_table_open(bytes, "input", NULL);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	gsize index;

	if (!table)
		return 0;
	varve_path_table_find(table, "usr/bin/bash", &index, NULL);
	for (gsize i = 0; i < varve_path_table_count(table); i++) {
		VarvePath *path = g_new0(VarvePath, 1);

		g_ptr_array_add(paths, path);
		if (!varve_path_table_get(table, i, path, NULL))
			return 0;
	}
	for (guint i = 0; i < paths->len; i++) {
		const VarvePath *path = paths->pdata[i];

		if (!varve_path_table_find(table, path->path, &index, NULL) || index != i)
			__builtin_trap();
	}
	written = varve_path_table_write(paths, NULL);
	if (!written)
		__builtin_trap();
	return 0;
}
