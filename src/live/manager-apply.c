/* What a swap does to services and to what services read: systemctl(1), systemd-sysusers(8),
 * systemd-tmpfiles(8), systemd-sysctl(8), systemd-modules-load(8), udevadm(8). */
#include "live/manager.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "live/factory.h"
#include "live/sysctl-keys.h"
#include "live/well.h"
#include "stack/unit-of.h"

#include <string.h>

/* Longer than systemd gives a unit to stop and to start (90 seconds each). */
#define JOB_TIMEOUT 240
#define TOOL_TIMEOUT 60
#define CONFIGURATION_LIMIT (1024 * 1024)

/* The first thing that goes wrong is told; the rest is done all the same. */
typedef struct {
	GPtrArray *done;
	GError *first;
} Doing;

static void keep(Doing *doing, GError *error)
{
	if (doing->first)
		g_error_free(error);
	else
		doing->first = error;
}

static gboolean finish(Doing *doing, GError **error)
{
	if (!doing->first)
		return TRUE;
	g_propagate_error(error, doing->first);
	return FALSE;
}

static void say(Doing *doing, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(Doing *doing, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(doing->done, g_strdup_vprintf(format, args));
	va_end(args);
}

/* Runs the words of @command, separated by spaces, with @list behind them. */
static gboolean run(Doing *doing, guint timeout, const char *command, const GPtrArray *list)
{
	g_auto(GStrv) words = g_strsplit(command, " ", -1);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	VarveProcess process = { .timeout = timeout };
	GError *error = NULL;

	for (char **word = words; *word; word++)
		g_ptr_array_add(argv, *word);
	for (guint i = 0; list && i < list->len; i++)
		g_ptr_array_add(argv, list->pdata[i]);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	if (varve_process_run(&process, NULL, &error))
		return TRUE;
	keep(doing, error);
	return FALSE;
}

static GPtrArray *borrow(char *const *strings)
{
	GPtrArray *list = g_ptr_array_new();

	for (char *const *string = strings; *string; string++)
		g_ptr_array_add(list, *string);
	return list;
}

/* systemctl VERB UNIT…, and "DONE UNIT" for each. */
static void do_units(Doing *doing, const char *verb, const char *done, const GPtrArray *units)
{
	g_autofree char *command = g_strdup_printf("systemctl %s --", verb);

	if (units->len == 0 || !run(doing, JOB_TIMEOUT, command, units))
		return;
	for (guint i = 0; i < units->len; i++)
		say(doing, "%s %s", done, (const char *)units->pdata[i]);
}

/* That they failed, and how often they were started. What is not loaded any more has nothing to
 * forget. */
static void forget(const GPtrArray *units)
{
	Doing silent = { 0 };

	if (units->len > 0)
		run(&silent, TOOL_TIMEOUT, "systemctl reset-failed --", units);
	g_clear_error(&silent.first);
}

/* One that failed too often in the other stack, or was started so often by swaps, is started all
 * the same: systemd.unit(5), StartLimitBurst=. */
static void start_anew(Doing *doing, const char *verb, const char *done, const GPtrArray *units)
{
	forget(units);
	do_units(doing, verb, done, units);
}

/* How everything is that is loaded, and (nullable) the units of @work that start or reload; NULL
 * where the manager does not answer. */
static VarveUnitStates *read_states(Doing *doing, const VarveManagerBefore *before,
				    const VarveManagerWork *work)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) names = NULL;
	GError *error = NULL;
	VarveUnitStates *states;

	if (work) {
		g_strv_builder_addv(builder, (const char **)work->start);
		g_strv_builder_addv(builder, (const char **)work->reload);
	}
	names = g_strv_builder_end(builder);
	states = varve_unit_states_read((const char *const *)names, before ? before->states : NULL,
					&error);
	if (!states)
		keep(doing, error);
	return states;
}

/* Whether @list names the unit, by one of its names or by its template. */
static gboolean is_among(const VarveUnitState *state, char *const *list)
{
	if (varve_unit_among(state->id, list))
		return TRUE;
	for (char **name = state->names; *name; name++)
		if (varve_unit_among(*name, list))
			return TRUE;
	return FALSE;
}

static gboolean is_running(const VarveUnitState *state)
{
	return varve_unit_is_active(state) || strcmp(state->active, "activating") == 0;
}

/* The ids of units that run and that @list names, in its order. */
static GPtrArray *find_running(const VarveUnitStates *states, char *const *list)
{
	GPtrArray *found = g_ptr_array_new();

	for (char *const *unit = list; *unit; unit++) {
		char *one[] = { *unit, NULL };

		for (guint i = 0; i < states->list->len; i++) {
			const VarveUnitState *state = states->list->pdata[i];

			if (is_running(state) && is_among(state, one) &&
			    !g_ptr_array_find(found, state->id, NULL))
				g_ptr_array_add(found, state->id);
		}
	}
	return found;
}

/* Units that go: while the manager still has their definition. One that /etc defines too stays. */
static void stop_units(Doing *doing, const VarveManagerWork *work, const VarveManagerBefore *before)
{
	g_autoptr(VarveUnitStates) states = NULL;
	g_autoptr(GPtrArray) units = NULL;

	if (!*work->stop)
		return;
	states = read_states(doing, before, NULL);
	if (!states)
		return;
	units = find_running(states, work->stop);
	for (guint i = units->len; i-- > 0;) {
		const VarveUnitState *state = varve_unit_states_find(states, units->pdata[i]);

		if (!g_str_has_prefix(state->fragment, "/usr/"))
			g_ptr_array_remove_index(units, i);
	}
	do_units(doing, "stop", "stopped", units);
}

/* Whether a unit that is not active any more has to be. */
static gboolean is_missed(const VarveManagerBefore *before, const VarveManagerWork *work,
			  const VarveUnitState *state)
{
	const VarveUnitState *was = varve_unit_states_find(before->states, state->id);

	return was && varve_unit_should_run(was) && !is_running(state) &&
	       !is_among(state, work->stop);
}

/* One that goes and could not end well because its programs are gone would stay as failed for good.
 */
static void forget_failures(const VarveManagerWork *work, const VarveUnitStates *states)
{
	g_autoptr(GPtrArray) units = g_ptr_array_new();

	for (guint i = 0; i < states->list->len; i++) {
		const VarveUnitState *state = states->list->pdata[i];

		if (strcmp(state->active, "failed") == 0 && is_among(state, work->stop))
			g_ptr_array_add(units, state->id);
	}
	forget(units);
}

/* One program takes the configuration files of one kind. */
static void do_files(Doing *doing, const char *command, char *const *files, const char *done)
{
	g_autoptr(GPtrArray) list = borrow(files);

	if (list->len == 0 || !run(doing, TOOL_TIMEOUT, command, list))
		return;
	for (guint i = 0; i < list->len; i++)
		say(doing, "%s%s", done, (const char *)list->pdata[i]);
}

static void update_copies(Doing *doing, const VarveManagerWork *work)
{
	varve_autofd root = -1, base = -1;
	GError *error = NULL;

	if (work->copies->len == 0)
		return;
	root = varve_dir_open(AT_FDCWD, "/", &error);
	base = root < 0 ? -1 : varve_dir_open(AT_FDCWD, VARVE_BASE_MOUNT, &error);
	if (base < 0 || !varve_factory_update(root, base, work->copies, doing->done, &error))
		keep(doing, error);
}

/* Not the files themselves: one in /etc that is read later has the last word. So the parameters
 * that they set are set again, from all files there are. */
static void set_parameters(Doing *doing, const VarveManagerWork *work)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	for (char **file = work->sysctl; *file; file++) {
		g_autofree char *path = g_strconcat("/usr/lib/sysctl.d/", *file, NULL);
		g_autoptr(GPtrArray) prefixes = NULL;
		g_autofree char *text = NULL;
		GError *error = NULL;
		gsize size;

		if (!varve_file_read(AT_FDCWD, path, CONFIGURATION_LIMIT, &text, &size, &error)) {
			keep(doing, error);
			continue;
		}
		prefixes = varve_sysctl_prefixes(text);
		for (guint i = 0; i < prefixes->len; i++)
			g_ptr_array_add(list, g_strdup_printf("--prefix=%s",
							      (const char *)prefixes->pdata[i]));
	}
	if (list->len == 0 || !run(doing, TOOL_TIMEOUT, "/usr/lib/systemd/systemd-sysctl", list))
		return;
	for (char **file = work->sysctl; *file; file++)
		say(doing, "set the kernel parameters of sysctl.d/%s", *file);
}

/* What services read, before they do. */
static void prepare(Doing *doing, const VarveManagerWork *work)
{
	do_files(doing, "systemd-sysusers", work->sysusers, "made the accounts of sysusers.d/");
	update_copies(doing, work);
	do_files(doing, "systemd-tmpfiles --create", work->tmpfiles,
		 "placed the files of tmpfiles.d/");
	do_files(doing, "/usr/lib/systemd/systemd-modules-load", work->modules,
		 "loaded the modules of modules-load.d/");
	set_parameters(doing, work);
}

static void reload_manager(Doing *doing, const VarveManagerWork *work)
{
	g_autoptr(GPtrArray) preset = borrow(work->preset);

	/* Only ever to enable: what somebody enabled stays so when a layer goes and comes back. */
	if (preset->len > 0)
		run(doing, TOOL_TIMEOUT,
		    "systemctl preset --quiet --no-reload --preset-mode=enable-only --", preset);
	if (work->reexec_manager) {
		if (run(doing, JOB_TIMEOUT, "systemctl daemon-reexec", NULL))
			say(doing, "re-executed the service manager");
	} else if (work->reload_manager &&
		   run(doing, JOB_TIMEOUT, "systemctl daemon-reload", NULL)) {
		say(doing, "reloaded the service manager");
	}
	if (work->reload_dbus && run(doing, JOB_TIMEOUT, "systemctl reload dbus.service", NULL))
		say(doing, "reloaded the bus's configuration");
	if (work->reload_udev && run(doing, TOOL_TIMEOUT, "udevadm control --reload", NULL))
		say(doing, "reloaded udev's rules");
}

/* Units that can take up what is new without a restart, and those that were thought to. */
static void reload_units(Doing *doing, const VarveManagerWork *work, const VarveUnitStates *states,
			 GPtrArray *restart)
{
	g_autoptr(GPtrArray) reload = find_running(states, work->reload);

	for (guint i = reload->len; i-- > 0;) {
		const VarveUnitState *state = varve_unit_states_find(states, reload->pdata[i]);

		if (!state->can_reload && !g_ptr_array_find(restart, state->id, NULL))
			g_ptr_array_add(restart, state->id);
		if (g_ptr_array_find(restart, state->id, NULL))
			g_ptr_array_remove_index(reload, i);
	}
	do_units(doing, "reload", "reloaded", reload);
}

/* Whether an active unit wants it. */
static gboolean is_wanted(const VarveUnitStates *states, const VarveUnitState *state)
{
	for (char **name = state->wanted_by; *name; name++) {
		const VarveUnitState *who = varve_unit_states_find(states, *name);

		if (who && varve_unit_is_active(who))
			return TRUE;
	}
	return FALSE;
}

static void start_units(Doing *doing, const VarveManagerWork *work,
			const VarveManagerBefore *before, const VarveUnitStates *states)
{
	g_autoptr(GPtrArray) start = g_ptr_array_new();

	for (char **unit = work->start; *unit; unit++) {
		const VarveUnitState *state = varve_unit_states_find(states, *unit);

		if (state && strcmp(state->load, "loaded") == 0 && state->can_start &&
		    !is_running(state) && is_wanted(states, state) &&
		    !g_ptr_array_find(start, state->id, NULL))
			g_ptr_array_add(start, state->id);
	}
	for (guint i = 0; i < states->list->len; i++) {
		const VarveUnitState *state = states->list->pdata[i];

		if (strcmp(state->load, "loaded") == 0 && state->can_start &&
		    is_missed(before, work, state) && !g_ptr_array_find(start, state->id, NULL))
			g_ptr_array_add(start, state->id);
	}
	start_anew(doing, "start", "started", start);
}

static void tell_left(Doing *doing, const VarveManagerWork *work, const VarveUnitStates *states,
		      GPtrArray *restart)
{
	g_autoptr(GPtrArray) ask = find_running(states, work->ask);
	g_autoptr(GPtrArray) changed = find_running(states, work->changed);

	for (guint i = 0; i < ask->len; i++)
		say(doing, "left %s, as its layer says: restart it when that suits",
		    (const char *)ask->pdata[i]);
	for (guint i = 0; i < changed->len; i++)
		if (!g_ptr_array_find(restart, changed->pdata[i], NULL))
			say(doing,
			    "left %s running: its unit file changed, which counts when it is "
			    "restarted",
			    (const char *)changed->pdata[i]);
}

gboolean varve_manager_apply(const VarveManagerWork *work, const VarveManagerBefore *before,
			     GPtrArray *done, GError **error)
{
	g_autoptr(VarveUnitStates) states = NULL;
	g_autoptr(GPtrArray) restart = NULL;
	Doing doing = { .done = done };

	stop_units(&doing, work, before);
	prepare(&doing, work);
	reload_manager(&doing, work);
	states = read_states(&doing, before, work);
	if (!states)
		return finish(&doing, error);
	forget_failures(work, states);
	restart = find_running(states, work->restart);
	reload_units(&doing, work, states, restart);
	start_anew(&doing, "restart", "restarted", restart);
	start_units(&doing, work, before, states);
	tell_left(&doing, work, states, restart);
	return finish(&doing, error);
}

/* Units that were found to run old code */

/* Whom a restart would cut off, or which cannot be restarted from here; NULL where there is no
 * reason. */
static const char *reason_to_leave(const VarveUnitState *state, const char *own)
{
	static const struct {
		const char *pattern, *reason;
	} kept[] = {
		{ "dbus.service", "all of the system's messages go through it" },
		{ "dbus-broker.service", "all of the system's messages go through it" },
		{ "*.scope", "it is somebody's session, or what somebody started" },
		{ "user@*.service", "it is somebody's session" },
		{ "user-runtime-dir@*.service", "it is somebody's session" },
		{ "*getty@*.service", "somebody may be logged in there" },
		{ "console-getty.service", "somebody may be logged in there" },
		{ "varve-*.service", "it holds the layers" },
	};

	if (g_strcmp0(state->id, own) == 0)
		return "this runs in it";
	for (gsize i = 0; i < G_N_ELEMENTS(kept); i++)
		if (g_pattern_match_simple(kept[i].pattern, state->id))
			return kept[i].reason;
	if (!g_str_has_suffix(state->id, ".service"))
		return "it is no service";
	if (state->transient)
		return "it is what somebody started";
	for (char **trigger = state->triggered_by; strchr(state->id, '@') && *trigger; trigger++)
		if (g_str_has_suffix(*trigger, ".socket"))
			return "it is one connection";
	return NULL;
}

static char *own_unit(void)
{
	g_autofree char *text = NULL;
	gsize size;

	/* Not varve_file_read(): proc's files have no size. */
	if (!g_file_get_contents("/proc/self/cgroup", &text, &size, NULL))
		return NULL;
	return varve_unit_from_cgroup(text);
}

static void sort_out(Doing *doing, const VarveManagerWork *work, const VarveUnitState *state,
		     const char *own, GPtrArray *restart, GPtrArray *reload)
{
	const char *reason;

	if (!is_running(state) || is_among(state, work->restart) || is_among(state, work->reload) ||
	    is_among(state, work->stop) || is_among(state, work->ask))
		return;
	reason = is_among(state, work->found_ask)
			 ? "a layer asks that somebody decides when it is restarted"
			 : reason_to_leave(state, own);
	if (reason) {
		say(doing, "left %s, which runs old code: %s", state->id, reason);
		return;
	}
	if (state->can_reload && is_among(state, work->found_reload))
		restart = reload;
	if (!g_ptr_array_find(restart, state->id, NULL))
		g_ptr_array_add(restart, state->id);
}

gboolean varve_manager_restart(const VarveManagerWork *work, const char *const *units,
			       GPtrArray *done, GError **error)
{
	g_autoptr(VarveUnitStates) states = NULL;
	g_autoptr(GPtrArray) restart = g_ptr_array_new(), reload = g_ptr_array_new();
	g_autofree char *own = own_unit();
	Doing doing = { .done = done };

	if (!units || !*units)
		return TRUE;
	if (g_strv_contains(units, "init.scope") && !work->reexec_manager &&
	    run(&doing, JOB_TIMEOUT, "systemctl daemon-reexec", NULL))
		say(&doing, "re-executed the service manager");
	states = read_states(&doing, NULL, NULL);
	for (const char *const *unit = units; states && *unit; unit++) {
		const VarveUnitState *state = varve_unit_states_find(states, *unit);

		if (state && strcmp(state->id, "init.scope") != 0)
			sort_out(&doing, work, state, own, restart, reload);
	}
	do_units(&doing, "reload", "reloaded", reload);
	start_anew(&doing, "restart", "restarted", restart);
	return finish(&doing, error);
}
