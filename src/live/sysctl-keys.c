/* Kernel parameters in sysctl.d(5). */
#include "live/sysctl-keys.h"

#include <string.h>

/* "net.ipv4.conf." of "net.ipv4.conf.*.rp_filter" without its last separator; NULL where nothing is
 * left. */
static char *prefix_of(const char *key)
{
	gsize size = strcspn(key, "*?[");

	if (key[size])
		while (size > 0 && key[size - 1] != '.' && key[size - 1] != '/')
			size--;
	while (size > 0 && (key[size - 1] == '.' || key[size - 1] == '/'))
		size--;
	return size > 0 ? g_strndup(key, size) : NULL;
}

GPtrArray *varve_sysctl_prefixes(const char *text)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		char *key = g_strstrip(*line);
		char *equals = strchr(key, '=');
		g_autofree char *prefix = NULL;

		if (*key == '#' || *key == ';' || !equals)
			continue;
		*equals = '\0';
		key = g_strstrip(*key == '-' ? key + 1 : key);
		prefix = prefix_of(key);
		if (prefix && !g_ptr_array_find_with_equal_func(found, prefix, g_str_equal, NULL))
			g_ptr_array_add(found, g_steal_pointer(&prefix));
	}
	return found;
}
