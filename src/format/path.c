/* Paths inside a tree. */
#include "format/path.h"

#include <string.h>

gboolean varve_path_is_canonical(const char *path)
{
	if (!*path)
		return TRUE;
	for (;;) {
		size_t length = strcspn(path, "/");

		if (length == 0 || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return FALSE;
		if (!path[length])
			return TRUE;
		path += length + 1;
	}
}
