/* What a swap asks of the service manager: paths in, work out. */
#include "live/factory.h"
#include "live/manager.h"

#include <string.h>
#include <sys/stat.h>

static const VarvePath file = { .mode = S_IFREG | 0644, .size = 5, .target = "", .label = "" };
static const VarvePath other = { .mode = S_IFREG | 0644, .size = 6, .target = "", .label = "" };
static const VarvePath empty = { .mode = S_IFREG | 0644, .target = "", .label = "" };
static const VarvePath alias = { .mode = S_IFLNK | 0777, .target = "x.service", .label = "" };
static const VarvePath mask = { .mode = S_IFLNK | 0777, .target = "/dev/null", .label = "" };

typedef struct {
	const char *path;
	const VarvePath *before, *after;
} Row;

static VarveChanges *changes_of(const Row *rows)
{
	VarveChanges *changes = g_new0(VarveChanges, 1);

	changes->list = g_ptr_array_new_with_free_func(g_free);
	changes->strings = g_string_chunk_new(64);
	for (; rows->path; rows++) {
		VarveMergedChange *change = g_new0(VarveMergedChange, 1);

		change->path = rows->path;
		change->before = rows->before;
		change->after = rows->after;
		g_ptr_array_add(changes->list, change);
	}
	return changes;
}

static void tell(GString *text, const char *what, char *const *list)
{
	g_autofree char *joined = g_strjoinv(" ", (char **)list);

	if (*joined)
		g_string_append_printf(text, "%s%s: %s", text->len ? ", " : "", what, joined);
}

static void tell_flag(GString *text, const char *what, gboolean is)
{
	if (is)
		g_string_append_printf(text, "%s%s", text->len ? ", " : "", what);
}

static char *text_of(const VarveManagerWork *work)
{
	GString *text = g_string_new(NULL);

	tell_flag(text, "reload-manager", work->reload_manager);
	tell_flag(text, "reexec-manager", work->reexec_manager);
	tell_flag(text, "dbus", work->reload_dbus);
	tell_flag(text, "udev", work->reload_udev);
	tell(text, "sysusers", work->sysusers);
	tell(text, "tmpfiles", work->tmpfiles);
	tell(text, "sysctl", work->sysctl);
	tell(text, "modules", work->modules);
	tell(text, "preset", work->preset);
	tell(text, "start", work->start);
	tell(text, "stop", work->stop);
	tell(text, "changed", work->changed);
	tell(text, "restart", work->restart);
	tell(text, "reload", work->reload);
	tell(text, "ask", work->ask);
	for (guint i = 0; i < work->copies->len; i++) {
		const VarveFactoryCopy *copy = work->copies->pdata[i];

		g_string_append_printf(text, "%s%s: %s", text->len ? ", " : "",
				       copy->after.mode ? "update" : "remove", copy->place);
	}
	return g_string_free(text, FALSE);
}

#define UNITS "/usr/lib/systemd/system/"

typedef struct {
	const char *name;
	Row rows[5];
	const char *work;
} Case;

static const Case cases[] = {
	{ "nothing", { { NULL } }, "" },
	{ "a-program", { { "/usr/bin/x", &file, &other } }, "" },
	{ "a-new-unit",
	  { { UNITS "x.service", NULL, &file } },
	  "reload-manager, preset: x.service, start: x.service" },
	{ "a-changed-unit",
	  { { UNITS "x.timer", &file, &other } },
	  "reload-manager, changed: x.timer" },
	{ "a-unit-that-goes",
	  { { UNITS "x@.service", &file, NULL } },
	  "reload-manager, stop: x@.service" },
	{ "a-unit-that-is-masked",
	  { { UNITS "x.service", &file, &mask }, { UNITS "y.service", &file, &empty } },
	  "reload-manager, stop: x.service y.service" },
	{ "a-mask-that-goes",
	  { { UNITS "x.service", &mask, &file }, { UNITS "y.service", &mask, NULL } },
	  "reload-manager, preset: x.service, start: x.service" },
	{ "an-alias",
	  { { UNITS "a.service", NULL, &alias }, { UNITS "b.service", &alias, NULL } },
	  "reload-manager" },
	{ "a-drop-in",
	  { { UNITS "x.service.d/10-a.conf", NULL, &file },
	    { UNITS "service.d/10-a.conf", NULL, &file } },
	  "reload-manager, changed: x.service" },
	{ "a-drop-in-of-a-new-unit",
	  { { UNITS "x.service", NULL, &file }, { UNITS "x.service.d/1.conf", NULL, &file } },
	  "reload-manager, preset: x.service, start: x.service" },
	{ "a-drop-in-that-goes-with-its-unit",
	  { { UNITS "x.service", &file, NULL }, { UNITS "x.service.d/1.conf", &file, NULL } },
	  "reload-manager, stop: x.service" },
	{ "a-unit-that-is-wanted-now",
	  { { UNITS "multi-user.target.wants/x.service", NULL, &alias },
	    { UNITS "y.service.requires/z.socket", NULL, &alias },
	    { UNITS "multi-user.target.wants/gone.service", &alias, NULL } },
	  "reload-manager, start: x.service z.socket" },
	{ "a-unit-that-moves",
	  { { UNITS "x.service", &file, NULL },
	    { "/usr/local/lib/systemd/system/x.service", NULL, &file } },
	  "reload-manager, preset: x.service, start: x.service" },
	{ "no-unit", { { UNITS "README", NULL, &file } }, "reload-manager" },
	{ "the-managers-own",
	  { { "/usr/lib/systemd/systemd", &file, &other },
	    { "/usr/lib/systemd/system-generators/g", NULL, &file } },
	  "reload-manager, reexec-manager" },
	{ "its-library",
	  { { "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-257.so", &file, &other } },
	  "reexec-manager" },
	{ "the-bus", { { "/usr/share/dbus-1/system.d/x.conf", NULL, &file } }, "dbus" },
	{ "udev",
	  { { "/usr/lib/udev/rules.d/50-x.rules", &file, NULL },
	    { "/usr/lib/systemd/network/80-x.network", NULL, &file } },
	  "udev" },
	{ "configuration",
	  { { "/usr/lib/sysusers.d/a.conf", NULL, &file },
	    { "/usr/lib/tmpfiles.d/b.conf", &file, &other },
	    { "/usr/lib/sysctl.d/c.conf", NULL, &file },
	    { "/usr/lib/modules-load.d/d.conf", NULL, &file } },
	  "sysusers: a.conf, tmpfiles: b.conf, sysctl: c.conf, modules: d.conf" },
	{ "configuration-that-goes",
	  { { "/usr/lib/sysusers.d/a.conf", &file, NULL },
	    { "/usr/lib/sysctl.d/README", NULL, &file },
	    { "/usr/lib/tmpfiles.d/b.conf", &file, NULL } },
	  "" },
	{ "copies",
	  { { "/usr/share/factory/etc/a", &file, &other },
	    { "/usr/share/factory/etc/b", &file, NULL },
	    { "/usr/share/factory/etc/new", NULL, &file },
	    { "/usr/share/factory/var/lib/c", &alias, &file } },
	  "update: etc/a, remove: etc/b, update: var/lib/c" },
};

static void test_paths(gconstpointer data)
{
	const Case *c = data;
	g_autoptr(VarveChanges) changes = changes_of(c->rows);
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	g_autoptr(VarveManagerWork) work = varve_manager_plan(changes, none, none);
	g_autofree char *text = text_of(work);

	g_assert_cmpstr(text, ==, c->work);
}

/* A layer of one path; lists of units are words. */
static VarveMounted *layer(guint8 root, const char *path, const char *restart, const char *reload,
			   const char *ask)
{
	VarveMounted *mounted = varve_mounted_new("x.raw");
	VarvePath record = {
		.path = path, .mode = S_IFREG | 0644, .target = "", .label = "", .package = ""
	};
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GBytes) bytes = NULL;
	VarveManifest *manifest = varve_manifest_new();

	g_ptr_array_add(paths, &record);
	bytes = varve_path_table_write(paths, NULL);
	g_assert_nonnull(bytes);
	mounted->paths = varve_path_table_open(bytes, "table", NULL);
	g_assert_nonnull(mounted->paths);
	mounted->manifest = manifest;
	mounted->facts.root.bytes[0] = root;
	g_strfreev(manifest->restart);
	g_strfreev(manifest->reload);
	g_strfreev(manifest->ask);
	manifest->restart = g_strsplit(restart, " ", *restart ? -1 : 0);
	manifest->reload = g_strsplit(reload, " ", *reload ? -1 : 0);
	manifest->ask = g_strsplit(ask, " ", *ask ? -1 : 0);
	g_ptr_array_add(manifest->checks, varve_manifest_check_new("x.service", NULL, root));
	return mounted;
}

static GPtrArray *stack(VarveMounted *first, VarveMounted *second)
{
	GPtrArray *layers = g_ptr_array_new_with_free_func((GDestroyNotify)varve_mounted_free);

	if (first)
		g_ptr_array_add(layers, first);
	if (second)
		g_ptr_array_add(layers, second);
	return layers;
}

static void assert_declared(const Row *rows, const GPtrArray *before, const GPtrArray *after,
			    const char *expected)
{
	g_autoptr(VarveChanges) changes = changes_of(rows);
	g_autoptr(VarveManagerWork) work = varve_manager_plan(changes, before, after);
	g_autofree char *text = text_of(work);

	g_assert_cmpstr(text, ==, expected);
}

static void test_declared(void)
{
	static const Row program[] = { { "/usr/bin/x", &file, &other }, { NULL } };
	static const Row described[] = { { "/usr/share/doc/x", &file, &other }, { NULL } };
	g_autoptr(GPtrArray) old = stack(layer(1, "usr/bin/x", "old.service x.service", "", ""),
					 layer(2, "usr/bin/y", "y.service", "", ""));
	g_autoptr(GPtrArray) new =
		stack(layer(3, "usr/bin/x", "x.service", "old.service r.service", "a.service"),
		      layer(2, "usr/bin/y", "y.service", "", ""));
	g_autoptr(GPtrArray) docs = stack(layer(4, "usr/share/doc/x", "x.service", "", ""), NULL);
	g_autoptr(GPtrArray) asking =
		stack(layer(5, "usr/bin/x", "", "", "x.service old.service"), NULL);
	g_autoptr(GPtrArray) none = stack(NULL, NULL);

	/* The layer that stays says nothing; who restarts wins over who reloads. */
	assert_declared(program, old, new,
			"restart: old.service x.service, reload: r.service, ask: a.service");
	assert_declared(program, none, none, "");
	assert_declared(described, none, docs, "");
	assert_declared(program, old, asking, "ask: x.service old.service");
	/* A layer that goes has had its say. */
	assert_declared(program, old, none, "restart: old.service x.service");
}

/* Also layers that stay say what becomes of a unit that is found to run old code of another. */
static void test_found(void)
{
	static const Row program[] = { { "/usr/bin/x", &file, &other }, { NULL } };
	g_autoptr(VarveChanges) changes = changes_of(program);
	g_autoptr(GPtrArray) old =
		stack(layer(1, "usr/bin/y", "", "r.service x.service", "a.service"),
		      layer(2, "usr/bin/z", "x.service", "a.service", ""));
	g_autoptr(VarveManagerWork) work = varve_manager_plan(changes, old, old);

	g_assert_cmpuint(g_strv_length(work->found_ask), ==, 1);
	g_assert_cmpstr(*work->found_ask, ==, "a.service");
	/* Who restarts wins over who reloads, who asks over both. */
	g_assert_cmpuint(g_strv_length(work->found_reload), ==, 1);
	g_assert_cmpstr(*work->found_reload, ==, "r.service");
	g_assert_null(*work->reload);
}

static void test_a_unit_that_goes_is_not_restarted(void)
{
	static const Row rows[] = { { UNITS "x.service", &file, NULL }, { NULL } };
	g_autoptr(GPtrArray) old =
		stack(layer(1, "usr/lib/systemd/system/x.service", "x.service", "", ""), NULL);
	g_autoptr(GPtrArray) none = stack(NULL, NULL);

	assert_declared(rows, old, none, "reload-manager, stop: x.service");
}

static void test_checks_are_of_all_layers(void)
{
	static const Row rows[] = { { NULL } };
	g_autoptr(VarveChanges) changes = changes_of(rows);
	g_autoptr(GPtrArray) old = stack(layer(1, "usr/bin/x", "", "", ""), NULL);
	g_autoptr(GPtrArray) new =
		stack(layer(2, "usr/bin/y", "", "", ""), layer(3, "usr/bin/z", "", "", ""));
	g_autoptr(VarveManagerWork) work = varve_manager_plan(changes, old, new);

	g_assert_cmpuint(work->checks->len, ==, 2);
	for (guint i = 0; i < work->checks->len; i++) {
		const VarveManifestCheck *check = work->checks->pdata[i];

		g_assert_cmpuint(check->timeout, ==, i + 2);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = g_strdup_printf("/manager-plan/paths/%s", cases[i].name);

		g_test_add_data_func(name, &cases[i], test_paths);
	}
	g_test_add_func("/manager-plan/declared", test_declared);
	g_test_add_func("/manager-plan/found-to-run-old-code", test_found);
	g_test_add_func("/manager-plan/a-unit-that-goes-is-not-restarted",
			test_a_unit_that_goes_is_not_restarted);
	g_test_add_func("/manager-plan/checks-are-of-all-layers", test_checks_are_of_all_layers);
	return g_test_run();
}
