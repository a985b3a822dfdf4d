/* A key file, two NULs, a detached signature over four bytes: both as they come from definitions
 * and mirrors. */
#include "ground/fd.h"
#include "rpm/keys.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *as_file(const void *bytes, size_t size, int *ret_fd)
{
	*ret_fd = memfd_create("input", MFD_CLOEXEC);
	if (varve_fd_write_full(*ret_fd, bytes, size) < 0)
		abort();
	return g_strdup_printf("/proc/self/fd/%d", *ret_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *split = memmem(data, size, "\0\0", 2);
	varve_autofd key_fd = -1, signature_fd = -1, text_fd = -1;
	g_autofree char *key = NULL, *signature = NULL, *text = NULL;
	g_autoptr(VarvePackageKeys) keys = NULL;

	if (!split)
		split = data + size;
	key = as_file(data, (size_t)(split - data), &key_fd);
	keys = varve_package_keys_load((const char *[]){ key, NULL }, NULL);
	if (!keys || split == data + size)
		return 0;
	signature = as_file(split + 2, (size_t)(data + size - split - 2), &signature_fd);
	text = as_file("text", 4, &text_fd);
	varve_package_keys_check_detached(keys, text, signature, NULL);
	return 0;
}
