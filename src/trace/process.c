/* /proc/PID/maps, map_files, exe, cgroup, attr (proc(5)). */
#include "trace/process.h"

#include "base/error.h"
#include "base/file.h"
#include "format/maps.h"
#include "stack/unit-of.h"
#include "trace/why.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define MAPS_LIMIT ((size_t)64 * 1024 * 1024)
#define SMALL_LIMIT ((size_t)64 * 1024)

static void mapping_free(gpointer data)
{
	VarveTraceMapping *mapping = data;

	varve_trace_answer_free(mapping->answer);
	g_free(mapping->name);
	g_free(mapping->unopened);
	g_free(mapping);
}

void varve_trace_process_free(VarveTraceProcess *process)
{
	if (!process)
		return;
	g_ptr_array_unref(process->mappings);
	g_free(process->command);
	g_free(process->unit);
	g_free(process->cgroup);
	g_free(process->context);
	g_free(process);
}

/* (caller frees) the file NAME of the process, without a final newline or NUL; "" where it cannot
 * be read. */
static char *read_small(int proc, const char *name)
{
	char *text = NULL;
	size_t size;

	if (!varve_file_read(proc, name, SMALL_LIMIT, &text, &size, NULL))
		return g_strdup("");
	return g_strchomp(text);
}

static void read_cgroup(int proc, VarveTraceProcess *process)
{
	g_autofree char *text = read_small(proc, "cgroup");

	process->cgroup = varve_cgroup_path(text);
	process->unit = varve_unit_from_cgroup(text);
	if (!process->cgroup)
		process->cgroup = g_strdup("");
	if (!process->unit)
		process->unit = g_strdup("");
}

/* The kernel's own code, which is mapped into every process. */
static gboolean is_kernels(const char *name)
{
	return strcmp(name, "[vdso]") == 0 || strcmp(name, "[vsyscall]") == 0 ||
	       strcmp(name, "[vvar]") == 0 || strcmp(name, "[vvar_vclock]") == 0;
}

static void judge(VarveTraceMapping *mapping)
{
	gboolean trusted = mapping->anonymous
				   ? is_kernels(mapping->name)
				   : mapping->answer &&
					     (mapping->answer->state == VARVE_TRACE_SIGNED ||
					      mapping->answer->state == VARVE_TRACE_REPLACED) &&
					     mapping->answer->problems->len == 0;

	mapping->flagged = (mapping->executable || mapping->program) && !trusted;
	mapping->old = mapping->answer && mapping->answer->state == VARVE_TRACE_REPLACED &&
		       !mapping->answer->earlier->same;
}

/* Opens @name below the process and answers for it; what cannot be opened is told, not fatal. */
static gboolean answer_for(VarveTraceNode *node, int proc, const char *name, gboolean hash,
			   VarveTraceMapping *mapping, GError **error)
{
	/* Followed: what is there are the kernel's own links to inodes. */
	varve_autofd fd = openat(proc, name, O_PATH | O_CLOEXEC);
	const VarveTraceAsk ask = { .path = mapping->name, .hash = hash };

	if (fd < 0 && (errno == EPERM || errno == EACCES))
		return varve_fail_errno(error, errno,
					"what a process has mapped is only told to root");
	if (fd < 0) {
		g_free(mapping->unopened);
		mapping->unopened = g_strdup(g_strerror(errno));
		return TRUE;
	}
	if (*mapping->name != '/') {
		g_free(mapping->unopened);
		mapping->unopened = g_strdup("it has no path");
		return TRUE;
	}
	mapping->answer = varve_trace_why_fd(node, fd, &ask, error);
	return mapping->answer != NULL;
}

static VarveTraceMapping *mapping_new(const char *name)
{
	VarveTraceMapping *mapping = g_new0(VarveTraceMapping, 1);

	mapping->name = g_strdup(name);
	mapping->unopened = g_strdup("");
	return mapping;
}

static gboolean add_program(VarveTraceNode *node, int proc, gboolean hash,
			    VarveTraceProcess *process, GHashTable *known, GError **error)
{
	char path[PATH_MAX];
	ssize_t n = readlinkat(proc, "exe", path, sizeof(path) - 1);
	VarveTraceMapping *mapping;
	struct stat st;

	if (n < 0 && errno == ENOENT)
		return TRUE; /* a thread of the kernel */
	if (n < 0)
		return varve_fail_errno(error, errno, "process %d; are you root?", process->pid);
	path[n] = '\0';
	mapping = mapping_new(path);
	mapping->program = TRUE;
	g_ptr_array_add(process->mappings, mapping);
	if (fstatat(proc, "exe", &st, 0) == 0) {
		guint64 inode = st.st_ino;

		g_hash_table_insert(known, g_memdup2(&inode, sizeof(inode)), mapping);
	}
	return answer_for(node, proc, "exe", hash, mapping, error);
}

/* Files are told apart by inode and name, memory by its name. */
static VarveTraceMapping *find(const VarveTraceProcess *process, GHashTable *known,
			       const VarveMapLine *line)
{
	VarveTraceMapping *mapping = line->inode ? g_hash_table_lookup(known, &line->inode) : NULL;

	if (mapping && strcmp(mapping->name, line->name) == 0)
		return mapping;
	for (guint i = 0; i < process->mappings->len; i++) {
		mapping = process->mappings->pdata[i];
		if (mapping->anonymous && !line->inode && strcmp(mapping->name, line->name) == 0)
			return mapping;
	}
	return NULL;
}

static gboolean add_line(VarveTraceNode *node, int proc, gboolean hash, const VarveMapLine *line,
			 VarveTraceProcess *process, GHashTable *known, GError **error)
{
	VarveTraceMapping *mapping = find(process, known, line);
	g_autofree char *link = NULL;

	if (mapping) {
		mapping->executable |= line->executable;
		return TRUE;
	}
	mapping = mapping_new(line->name);
	mapping->executable = line->executable;
	mapping->anonymous = line->inode == 0;
	g_ptr_array_add(process->mappings, mapping);
	if (mapping->anonymous)
		return TRUE;
	g_hash_table_insert(known, g_memdup2(&line->inode, sizeof(line->inode)), mapping);
	link = g_strdup_printf("map_files/%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x",
			       line->start, line->end);
	return answer_for(node, proc, link, hash, mapping, error);
}

static gboolean add_maps(VarveTraceNode *node, int proc, gboolean hash, VarveTraceProcess *process,
			 GHashTable *known, GError **error)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	size_t size;

	if (!varve_file_read(proc, "maps", MAPS_LIMIT, &text, &size, error)) {
		g_prefix_error(error, "process %d: ", process->pid);
		return FALSE;
	}
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		VarveMapLine parsed;
		gboolean ok;

		if (!varve_maps_parse_line(*line, &parsed))
			continue;
		ok = add_line(node, proc, hash, &parsed, process, known, error);
		g_free(parsed.name);
		if (!ok)
			return FALSE;
	}
	return TRUE;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const VarveTraceMapping *x = *(VarveTraceMapping *const *)a;
	const VarveTraceMapping *y = *(VarveTraceMapping *const *)b;

	if (x->program != y->program)
		return x->program ? -1 : 1;
	if (x->anonymous != y->anonymous)
		return x->anonymous ? 1 : -1;
	return strcmp(x->name, y->name);
}

VarveTraceProcess *varve_trace_process(VarveTraceNode *node, gint pid, gboolean hash,
				       GError **error)
{
	g_autoptr(VarveTraceProcess) process = g_new0(VarveTraceProcess, 1);
	g_autoptr(GHashTable) known =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_autofree char *path = g_strdup_printf("/proc/%d", pid);
	varve_autofd proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	process->mappings = g_ptr_array_new_with_free_func(mapping_free);
	process->pid = pid;
	if (proc < 0) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "there is no process %d", pid);
		return NULL;
	}
	process->command = read_small(proc, "comm");
	read_cgroup(proc, process);
	process->context = read_small(proc, "attr/current");
	if (!add_program(node, proc, hash, process, known, error) ||
	    !add_maps(node, proc, hash, process, known, error))
		return NULL;
	for (guint i = 0; i < process->mappings->len; i++) {
		VarveTraceMapping *mapping = process->mappings->pdata[i];

		judge(mapping);
		process->flagged += mapping->flagged;
		process->old += mapping->old;
	}
	g_ptr_array_sort(process->mappings, by_name);
	return g_steal_pointer(&process);
}

static json_t *mapping_json(const VarveTraceMapping *mapping)
{
	json_t *object = json_object();

	json_object_set_new(object, "name", varve_json_escaped(mapping->name));
	json_object_set_new(object, "program", json_boolean(mapping->program));
	json_object_set_new(object, "executable", json_boolean(mapping->executable));
	json_object_set_new(object, "anonymous", json_boolean(mapping->anonymous));
	json_object_set_new(object, "flagged", json_boolean(mapping->flagged));
	json_object_set_new(object, "old", json_boolean(mapping->old));
	json_object_set_new(object, "answer",
			    mapping->answer ? varve_trace_answer_json(mapping->answer)
					    : json_null());
	if (*mapping->unopened)
		json_object_set_new(object, "unopened", varve_json_escaped(mapping->unopened));
	return object;
}

json_t *varve_trace_process_json(const VarveTraceProcess *process)
{
	json_t *object = json_object(), *mappings = json_array();

	for (guint i = 0; i < process->mappings->len; i++)
		json_array_append_new(mappings, mapping_json(process->mappings->pdata[i]));
	json_object_set_new(object, "pid", json_integer(process->pid));
	json_object_set_new(object, "command", varve_json_escaped(process->command));
	json_object_set_new(object, "unit", varve_json_escaped(process->unit));
	json_object_set_new(object, "cgroup", varve_json_escaped(process->cgroup));
	json_object_set_new(object, "context", varve_json_escaped(process->context));
	json_object_set_new(object, "flagged", json_integer(process->flagged));
	json_object_set_new(object, "old", json_integer(process->old));
	json_object_set_new(object, "mappings", mappings);
	return object;
}
