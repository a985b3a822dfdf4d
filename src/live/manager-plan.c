/* What a swap asks of the service manager, from the paths that change. The directories are those of
 * systemd.unit(5), sysusers.d(5), tmpfiles.d(5), sysctl.d(5), modules-load.d(5), udev(7) and the
 * D-Bus specification. */
#include "live/manager.h"

#include "base/error.h"
#include "live/factory.h"

#include <string.h>
#include <sys/stat.h>

/* Lists that grow without doubles. */
typedef struct {
	GPtrArray *sysusers, *tmpfiles, *sysctl, *modules;
	GPtrArray *preset, *start, *stop, *changed, *dropped_in;
	GPtrArray *restart, *reload, *ask, *found_ask, *found_reload;
} Lists;

static void add(GPtrArray **list, const char *text)
{
	if (!*list)
		*list = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < (*list)->len; i++)
		if (strcmp((*list)->pdata[i], text) == 0)
			return;
	g_ptr_array_add(*list, g_strdup(text));
}

static gboolean has(const GPtrArray *list, const char *text)
{
	for (guint i = 0; list && i < list->len; i++)
		if (strcmp(list->pdata[i], text) == 0)
			return TRUE;
	return FALSE;
}

/* Takes @list. */
static char **strings(GPtrArray *list)
{
	if (!list)
		return g_new0(char *, 1);
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

/* The rest of @path where it begins with @directory, which ends in a slash. */
static const char *below(const char *path, const char *directory)
{
	return g_str_has_prefix(path, directory) ? path + strlen(directory) : NULL;
}

/* Units */

/* "x.service", "x@.service", "x@1.timer": systemd.unit(5). */
static gboolean is_unit(const char *name)
{
	static const char *const types[] = { ".service", ".socket", ".target", ".timer",
					     ".mount",   ".path",   ".slice",  ".automount",
					     ".swap",    ".scope" };

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_str_has_suffix(name, types[i]) && strlen(name) > strlen(types[i]))
			return TRUE;
	return FALSE;
}

static gboolean is_mask(const VarvePath *path)
{
	return S_ISLNK(path->mode) && strcmp(path->target, "/dev/null") == 0;
}

/* A unit's own file. Another kind of link is an alias: the unit is what it leads to. An empty file
 * masks too. */
static gboolean defines(const VarvePath *path)
{
	return path && S_ISREG(path->mode) && path->size > 0;
}

static gboolean masks(const VarvePath *path)
{
	return path && (is_mask(path) || (S_ISREG(path->mode) && path->size == 0));
}

static void plan_unit(Lists *lists, const VarveMergedChange *change, const char *name)
{
	gboolean was = defines(change->before), is = defines(change->after);

	if (was && is) {
		add(&lists->changed, name);
	} else if (is) {
		add(&lists->preset, name);
		add(&lists->start, name);
	} else if (was && (!change->after || masks(change->after))) {
		add(&lists->stop, name);
	}
}

/* What lies in a directory that belongs to a unit: its drop-ins, or what it wants. */
static void plan_unit_directory(Lists *lists, const VarveMergedChange *change,
				const char *directory, const char *name)
{
	const char *dot = strrchr(directory, '.');
	g_autofree char *unit = dot ? g_strndup(directory, (gsize)(dot - directory)) : NULL;

	if (!unit || strchr(name, '/'))
		return;
	if (strcmp(dot, ".d") == 0 && g_str_has_suffix(name, ".conf") && is_unit(unit))
		add(&lists->dropped_in, unit);
	else if ((strcmp(dot, ".wants") == 0 || strcmp(dot, ".requires") == 0 ||
		  strcmp(dot, ".upholds") == 0) &&
		 is_unit(name) && !change->before && change->after)
		add(&lists->start, name);
}

static gboolean plan_units(Lists *lists, const VarveMergedChange *change)
{
	static const char *const directories[] = { "/usr/lib/systemd/system/",
						   "/usr/local/lib/systemd/system/" };

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		const char *name = below(change->path, directories[i]);
		const char *slash = name ? strchr(name, '/') : NULL;

		if (!name)
			continue;
		if (slash) {
			g_autofree char *directory = g_strndup(name, (gsize)(slash - name));

			plan_unit_directory(lists, change, directory, slash + 1);
		} else if (is_unit(name)) {
			plan_unit(lists, change, name);
		}
		return TRUE;
	}
	return FALSE;
}

/* Everything else */

/* What the manager reads when it reloads, beside units. */
static gboolean is_read_at_reload(const char *path)
{
	static const char *const directories[] = {
		"/usr/lib/systemd/system-generators/",
		"/usr/lib/systemd/system-environment-generators/",
		"/usr/lib/systemd/system.conf",
		"/usr/lib/environment.d/",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++)
		if (below(path, directories[i]))
			return TRUE;
	return FALSE;
}

/* Its own code that no other process tells of; the rest of its libraries is found by who maps them.
 */
static gboolean is_manager(const char *path)
{
	g_autofree char *name = g_path_get_basename(path);

	return strcmp(path, "/usr/lib/systemd/systemd") == 0 ||
	       (below(path, "/usr/lib/") && (g_str_has_prefix(name, "libsystemd-core-") ||
					     g_str_has_prefix(name, "libsystemd-shared-")));
}

static gboolean is_dbus(const char *path)
{
	return below(path, "/usr/share/dbus-1/") || below(path, "/usr/share/factory/etc/dbus-1/");
}

static gboolean is_udev(const char *path)
{
	return below(path, "/usr/lib/udev/rules.d/") ||
	       strcmp(path, "/usr/lib/udev/hwdb.bin") == 0 ||
	       (below(path, "/usr/lib/systemd/network/") && g_str_has_suffix(path, ".link"));
}

/* A file that is gone has nothing to say: what it made stays. */
static void plan_configuration(Lists *lists, const VarveMergedChange *change)
{
	const struct {
		const char *directory;
		GPtrArray **list;
	} places[] = {
		{ "/usr/lib/sysusers.d/", &lists->sysusers },
		{ "/usr/lib/tmpfiles.d/", &lists->tmpfiles },
		{ "/usr/lib/sysctl.d/", &lists->sysctl },
		{ "/usr/lib/modules-load.d/", &lists->modules },
	};

	for (gsize i = 0; change->after && i < G_N_ELEMENTS(places); i++) {
		const char *name = below(change->path, places[i].directory);

		if (name && !strchr(name, '/') && g_str_has_suffix(name, ".conf"))
			add(places[i].list, name);
	}
}

/* What layers declare */

static const VarveDigest *root_of(const VarveMounted *layer)
{
	return layer->layer ? varve_layer_root(layer->layer) : &layer->facts.root;
}

static gboolean contains(const GPtrArray *layers, const VarveMounted *layer)
{
	for (guint i = 0; i < layers->len; i++)
		if (varve_digest_equal(root_of(layers->pdata[i]), root_of(layer)))
			return TRUE;
	return FALSE;
}

/* What only describes the layer, or is read by people. */
static gboolean is_description(const char *path)
{
	static const char *const directories[] = { "/usr/lib/extension-release.d/",
						   "/usr/lib/varve/layers/", "/usr/share/doc/",
						   "/usr/share/man/", "/usr/share/os-manifests/" };

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++)
		if (below(path, directories[i]))
			return TRUE;
	return FALSE;
}

/* Whether one of @changes is of a path that @layer has. A table that cannot be read is none of a
 * layer to keep quiet about. */
static gboolean is_touched(const VarveMounted *layer, const VarveChanges *changes)
{
	for (guint i = 0; i < changes->list->len; i++) {
		const VarveMergedChange *change = changes->list->pdata[i];
		g_autoptr(GError) error = NULL;
		gsize index;

		if (is_description(change->path))
			continue;
		if (varve_path_table_find(layer->paths, change->path + 1, &index, &error) ||
		    !g_error_matches(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			return TRUE;
	}
	return FALSE;
}

static void add_all(GPtrArray **list, char *const *units, const GPtrArray *stronger,
		    const GPtrArray *strongest)
{
	for (char *const *unit = units; *unit; unit++)
		if (!has(stronger, *unit) && !has(strongest, *unit))
			add(list, *unit);
}

/* The manifests of the layers that are in one of the stacks only. */
static GPtrArray *find_declaring(const VarveChanges *changes, const GPtrArray *before,
				 const GPtrArray *after)
{
	GPtrArray *manifests = g_ptr_array_new();

	for (guint i = 0; i < before->len; i++) {
		const VarveMounted *layer = before->pdata[i];

		if (!contains(after, layer) && is_touched(layer, changes))
			g_ptr_array_add(manifests, layer->manifest);
	}
	for (guint i = 0; i < after->len; i++) {
		const VarveMounted *layer = after->pdata[i];

		if (!contains(before, layer) && is_touched(layer, changes))
			g_ptr_array_add(manifests, layer->manifest);
	}
	return manifests;
}

static void plan_declared(Lists *lists, const GPtrArray *manifests)
{
	for (guint i = 0; i < manifests->len; i++) {
		const VarveManifest *manifest = manifests->pdata[i];

		add_all(&lists->ask, manifest->ask, lists->stop, NULL);
	}
	for (guint i = 0; i < manifests->len; i++) {
		const VarveManifest *manifest = manifests->pdata[i];

		add_all(&lists->restart, manifest->restart, lists->stop, lists->ask);
	}
	for (guint i = 0; i < manifests->len; i++) {
		const VarveManifest *manifest = manifests->pdata[i];

		for (char **unit = manifest->reload; *unit; unit++)
			if (!has(lists->restart, *unit) && !has(lists->stop, *unit) &&
			    !has(lists->ask, *unit))
				add(&lists->reload, *unit);
	}
}

/* A unit may run old code of a layer that knows nothing of it. */
static void plan_found(Lists *lists, const GPtrArray *after)
{
	g_autoptr(GPtrArray) restart = NULL;

	for (guint i = 0; i < after->len; i++) {
		const VarveMounted *layer = after->pdata[i];

		add_all(&lists->found_ask, layer->manifest->ask, NULL, NULL);
		add_all(&restart, layer->manifest->restart, NULL, NULL);
	}
	for (guint i = 0; i < after->len; i++) {
		const VarveMounted *layer = after->pdata[i];

		add_all(&lists->found_reload, layer->manifest->reload, lists->found_ask, restart);
	}
}

static void plan_checks(VarveManagerWork *work, const GPtrArray *after)
{
	for (guint i = 0; i < after->len; i++) {
		const VarveMounted *layer = after->pdata[i];
		const GPtrArray *checks = layer->manifest->checks;

		for (guint j = 0; j < checks->len; j++) {
			const VarveManifestCheck *check = checks->pdata[j];

			g_ptr_array_add(work->checks,
					varve_manifest_check_new(
						check->unit, (const char *const *)check->command,
						check->timeout));
		}
	}
}

/* A unit is not both gone and there: its file moved between the directories. */
static void settle(Lists *lists)
{
	for (guint i = lists->stop ? lists->stop->len : 0; i-- > 0;)
		if (has(lists->preset, lists->stop->pdata[i]) ||
		    has(lists->changed, lists->stop->pdata[i]))
			g_ptr_array_remove_index(lists->stop, i);
	for (guint i = 0; lists->dropped_in && i < lists->dropped_in->len; i++) {
		const char *unit = lists->dropped_in->pdata[i];

		if (!has(lists->stop, unit) && !has(lists->preset, unit))
			add(&lists->changed, unit);
	}
	g_clear_pointer(&lists->dropped_in, g_ptr_array_unref);
}

VarveManagerWork *varve_manager_plan(const VarveChanges *changes, const GPtrArray *before,
				     const GPtrArray *after)
{
	VarveManagerWork *work = g_new0(VarveManagerWork, 1);
	g_autoptr(GPtrArray) declaring = find_declaring(changes, before, after);
	Lists lists = { 0 };

	work->copies = g_ptr_array_new_with_free_func((GDestroyNotify)varve_factory_copy_free);
	work->checks = g_ptr_array_new_with_free_func((GDestroyNotify)varve_manifest_check_free);
	for (guint i = 0; i < changes->list->len; i++) {
		const VarveMergedChange *change = changes->list->pdata[i];
		VarveFactoryCopy *copy = varve_factory_copy_of(change);

		if (copy)
			g_ptr_array_add(work->copies, copy);
		work->reload_manager |=
			plan_units(&lists, change) || is_read_at_reload(change->path);
		work->reexec_manager |= is_manager(change->path);
		work->reload_dbus |= is_dbus(change->path);
		work->reload_udev |= is_udev(change->path);
		plan_configuration(&lists, change);
	}
	settle(&lists);
	plan_declared(&lists, declaring);
	plan_found(&lists, after);
	plan_checks(work, after);
	work->sysusers = strings(lists.sysusers);
	work->tmpfiles = strings(lists.tmpfiles);
	work->sysctl = strings(lists.sysctl);
	work->modules = strings(lists.modules);
	work->preset = strings(lists.preset);
	work->start = strings(lists.start);
	work->stop = strings(lists.stop);
	work->changed = strings(lists.changed);
	work->restart = strings(lists.restart);
	work->reload = strings(lists.reload);
	work->ask = strings(lists.ask);
	work->found_ask = strings(lists.found_ask);
	work->found_reload = strings(lists.found_reload);
	return work;
}

void varve_manager_work_free(VarveManagerWork *work)
{
	if (!work)
		return;
	g_ptr_array_unref(work->copies);
	g_ptr_array_unref(work->checks);
	g_strfreev(work->sysusers);
	g_strfreev(work->tmpfiles);
	g_strfreev(work->sysctl);
	g_strfreev(work->modules);
	g_strfreev(work->preset);
	g_strfreev(work->start);
	g_strfreev(work->stop);
	g_strfreev(work->changed);
	g_strfreev(work->restart);
	g_strfreev(work->reload);
	g_strfreev(work->ask);
	g_strfreev(work->found_ask);
	g_strfreev(work->found_reload);
	g_free(work);
}
