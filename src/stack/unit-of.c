/* From a process to its unit. */
#include "stack/unit-of.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIELD_START 22 /* of /proc/PID/stat, counted from 1 (proc(5)) */

char *varve_cgroup_path(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		if (g_str_has_prefix(*line, "0::/"))
			return g_strdup(*line + strlen("0::"));
	}
	return NULL;
}

/* Those that have processes; a slice only has units. */
static gboolean is_unit(const char *name)
{
	static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount",
						".swap" };

	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		if (g_str_has_suffix(name, suffixes[i]))
			return TRUE;
	}
	return FALSE;
}

/* "/system.slice/ssh.service/…": what lies below the first was delegated to it; whoever runs there
 * gives the names. */
char *varve_unit_from_cgroup(const char *text)
{
	g_autofree char *path = varve_cgroup_path(text);
	g_auto(GStrv) parts = path ? g_strsplit(path, "/", -1) : NULL;

	for (char **part = parts; part && *part; part++) {
		if (is_unit(*part))
			return g_strdup(*part);
	}
	return NULL;
}

/* When the process was started, in microseconds since the epoch; 0 where that cannot be told. */
static gint64 started(const char *stat)
{
	const char *rest = strrchr(stat, ')');
	g_auto(GStrv) fields = rest ? g_strsplit(rest + 1, " ", -1) : NULL;
	long ticks = sysconf(_SC_CLK_TCK);
	struct timespec now;
	gint64 age;

	/* The rest begins with a space and field 3. */
	if (!fields || g_strv_length(fields) <= FIELD_START - 2 || ticks <= 0 ||
	    clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		return 0;
	age = (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 -
	      g_ascii_strtoll(fields[FIELD_START - 2], NULL, 10) * G_USEC_PER_SEC / ticks;
	return g_get_real_time() - age;
}

static char *read_proc(guint pid, const char *file)
{
	g_autofree char *path = g_strdup_printf("/proc/%u/%s", pid, file);
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

char *varve_unit_of(guint pid, const char *comm, gint64 when)
{
	g_autofree char *name = read_proc(pid, "comm");
	g_autofree char *stat = read_proc(pid, "stat");
	g_autofree char *cgroup = read_proc(pid, "cgroup");
	gint64 start = stat ? started(stat) : 0;

	/* Clocks are corrected, ticks are coarse: a second is let pass. */
	if (!name || !cgroup || start == 0 || start > when + G_USEC_PER_SEC ||
	    strcmp(g_strchomp(name), comm) != 0)
		return NULL;
	return varve_unit_from_cgroup(cgroup);
}
