/* /proc/PID/maps (proc(5)): what is mapped into a process. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/** One line. */
typedef struct {
	guint64 start, end;
	gboolean executable;
	dev_t device; /* of the file's filesystem; 0 for memory */
	guint64 inode;
	char *name; /* owned; "" for anonymous memory */
} VarveMapLine;

/** varve_maps_parse_line: FALSE where @line is not of the form; then @ret is untouched. */
gboolean varve_maps_parse_line(const char *line, VarveMapLine *ret);

/** varve_maps_device_text: (caller frees) what every line of a file on @device has in it. */
char *varve_maps_device_text(dev_t device);
