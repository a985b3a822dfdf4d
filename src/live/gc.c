/* Deciding what goes, and removing it. */
#include "live/gc.h"

#include "base/error.h"
#include "base/file.h"
#include "format/version.h"
#include "ground/block.h"
#include "live/commit.h"
#include "stack/node-floors.h"
#include "stack/node.h"
#include "stack/select.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NUMBER(pointer) GPOINTER_TO_UINT(pointer)

typedef struct {
	const VarveGcNode *node;
	VarveDigest base;
	GPtrArray *records; /* VarveGeneration *, oldest first */
	GHashTable *kept;   /* numbers */
	GHashTable *needed; /* names of files */
	gboolean dry_run;
	VarveGc *gc;
} Collector;

static void collector_clear(Collector *collector)
{
	g_clear_pointer(&collector->records, g_ptr_array_unref);
	g_clear_pointer(&collector->kept, g_hash_table_unref);
	g_clear_pointer(&collector->needed, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Collector, collector_clear)

void varve_gc_clear(VarveGc *gc)
{
	g_clear_pointer(&gc->generations, g_ptr_array_unref);
	g_clear_pointer(&gc->files, g_ptr_array_unref);
	g_clear_pointer(&gc->unknown, g_ptr_array_unref);
}

/* Whether a slot of this machine holds @base: if that cannot be told it does. */
static gboolean is_installed(const VarveDigest *base)
{
	g_autofree char *hex = varve_digest_dup_hex(base);
	char uuid[37], device[VARVE_DEVICE_PATH_SIZE];

	return varve_uuid_from_hash(hex, 0, uuid) < 0 || varve_block_find(uuid, device) != 0;
}

static void keep(Collector *c, const VarveGeneration *generation)
{
	g_hash_table_add(c->kept, GUINT_TO_POINTER(generation->number));
	for (guint i = 0; !*generation->outcome && i < generation->layers->len; i++) {
		const VarveGenerationLayer *layer = generation->layers->pdata[i];

		g_hash_table_add(c->needed, g_strdup(layer->file));
	}
}

static gboolean is_linked(const Collector *c, const VarveGeneration *generation)
{
	static const char *const links[] = { "current", "good" };

	for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
		g_autoptr(VarveGeneration) linked = varve_generation_linked(
			c->node->dirs->generations, links[i], &generation->base, NULL);

		if (linked && linked->number == generation->number)
			return TRUE;
	}
	return FALSE;
}

static void keep_generations(Collector *c, guint newest)
{
	for (guint i = c->records->len; i-- > 0;) {
		const VarveGeneration *generation = c->records->pdata[i];
		gboolean ours = varve_digest_equal(&generation->base, &c->base);

		if (!ours && !c->node->is_installed(&generation->base))
			continue;
		if (ours && *generation->outcome) {
			keep(c, generation);
		} else if (ours && newest > 0) {
			newest--;
			keep(c, generation);
		} else if (is_linked(c, generation)) {
			keep(c, generation);
		}
	}
}

static void need_running(Collector *c)
{
	for (guint i = 0; i < c->node->running->layers->len; i++) {
		const VarveReportLayer *layer = c->node->running->layers->pdata[i];

		if (layer->accepted)
			g_hash_table_add(c->needed, g_strdup(layer->file));
	}
}

/* Files behind loop devices, whoever made those. */
static char **find_open(void)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new();
	g_auto(GStrv) names = NULL;

	for (char **name = varve_dir_list(AT_FDCWD, "/sys/block", &names, NULL) ? names : NULL;
	     name && *name; name++) {
		g_autofree char *path = g_strdup_printf("/sys/block/%s/loop/backing_file", *name);
		g_autofree char *text = NULL;
		size_t size;

		if (g_str_has_prefix(*name, "loop") &&
		    varve_file_read(AT_FDCWD, path, 8192, &text, &size, NULL))
			g_ptr_array_add(files, g_path_get_basename(g_strchomp(text)));
	}
	g_ptr_array_add(files, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&files), FALSE);
}

/* Where the directory decides, the newest of each name is next. */
static void need_chosen(Collector *c, char *const *files)
{
	g_autoptr(GHashTable) newest = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer file;

	if (strcmp(c->node->running->selection, varve_selection_name(VARVE_SELECTION_DIRECTORY)) !=
	    0)
		return;
	for (char *const *at = files; *at; at++) {
		g_autofree char *name = NULL, *version = NULL, *other = NULL, *best = NULL;
		const char *before;

		if (!varve_select_split_name(*at, &name, &version))
			continue;
		before = g_hash_table_lookup(newest, name);
		if (before && varve_select_split_name(before, &other, &best) &&
		    varve_version_compare(best, version) >= 0)
			continue;
		g_hash_table_replace(newest, g_steal_pointer(&name), *at);
	}
	g_hash_table_iter_init(&iter, newest);
	while (g_hash_table_iter_next(&iter, NULL, &file))
		g_hash_table_add(c->needed, g_strdup(file));
}

/* Whether a generation had @file, kept or not. */
static gboolean was_merged(const Collector *c, const char *file)
{
	for (guint i = 0; i < c->records->len; i++) {
		const VarveGeneration *generation = c->records->pdata[i];

		for (guint j = 0; j < generation->layers->len; j++) {
			const VarveGenerationLayer *layer = generation->layers->pdata[j];

			if (strcmp(layer->file, file) == 0)
				return TRUE;
		}
	}
	return FALSE;
}

/* Of a file that was being written, and of a link that was being set. */
static gboolean is_leftover(const char *file)
{
	return file[0] == '.' &&
	       (g_str_has_suffix(file, ".partial") || g_str_has_suffix(file, ".new"));
}

static gboolean remove_file(Collector *c, const char *file, GError **error)
{
	struct stat st;

	if (fstatat(c->node->dirs->layers, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || varve_fail_errno(error, errno, "'%s'", file);
	c->gc->bytes += (guint64)st.st_blocks * 512;
	g_ptr_array_add(c->gc->files, g_strdup(file));
	if (c->dry_run || unlinkat(c->node->dirs->layers, file, 0) == 0)
		return TRUE;
	return varve_fail_errno(error, errno, "'%s' cannot be removed", file);
}

static gboolean remove_files(Collector *c, char *const *files, GError **error)
{
	for (char *const *file = files; *file; file++) {
		if (!is_leftover(*file) && !g_str_has_suffix(*file, ".raw"))
			continue;
		if (g_hash_table_contains(c->needed, *file))
			continue;
		if (!is_leftover(*file) && !was_merged(c, *file))
			g_ptr_array_add(c->gc->unknown, g_strdup(*file));
		else if (!remove_file(c, *file, error))
			return FALSE;
	}
	return c->dry_run || fsync(c->node->dirs->layers) == 0 ||
	       varve_fail_errno(error, errno, "/" VARVE_CANDIDATES_DIR);
}

/* Of a base that is on no disk any more everything goes. */
static gboolean remove_links(Collector *c, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(c->node->dirs->generations, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *hex = g_strndup(*name, VARVE_DIGEST_HEX_SIZE - 1);
		VarveDigest base;

		if (!is_leftover(*name) &&
		    ((*name)[strlen(hex)] != '.' || !varve_digest_from_hex(hex, &base) ||
		     varve_digest_equal(&base, &c->base) || c->node->is_installed(&base)))
			continue;
		if (!c->dry_run && unlinkat(c->node->dirs->generations, *name, 0) < 0)
			return varve_fail_errno(error, errno, "'%s' cannot be removed", *name);
	}
	return TRUE;
}

static gboolean remove_records(Collector *c, GError **error)
{
	for (guint i = 0; i < c->records->len; i++) {
		const VarveGeneration *generation = c->records->pdata[i];
		gpointer number = GUINT_TO_POINTER(generation->number);

		if (g_hash_table_contains(c->kept, number))
			continue;
		g_ptr_array_add(c->gc->generations, number);
		if (!c->dry_run &&
		    !varve_generation_remove(c->node->dirs->generations, generation->number, error))
			return FALSE;
	}
	return TRUE;
}

/* Which files it needs is not known, and they may be those of the good one. */
static gboolean fail_unreadable(guint unreadable, GError **error)
{
	return varve_fail(
		error, VARVE_ERROR_CORRUPT,
		"%u record%s in /" VARVE_GENERATIONS_DIR
		" cannot be read, so that nobody knows which files are needed: nothing "
		"is removed. 'varvectl history' shows those that can; move the others away",
		unreadable, unreadable == 1 ? "" : "s");
}

static gboolean collect(Collector *c, guint newest, GError **error)
{
	g_auto(GStrv) files = NULL;
	guint unreadable;

	if (!varve_digest_from_hex(c->node->running->base->root, &c->base))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  VARVE_REPORT_FILE ": '%s' is no root hash",
				  c->node->running->base->root);
	c->records = varve_generation_list(c->node->dirs->generations, &unreadable, error);
	if (!c->records || !varve_dir_list(c->node->dirs->layers, ".", &files, error))
		return FALSE;
	if (unreadable > 0)
		return fail_unreadable(unreadable, error);
	keep_generations(c, newest);
	need_running(c);
	for (const char *const *file = c->node->open; *file; file++)
		g_hash_table_add(c->needed, g_strdup(*file));
	need_chosen(c, files);
	return remove_files(c, files, error) && remove_records(c, error) && remove_links(c, error);
}

gboolean varve_gc_node(const VarveGcNode *node, guint keep, gboolean dry_run, VarveGc *ret,
		       GError **error)
{
	g_auto(VarveGc) gc = { g_ptr_array_new(), g_ptr_array_new_with_free_func(g_free),
			       g_ptr_array_new_with_free_func(g_free), 0 };
	g_auto(Collector) c = { .node = node, .dry_run = dry_run, .gc = &gc };

	c.kept = g_hash_table_new(NULL, NULL);
	c.needed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!collect(&c, keep, error))
		return FALSE;
	*ret = gc;
	gc = (VarveGc){ 0 };
	return TRUE;
}

gboolean varve_gc(guint keep, gboolean dry_run, VarveGc *ret, GError **error)
{
	varve_autofd lock = varve_lock(VARVE_NODE_LOCK, TRUE, error);
	g_auto(VarveStateDirs) dirs = { -1, -1, -1 };
	g_autoptr(VarveReport) running = NULL;
	g_auto(GStrv) open = NULL;

	if (lock < 0)
		return FALSE;
	running = varve_node_report(error);
	if (!running || !varve_state_dirs_open(&dirs, error) ||
	    (!dry_run && !varve_commit_recover(&running, &dirs, NULL, error)))
		return FALSE;
	open = find_open();
	return varve_gc_node(&(VarveGcNode){ .running = running,
					     .dirs = &dirs,
					     .open = (const char *const *)open,
					     .is_installed = is_installed },
			     keep, dry_run, ret, error);
}
