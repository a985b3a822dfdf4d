/* Path tables and manifests of the running stack. */
#include "live/shown.h"

#include "base/error.h"
#include "base/file.h"
#include "stack/stack.h"

struct VarveShown {
	GPtrArray *layers; /* VarveMounted *: lowest first, the base is 0 */
};

static gboolean add(VarveShown *shown, const char *where, GError **error)
{
	VarveMounted *mounted = varve_mounted_new("");

	g_ptr_array_add(shown->layers, mounted);
	mounted->fd = varve_dir_open(AT_FDCWD, where, error);
	if (mounted->fd >= 0 && varve_mounted_read(mounted, error))
		return TRUE;
	g_prefix_error(error, "what the running stack has cannot be asked: %s: ", where);
	return FALSE;
}

VarveShown *varve_shown_open(const VarveReport *running, GError **error)
{
	g_autoptr(VarveShown) shown = g_new0(VarveShown, 1);

	shown->layers = g_ptr_array_new_with_free_func((GDestroyNotify)varve_mounted_free);
	if (!add(shown, VARVE_BASE_MOUNT, error))
		return NULL;
	for (guint i = 0; i < running->layers->len; i++) {
		const VarveReportLayer *layer = running->layers->pdata[i];
		g_autofree char *where = g_strconcat(VARVE_LAYER_MOUNTS "/", layer->root, NULL);

		if (layer->accepted && !add(shown, where, error))
			return NULL;
	}
	return g_steal_pointer(&shown);
}

void varve_shown_free(VarveShown *shown)
{
	if (!shown)
		return;
	g_ptr_array_unref(shown->layers);
	g_free(shown);
}

/* (borrowed, nullable) the topmost layer with @path. */
static const VarveMounted *find(const VarveShown *shown, const char *path, VarvePath *ret)
{
	for (guint i = shown->layers->len; i-- > 0;) {
		const VarveMounted *layer = shown->layers->pdata[i];
		gsize index;

		if (varve_path_table_find(layer->paths, path + (*path == '/'), &index, NULL))
			return varve_path_table_get(layer->paths, index, ret, NULL) ? layer : NULL;
	}
	return NULL;
}

gboolean varve_shown_find(const char *path, VarveDigest *ret, gpointer shown)
{
	VarvePath found;

	if (!find(shown, path, &found))
		return FALSE;
	*ret = found.digest;
	return TRUE;
}

const VarveManifest *varve_shown_layer(const VarveShown *shown, const char *path)
{
	VarvePath found;
	const VarveMounted *layer = find(shown, path, &found);

	return layer ? layer->manifest : NULL;
}

static gboolean names(char *const *units, const char *unit)
{
	return units && g_strv_contains((const char *const *)units, unit);
}

VarveShownDeclared varve_shown_declared(const VarveShown *shown, const char *unit,
					const char **ret_layer)
{
	for (guint i = shown->layers->len; i-- > 0;) {
		const VarveManifest *manifest =
			((const VarveMounted *)shown->layers->pdata[i])->manifest;

		if (!names(manifest->restart, unit))
			continue;
		*ret_layer = manifest->name;
		return VARVE_SHOWN_RESTART;
	}
	return VARVE_SHOWN_UNDECLARED;
}
