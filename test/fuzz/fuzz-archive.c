/* Source archives of upstreams: unpacked, packed, and once more the same. */
#include "component/archive.h"

#include "base/file.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const VarveArchiveLimits limits = { 1 << 20, 1 << 22, 1000 };

static int open_new(const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	if (!varve_dir_make(path, 0755, NULL))
		__builtin_trap();
	return varve_dir_open(AT_FDCWD, path, NULL);
}

/* What was packed can be unpacked, and packed again it is the same. */
static void check_again(int sources, const char *dir)
{
	varve_autofd again = open_new(dir, "again");
	g_autofree char *first = NULL, *second = NULL;
	gsize first_size = 0, second_size = 0;

	if (!varve_file_read(sources, "x.tar", 64 << 20, &first, &first_size, NULL) ||
	    !varve_archive_unpack_within(sources, "x.tar", again, &limits, NULL) ||
	    !varve_archive_pack(sources, "x.tar", again, NULL) ||
	    !varve_file_read(sources, "x.tar", 64 << 20, &second, &second_size, NULL) ||
	    first_size != second_size || memcmp(first, second, first_size) != 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *dir = g_dir_make_tmp("varve-fuzz-archive-XXXXXX", NULL);
	varve_autofd sources = open_new(dir, "sources"), into = open_new(dir, "into");
	g_auto(GStrv) names = NULL;

	if (!varve_file_write(sources, "x.tar", data, size, 0644, NULL))
		__builtin_trap();
	if (varve_archive_unpack_within(sources, "x.tar", into, &limits, NULL) &&
	    varve_archive_pack(sources, "x.tar", into, NULL))
		check_again(sources, dir);
	/* Nothing came to be beside the directory. */
	if (!varve_dir_list(AT_FDCWD, dir, &names, NULL) || g_strv_length(names) > 3)
		__builtin_trap();
	varve_dir_remove(AT_FDCWD, dir, NULL);
	return 0;
}
