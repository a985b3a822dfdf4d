/* Looking at every process: cheap first. A process of which no file is on the device of an earlier
 * stack costs one read of its maps and a few stats. */
#include "live/who.h"

#include "base/error.h"
#include "base/file.h"
#include "format/maps.h"
#include "live/old-files.h"
#include "live/sight.h"
#include "stack/unit-of.h"

#include <dirent.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define MAPS_LIMIT ((size_t)64 * 1024 * 1024)
#define SMALL_LIMIT ((size_t)64 * 1024)

/* One earlier stack. */
typedef struct {
	const VarvePastStack *stack;
	VarveOldFiles *files;
	char *device; /* as maps have it */
	gboolean held;
} Earlier;

typedef struct {
	int proc;
	const VarvePast *past;
	GPtrArray *earlier; /* Earlier * */
	GHashTable *sights; /* namespace and root → VarveSight * */
	GPtrArray *host;    /* VarveMount *, of PID 1 */
	VarveWho *who;
} Scan;

/* One process that is being looked at. */
typedef struct {
	Scan *scan;
	int dir;
	VarveHolder *holder;
	gboolean touches; /* something of it is on an earlier stack */
	gboolean denied;
} Look;

static void earlier_free(gpointer data)
{
	Earlier *earlier = data;

	varve_old_files_free(earlier->files);
	g_free(earlier->device);
	g_free(earlier);
}

static void sight_free(gpointer data)
{
	varve_sight_clear(data);
	g_free(data);
}

static void scan_clear(Scan *scan)
{
	varve_autofd_close(&scan->proc);
	g_clear_pointer(&scan->earlier, g_ptr_array_unref);
	g_clear_pointer(&scan->sights, g_hash_table_unref);
	g_clear_pointer(&scan->host, g_ptr_array_unref);
	varve_who_free(scan->who);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scan, scan_clear)

static void file_free(gpointer data)
{
	VarveHeldFile *file = data;

	g_free(file->path);
	g_free(file->layer);
	g_free(file->version);
	g_free(file);
}

static void holder_free(gpointer data)
{
	VarveHolder *holder = data;

	g_free(holder->command);
	g_free(holder->unit);
	g_free(holder->obstacle);
	g_ptr_array_unref(holder->files);
	g_free(holder);
}

static VarveHolder *holder_new(gint pid)
{
	VarveHolder *holder = g_new0(VarveHolder, 1);

	holder->pid = pid;
	holder->follows = TRUE;
	holder->files = g_ptr_array_new_with_free_func(file_free);
	return holder;
}

void varve_who_free(VarveWho *who)
{
	if (!who)
		return;
	g_ptr_array_unref(who->holders);
	g_free(who);
}

static Earlier *find_earlier(const Scan *scan, dev_t device)
{
	for (guint i = 0; i < scan->earlier->len; i++) {
		Earlier *earlier = scan->earlier->pdata[i];

		if (earlier->stack->device == device)
			return earlier;
	}
	return NULL;
}

static void add_file(Look *look, const VarvePastLayer *layer, const char *path, gboolean code)
{
	VarveHeldFile *file;

	for (guint i = 0; i < look->holder->files->len; i++) {
		file = look->holder->files->pdata[i];
		if (strcmp(file->path, path) == 0 && strcmp(file->layer, layer->name) == 0 &&
		    strcmp(file->version, layer->version) == 0) {
			file->code |= code;
			return;
		}
	}
	file = g_new0(VarveHeldFile, 1);
	file->path = g_strdup(path);
	file->layer = g_strdup(layer->name);
	file->version = g_strdup(layer->version);
	file->code = code;
	g_ptr_array_add(look->holder->files, file);
}

/* A file on the device of an earlier stack. */
static void meet(Look *look, Earlier *earlier, guint64 number, const char *name, gboolean code)
{
	const VarvePastLayer *layer = varve_past_layer(earlier->stack, number, NULL);
	const char *path;

	if (!layer)
		return; /* another filesystem has the device's number now */
	earlier->held = TRUE;
	look->touches = TRUE;
	path = varve_old_files_find(earlier->files, number, name);
	if (path)
		add_file(look, layer, path, code);
}

/* One of the kernel's links below /proc/PID: to a file, whatever it is called. */
static void meet_link(Look *look, int dir, const char *link, gboolean code)
{
	char name[PATH_MAX];
	struct statx stx;
	Earlier *earlier;
	ssize_t n;

	/* Not synchronised: a network filesystem that hangs is none of ours. */
	if (syscall(SYS_statx, dir, link, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO, &stx) <
	    0) {
		look->denied |= errno == EACCES || errno == EPERM;
		return;
	}
	earlier = find_earlier(look->scan, makedev(stx.stx_dev_major, stx.stx_dev_minor));
	if (!earlier)
		return;
	/* Directories have no content of their own; for what they show there is varve_sight. */
	if (S_ISDIR(stx.stx_mode)) {
		earlier->held = look->touches = TRUE;
		return;
	}
	n = readlinkat(dir, link, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	meet(look, earlier, stx.stx_ino, n > 0 ? name : NULL, code);
}

/* Whether the inode number in what fdinfo says may be one of an earlier stack's. */
static gboolean may_be_earlier(const Scan *scan, const char *fdinfo)
{
	const char *line = strstr(fdinfo, "\nino:\t");
	guint64 number = line ? g_ascii_strtoull(line + strlen("\nino:\t"), NULL, 10) : 0;

	if (!line)
		return TRUE; /* before Linux 5.14 */
	for (guint i = 0; i < scan->earlier->len; i++) {
		const Earlier *earlier = scan->earlier->pdata[i];

		if (varve_past_layer(earlier->stack, number, NULL))
			return TRUE;
	}
	return FALSE;
}

/* Most of what is open are sockets, pipes and devices: nothing is asked of them but their names and
 * numbers, so that nobody has to be allowed more. */
static void meet_fd(Look *look, int fds, int infos, const char *number)
{
	g_autofree char *info = NULL;
	char first;
	size_t size;

	if (readlinkat(fds, number, &first, 1) < 1 || first != '/' ||
	    !varve_file_read(infos, number, SMALL_LIMIT, &info, &size, NULL) ||
	    !may_be_earlier(look->scan, info))
		return;
	meet_link(look, fds, number, FALSE);
}

static void meet_mapping(Look *look, const char *line)
{
	VarveMapLine mapping;
	Earlier *earlier;

	if (!varve_maps_parse_line(line, &mapping))
		return;
	earlier = find_earlier(look->scan, mapping.device);
	if (earlier)
		meet(look, earlier, mapping.inode, mapping.name, mapping.executable);
	g_free(mapping.name);
}

static void look_at_maps(Look *look)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	size_t size;

	if (!varve_file_read(look->dir, "maps", MAPS_LIMIT, &text, &size, &error)) {
		look->denied |= faccessat(look->dir, "maps", R_OK, AT_EACCESS) < 0 &&
				(errno == EACCES || errno == EPERM);
		return;
	}
	for (guint i = 0; i < look->scan->earlier->len; i++) {
		const Earlier *earlier = look->scan->earlier->pdata[i];

		for (char *at = text; (at = strstr(at, earlier->device)); at++) {
			char *line = memrchr(text, '\n', (size_t)(at - text));
			char *end = strchr(at, '\n');

			line = line ? line + 1 : text;
			if (end)
				*end = '\0';
			meet_mapping(look, line);
			if (end)
				*end = '\n';
		}
	}
}

static void look_at_fds(Look *look)
{
	varve_autofd infos = openat(look->dir, "fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(look->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		look->denied |= errno == EACCES || errno == EPERM;
		varve_autofd_close(&fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (*entry->d_name != '.')
			meet_fd(look, dirfd(dir), infos, entry->d_name);
	}
	closedir(dir);
}

/* (caller frees) the file NAME of the process, without a final newline; "" where it has ended. */
static char *read_small(int dir, const char *name)
{
	char *text = NULL;
	size_t size;

	if (!varve_file_read(dir, name, SMALL_LIMIT, &text, &size, NULL))
		return g_strdup("");
	return g_strchomp(text);
}

/* (borrowed, nullable) what the process sees; NULL where it has ended. */
static const VarveSight *sight_of(Scan *scan, int dir)
{
	dev_t root;
	g_autofree char *key = varve_sight_key(dir, &root);
	g_autoptr(GPtrArray) mounts = NULL;
	VarveSight *sight = key ? g_hash_table_lookup(scan->sights, key) : NULL;

	if (!key || sight)
		return sight;
	mounts = varve_sight_mounts(dir, NULL);
	if (!mounts)
		return NULL;
	sight = g_new0(VarveSight, 1);
	varve_sight_judge(scan->past, mounts, scan->host, root, sight);
	g_hash_table_insert(scan->sights, g_steal_pointer(&key), sight);
	return sight;
}

/* Whether the process could come to use a file of @earlier that is old: one of the base, which
 * everybody uses, or of the layer that its own program is from. What other layers bring is not its
 * business. */
static gboolean is_concerned(const Look *look, const Earlier *earlier)
{
	const GPtrArray *lowers = earlier->stack->lowers;
	const VarvePastLayer *base = lowers->len ? lowers->pdata[lowers->len - 1] : NULL;
	const VarvePastLayer *own;
	struct stat st;

	if (base && varve_old_files_of(earlier->files, &base->root))
		return TRUE;
	if (fstatat(look->dir, "exe", &st, 0) < 0 || st.st_dev != earlier->stack->device)
		return FALSE;
	own = varve_past_layer(earlier->stack, st.st_ino, NULL);
	return own && varve_old_files_of(earlier->files, &own->root);
}

static void look_at_namespace(Look *look)
{
	const VarveSight *sight = sight_of(look->scan, look->dir);
	VarveHolder *holder = look->holder;
	const Earlier *earlier;

	if (!sight)
		return;
	earlier = sight->earlier ? find_earlier(look->scan, sight->earlier->device) : NULL;
	holder->generation = sight->stack ? sight->stack->generation : 0;
	holder->follows = sight->follows;
	holder->obstacle = g_strdup(sight->obstacle);
	holder->outdated = earlier && is_concerned(look, earlier);
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const VarveHeldFile *x = *(VarveHeldFile *const *)a, *y = *(VarveHeldFile *const *)b;
	int order = strcmp(x->path, y->path);

	return order ? order : strcmp(x->version, y->version);
}

static void describe(Look *look)
{
	VarveHolder *holder = look->holder;
	g_autofree char *cgroup = read_small(look->dir, "cgroup");

	holder->command = read_small(look->dir, "comm");
	holder->unit = varve_unit_from_cgroup(cgroup);
	if (!holder->unit)
		holder->unit = g_strdup("");
	if (!holder->obstacle)
		holder->obstacle = g_strdup("");
	g_ptr_array_sort(holder->files, by_path);
}

static gboolean has_program(int dir)
{
	char byte;

	/* Threads of the kernel and zombies have none. */
	return readlinkat(dir, "exe", &byte, 1) >= 0 || errno == EACCES || errno == EPERM;
}

/* A process whose first thread has ended goes on in the others: one of those has all that the
 * process has. Returns: an fd, or -1. */
static int open_task(int dir)
{
	g_auto(GStrv) tasks = NULL;
	struct stat st;

	/* A link for itself, its parent and each thread. */
	if (fstatat(dir, "task", &st, 0) < 0 || st.st_nlink < 4 ||
	    !varve_dir_list(dir, "task", &tasks, NULL))
		return -1;
	for (char **task = tasks; *task; task++) {
		g_autofree char *path = g_strconcat("task/", *task, NULL);
		varve_autofd fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && has_program(fd))
			return varve_fd_steal(&fd);
	}
	return -1;
}

static void look_at(Scan *scan, const char *name)
{
	varve_autofd dir = openat(scan->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	Look look = { .scan = scan, .dir = dir };
	varve_autofd task = -1;

	if (dir < 0)
		return;
	if (!has_program(dir)) {
		task = open_task(dir);
		if (task < 0)
			return;
		look.dir = task;
	}
	look.holder = holder_new(atoi(name));
	meet_link(&look, look.dir, "exe", TRUE);
	meet_link(&look, look.dir, "cwd", FALSE);
	meet_link(&look, look.dir, "root", FALSE);
	look_at_maps(&look);
	look_at_fds(&look);
	look_at_namespace(&look);
	describe(&look);
	scan->who->unseen += look.denied;
	if (look.holder->files->len > 0 || !look.holder->follows) {
		g_ptr_array_add(scan->who->holders, look.holder);
		return;
	}
	scan->who->pinning += look.touches;
	holder_free(look.holder);
}

static gboolean scan_open(Scan *scan, const char *proc, VarveWhoFind find, gpointer data,
			  GError **error)
{
	const VarvePast *past = scan->past;
	varve_autofd first = -1;

	scan->who = g_new0(VarveWho, 1);
	scan->who->holders = g_ptr_array_new_with_free_func(holder_free);
	if (past->stacks->len < 2)
		return TRUE;
	scan->earlier = g_ptr_array_new_with_free_func(earlier_free);
	for (guint i = 0; i + 1 < past->stacks->len; i++) {
		Earlier *earlier = g_new0(Earlier, 1);

		earlier->stack = past->stacks->pdata[i];
		earlier->files = varve_old_files_new(earlier->stack, find, data);
		earlier->device = varve_maps_device_text(earlier->stack->device);
		g_ptr_array_add(scan->earlier, earlier);
	}
	scan->sights = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, sight_free);
	scan->proc = varve_dir_open(AT_FDCWD, proc, error);
	first = scan->proc < 0 ? -1 : varve_dir_open(scan->proc, "1", error);
	scan->host = first < 0 ? NULL : varve_sight_mounts(first, error);
	return scan->host != NULL;
}

static gint by_pid(gconstpointer a, gconstpointer b)
{
	return (*(VarveHolder *const *)a)->pid - (*(VarveHolder *const *)b)->pid;
}

static gboolean scan_all(Scan *scan, const char *proc, GError **error)
{
	g_autofree char *self = g_strdup_printf("%d", (int)getpid());
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(scan->proc, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		if (g_ascii_isdigit(**name) && strcmp(*name, self) != 0)
			look_at(scan, *name);
	}
	if (scan->who->unseen > 0 && geteuid() != 0)
		return varve_fail(error, VARVE_ERROR_SYSTEM,
				  "%s: %u processes do not show what they hold; only root sees it",
				  proc, scan->who->unseen);
	for (guint i = 0; i < scan->earlier->len; i++)
		scan->who->stacks += ((const Earlier *)scan->earlier->pdata[i])->held;
	g_ptr_array_sort(scan->who->holders, by_pid);
	return TRUE;
}

VarveWho *varve_who_below(const char *proc, const VarvePast *past, VarveWhoFind find, gpointer data,
			  GError **error)
{
	g_auto(Scan) scan = { .proc = -1, .past = past };

	if (!scan_open(&scan, proc, find, data, error) ||
	    (scan.earlier && !scan_all(&scan, proc, error)))
		return NULL;
	return g_steal_pointer(&scan.who);
}

VarveWho *varve_who(const VarvePast *past, VarveWhoFind find, gpointer data, GError **error)
{
	return varve_who_below("/proc", past, find, data, error);
}

gboolean varve_who_is_pending(const VarveHolder *holder)
{
	for (guint i = 0; i < holder->files->len; i++) {
		const VarveHeldFile *file = holder->files->pdata[i];

		if (file->code)
			return TRUE;
	}
	return holder->outdated;
}

guint varve_who_pending(const VarveWho *who)
{
	guint pending = 0;

	for (guint i = 0; i < who->holders->len; i++)
		pending += varve_who_is_pending(who->holders->pdata[i]);
	return pending;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **varve_who_units(const VarveWho *who)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) units = g_ptr_array_new();

	for (guint i = 0; i < who->holders->len; i++) {
		const VarveHolder *holder = who->holders->pdata[i];

		if (*holder->unit && varve_who_is_pending(holder) &&
		    g_hash_table_add(seen, holder->unit))
			g_ptr_array_add(units, g_strdup(holder->unit));
	}
	g_ptr_array_sort(units, by_name);
	g_ptr_array_add(units, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&units), FALSE);
}
