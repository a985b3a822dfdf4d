/* The end of a log, from its last bytes. */
#include "build/log.h"

#include "base/file.h"

#define TAIL_LINES 25
#define LOG_LIMIT (G_GUINT64_CONSTANT(1) << 30)

char *varve_log_tail(FILE *log, const char *path)
{
	g_autofree char *text = NULL, *end = NULL;
	size_t size = 0;
	guint lines = 0;
	char *p;

	fflush(log);
	if (!varve_file_read(AT_FDCWD, path, LOG_LIMIT, &text, &size, NULL))
		return g_strdup("");
	for (p = text + size; p > text; p--)
		if (p[-1] == '\n' && lines++ == TAIL_LINES)
			break;
	end = g_utf8_make_valid(g_strchomp(p), -1);
	for (p = end; *p; p++)
		if ((guchar)*p < 0x20 && *p != '\n' && *p != '\t')
			*p = '?';
	return g_steal_pointer(&end);
}
