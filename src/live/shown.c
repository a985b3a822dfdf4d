/* Path tables and manifests of the running stack. */
#include "live/shown.h"

#include "base/error.h"
#include "base/file.h"
#include "device/verity-device.h"
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

/* (borrowed, nullable) the topmost layer that has @unit among what @list gives of a manifest. */
static const char *find_declaring(const VarveShown *shown, char **(*list)(const VarveManifest *),
				  const char *unit)
{
	for (guint i = shown->layers->len; i-- > 0;) {
		const VarveMounted *layer = shown->layers->pdata[i];
		char **units = list(layer->manifest);

		if (units && g_strv_contains((const char *const *)units, unit))
			return layer->manifest->name;
	}
	return NULL;
}

static char **asked(const VarveManifest *manifest)
{
	return manifest->ask;
}

static char **restarted(const VarveManifest *manifest)
{
	return manifest->restart;
}

static char **reloaded(const VarveManifest *manifest)
{
	return manifest->reload;
}

const char *varve_shown_declared(const VarveShown *shown, const char *unit, const char **ret_layer)
{
	static const struct {
		const char *what;
		char **(*list)(const VarveManifest *);
	} all[] = { { "ask", asked }, { "restart", restarted }, { "reload", reloaded } };

	for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
		const char *layer = find_declaring(shown, all[i].list, unit);

		if (!layer)
			continue;
		*ret_layer = layer;
		return all[i].what;
	}
	return "";
}

/* As it is now: without a stack whose swap is not committed, and those that nobody can hold. */
static VarvePast *load_past(const VarveReport *running, GError **error)
{
	g_auto(GStrv) devices = varve_verity_device_list("varve-", NULL);
	g_autoptr(VarvePast) past = varve_past_load(error);

	if (!past)
		return NULL;
	if (past->stacks->len > 0 && (guint64)varve_past_running(past)->device != running->usr)
		g_ptr_array_set_size(past->stacks, (gint)past->stacks->len - 1);
	if (devices)
		varve_past_forget(past, (const char *const *)devices);
	return g_steal_pointer(&past);
}

gboolean varve_shown_who(const VarveReport *running, VarveShown **ret_shown, VarveWho **ret_who,
			 GError **error)
{
	g_autoptr(VarvePast) past = load_past(running, error);
	g_autoptr(VarveShown) shown = NULL;
	g_autoptr(VarveWho) who = NULL;

	if (!past)
		return FALSE;
	if (ret_shown || past->stacks->len > 1) {
		shown = varve_shown_open(running, error);
		if (!shown)
			return FALSE;
	}
	who = varve_who(past, varve_shown_find, shown, error);
	if (!who)
		return FALSE;
	*ret_who = g_steal_pointer(&who);
	if (ret_shown)
		*ret_shown = g_steal_pointer(&shown);
	return TRUE;
}
