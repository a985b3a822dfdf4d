/* /proc/PID/maps. */
#include "format/maps.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* The kernel escapes line feeds and nothing else, so that a backslash is one. */
static char *unescape(const char *name)
{
	GString *text = g_string_new(name);

	g_string_replace(text, "\\012", "\n", 0);
	return g_string_free(text, FALSE);
}

gboolean varve_maps_parse_line(const char *line, VarveMapLine *ret)
{
	guint64 start, end, inode;
	guint major, minor;
	char permissions[5];
	int name = -1;

	if (sscanf(line,
		   "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER
		   "x %4s %*x %x:%x %" G_GUINT64_FORMAT "%n",
		   &start, &end, permissions, &major, &minor, &inode, &name) != 6 ||
	    name < 0 || end <= start)
		return FALSE;
	line += name;
	*ret = (VarveMapLine){ .start = start,
			       .end = end,
			       .executable = strchr(permissions, 'x') != NULL,
			       .device = makedev(major, minor),
			       .inode = inode,
			       .name = unescape(line + strspn(line, " ")) };
	return TRUE;
}

char *varve_maps_device_text(dev_t device)
{
	return g_strdup_printf(" %02x:%02x ", major(device), minor(device));
}
