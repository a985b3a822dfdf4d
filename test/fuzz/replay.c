/* Runs a fuzz target over the files of a directory, as an ordinary test. */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	g_autoptr(GDir) dir = NULL;
	const char *name;
	int n = 0;

	if (argc != 2 || !(dir = g_dir_open(argv[1], 0, NULL))) {
		fprintf(stderr, "usage: %s DIRECTORY-WITH-A-CORPUS\n", argv[0]);
		return 2;
	}
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(argv[1], name, NULL), *data = NULL;
		gsize size;

		if (!g_file_get_contents(path, &data, &size, NULL)) {
			fprintf(stderr, "%s: cannot be read\n", path);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)data, size);
		n++;
	}
	printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
