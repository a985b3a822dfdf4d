/* What somebody mounted over the running stack. */
#include "stack/overmount.h"

#include "base/error.h"
#include "base/file.h"
#include "format/mountinfo.h"

#include <string.h>

const char *varve_overmount_next(const VarveOvermount *overmount)
{
	return *overmount->type ? "find out who mounted it; what lies below it is as it was signed"
				: "start the node again";
}

void varve_overmount_free(VarveOvermount *overmount)
{
	if (!overmount)
		return;
	g_free(overmount->path);
	g_free(overmount->type);
	g_free(overmount->source);
	g_free(overmount->sentence);
	g_free(overmount);
}

/* @mount: NULL where something is missing. Takes @sentence. */
static void add(GPtrArray *list, const char *path, const VarveMount *mount, char *sentence)
{
	VarveOvermount *overmount = g_new0(VarveOvermount, 1);

	overmount->path = g_strdup(path);
	overmount->type = g_strdup(mount ? mount->type : "");
	overmount->source = g_strdup(mount ? mount->source : "");
	overmount->sentence = sentence;
	g_ptr_array_add(list, overmount);
}

static void add_foreign(GPtrArray *list, const VarveMount *mount)
{
	add(list, mount->point, mount,
	    g_strdup_printf("something is mounted over %s: %s of %s", mount->point, mount->type,
			    *mount->source ? mount->source : "nothing"));
}

/* "lowerdir+=…" of all that the report says was merged, topmost first, the base last. */
static char *expected_lowers(const VarveReport *boot)
{
	GString *text = g_string_new(NULL);

	for (guint i = boot->layers->len; i-- > 0;) {
		const VarveReportLayer *layer = boot->layers->pdata[i];

		if (layer->accepted)
			g_string_append_printf(text, "lowerdir+=" VARVE_LAYER_MOUNTS "/%s/usr,",
					       layer->root);
	}
	g_string_append(text, "lowerdir+=" VARVE_BASE_MOUNT "/usr,");
	return g_string_free(text, FALSE);
}

static gboolean is_merged_usr(const VarveMount *mount, const char *lowers)
{
	const char *first = strstr(mount->super, "lowerdir+=");

	/* Where there is no layer an empty directory lies below the base. */
	return strcmp(mount->type, "overlay") == 0 && strcmp(mount->source, "varve") == 0 &&
	       first && g_str_has_prefix(first, lowers) && !strstr(mount->super, "upperdir=");
}

/* Whether @path lies below @dir. */
static gboolean is_below(const char *path, const char *dir)
{
	return g_str_has_prefix(path, dir) && path[strlen(dir)] == '/';
}

/* Whether @point is the mount of a layer of the stack. */
static gboolean is_layer_mount(const VarveReport *boot, const char *point)
{
	if (!is_below(point, VARVE_LAYER_MOUNTS))
		return FALSE;
	for (guint i = 0; i < boot->layers->len; i++) {
		const VarveReportLayer *layer = boot->layers->pdata[i];

		if (layer->accepted &&
		    strcmp(point + strlen(VARVE_LAYER_MOUNTS "/"), layer->root) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean is_ours(const VarveReport *boot, const VarveMount *mount, const char *lowers)
{
	if (strcmp(mount->point, "/usr") == 0)
		return is_merged_usr(mount, lowers);
	/* Mounts of the whole filesystem: a bind of a part of one would have another root. */
	return strcmp(mount->type, "erofs") == 0 && strcmp(mount->root, "/") == 0 &&
	       (strcmp(mount->point, "/") == 0 || strcmp(mount->point, VARVE_BASE_MOUNT) == 0 ||
		is_layer_mount(boot, mount->point));
}

static gboolean matters(const char *point)
{
	return strcmp(point, "/") == 0 || strcmp(point, "/usr") == 0 || is_below(point, "/usr") ||
	       strcmp(point, VARVE_BASE_MOUNT) == 0 || is_below(point, VARVE_BASE_MOUNT) ||
	       is_below(point, VARVE_LAYER_MOUNTS);
}

GPtrArray *varve_overmounts_find(const VarveReport *boot, const char *mountinfo, GError **error)
{
	g_autoptr(GPtrArray) mounts = varve_mountinfo_parse(mountinfo, error);
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_overmount_free);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autofree char *lowers = expected_lowers(boot);

	if (!mounts)
		return NULL;
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];

		if (!matters(mount->point))
			continue;
		/* Also one more of ours: it hides what was mounted below the first. */
		if (!is_ours(boot, mount, lowers) || !g_hash_table_add(seen, mount->point))
			add_foreign(list, mount);
	}
	if (!g_hash_table_contains(seen, "/usr"))
		add(list, "/usr", NULL,
		    g_strdup("the merged /usr is not mounted any more: the base's alone is used"));
	return g_steal_pointer(&list);
}

GPtrArray *varve_node_overmounts(const VarveReport *boot, GError **error)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents("/proc/1/mountinfo", &text, NULL, NULL) &&
	    !g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL)) {
		varve_fail(error, VARVE_ERROR_SYSTEM, "/proc/self/mountinfo cannot be read");
		return NULL;
	}
	return varve_overmounts_find(boot, text, error);
}
