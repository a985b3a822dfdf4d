/* Health after a swap: units are as they were, and what layers want checked holds. systemctl(1),
 * systemd-run(1), journalctl(1). */
#include "live/manager.h"

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "live/unit-states.h"
#include "live/well.h"

#include <string.h>
#include <unistd.h>

#define PAUSE (G_USEC_PER_SEC / 2)
/* How long it has to hold: a service that cannot run mostly ends at once. */
#define HOLD (3 * G_USEC_PER_SEC)
#define JOURNAL_TIMEOUT 10
#define REASON_LIMIT 300

/* The units of checks are asked for by name: one that is not loaded is inactive. */
static VarveUnitStates *look(const GPtrArray *checks, const VarveUnitStates *before, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint i = 0; checks && i < checks->len; i++) {
		const VarveManifestCheck *check = checks->pdata[i];

		if (*check->unit)
			g_ptr_array_add(names, check->unit);
	}
	g_ptr_array_add(names, NULL);
	return varve_unit_states_read((const char *const *)names->pdata, before, error);
}

VarveManagerBefore *varve_manager_look(GError **error)
{
	VarveUnitStates *states = look(NULL, NULL, error);
	VarveManagerBefore *before;

	if (!states)
		return NULL;
	before = g_new0(VarveManagerBefore, 1);
	before->states = states;
	return before;
}

void varve_manager_before_free(VarveManagerBefore *before)
{
	if (!before)
		return;
	varve_unit_states_free(before->states);
	g_free(before);
}

/* (caller frees) the last line of @text that says something, for people; "" where none does. */
static char *last_line(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (guint i = g_strv_length(lines); i-- > 0;) {
		g_autofree char *line = varve_text_line(g_strstrip(lines[i]));

		if (*line)
			return g_strndup(line, REASON_LIMIT);
	}
	return g_strdup("");
}

/* (caller frees) what the unit last wrote to the journal; "" where that cannot be known. */
static char *last_words(const char *unit)
{
	/* Not --unit: that is also what the manager says of it. */
	g_autofree char *match = g_strconcat("_SYSTEMD_UNIT=", unit, NULL);
	const char *argv[] = { "journalctl",   "--quiet", "--boot", "--lines=1",
			       "--output=cat", match,     NULL };
	const VarveProcess process = { .argv = argv, .timeout = JOURNAL_TIMEOUT };
	g_autofree char *output = NULL;

	if (!varve_process_run(&process, &output, NULL))
		return g_strdup("");
	return last_line(output);
}

/* Adds to @error what the unit that it is about last said. */
static void add_last_words(const char *unit, GError *error)
{
	g_autofree char *said = last_words(unit);
	g_autofree char *message = error->message;

	error->message =
		*said ? g_strdup_printf("%s; it last said: %s", message, said) : g_strdup(message);
}

/* Checks */

typedef struct {
	const VarveManagerBefore *before;
	const VarveManagerWork *work;
	gint64 end;         /* monotonic µs */
	GHashTable *lowest; /* varve_units_well() */
	guint passed;       /* commands that need not be run again, from the first on */
	gint64 since;       /* since when all holds; 0: it does not */
	guint restarts;
	char *unit; /* (nullable) the one that is not well */
} Waiting;

static void waiting_clear(Waiting *waiting)
{
	g_free(waiting->unit);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Waiting, waiting_clear)

static gboolean fail_unit(Waiting *waiting, const char *unit, const char *reason, GError **error)
{
	g_free(waiting->unit);
	waiting->unit = g_strdup(unit);
	return varve_fail(error, VARVE_ERROR_REFUSED, "%s %s", unit, reason);
}

/* At least a second, and no longer than the window. */
static guint time_for(const Waiting *waiting, const VarveManifestCheck *check)
{
	gint64 left = (waiting->end - g_get_monotonic_time()) / G_USEC_PER_SEC;

	return (guint)CLAMP(left, 1, (gint64)check->timeout);
}

/* The manager runs it, as it runs services: in a domain and a group of its own, with nothing of
 * ours; what it writes is in the journal. */
static gboolean run_command(const Waiting *waiting, const VarveManifestCheck *check, GError **error)
{
	guint timeout = time_for(waiting, check);
	g_autofree char *unit =
		g_strdup_printf("varve-check-%d-%u.service", (int)getpid(), waiting->passed);
	g_autofree char *name = g_strdup_printf("--unit=%s", unit);
	g_autofree char *limit = g_strdup_printf("--property=RuntimeMaxSec=%u", timeout);
	g_autofree char *command = g_strjoinv(" ", check->command);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	VarveProcess process = { .timeout = timeout + 10 };
	g_autofree char *said = NULL;
	int status;

	g_ptr_array_add(argv, (gpointer) "systemd-run");
	g_ptr_array_add(argv, (gpointer) "--quiet");
	g_ptr_array_add(argv, (gpointer) "--wait");
	g_ptr_array_add(argv, (gpointer) "--collect");
	g_ptr_array_add(argv, (gpointer) "--service-type=exec");
	g_ptr_array_add(argv, name);
	g_ptr_array_add(argv, limit);
	g_ptr_array_add(argv, (gpointer) "--");
	for (char **word = check->command; *word; word++)
		g_ptr_array_add(argv, *word);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	if (!varve_process_status(&process, NULL, NULL, &status, error))
		return FALSE;
	if (status == 0)
		return TRUE;
	said = last_words(unit);
	return varve_fail(error, VARVE_ERROR_REFUSED,
			  "the check '%.200s' did not end well within %u seconds (status %d)%s%s",
			  command, timeout, status, *said ? "; it last said: " : "", said);
}

static gboolean check_unit(Waiting *waiting, const VarveManifestCheck *check,
			   const VarveUnitStates *now, GError **error)
{
	const VarveUnitState *state = varve_unit_states_find(now, check->unit);
	g_autofree char *reason = NULL;

	if (state && varve_unit_is_active(state))
		return TRUE;
	reason = g_strdup_printf("has to be active and is %s", state ? state->active : "not there");
	return fail_unit(waiting, check->unit, reason, error);
}

static gboolean check_all(Waiting *waiting, const VarveUnitStates *now, GError **error)
{
	const GPtrArray *checks = waiting->work->checks;

	for (guint i = 0; i < checks->len; i++) {
		const VarveManifestCheck *check = checks->pdata[i];

		if (*check->unit && !check_unit(waiting, check, now, error))
			return FALSE;
	}
	for (; waiting->passed < checks->len; waiting->passed++) {
		const VarveManifestCheck *check = checks->pdata[waiting->passed];

		if (!*check->unit && !run_command(waiting, check, error))
			return FALSE;
	}
	return TRUE;
}

/* One look; @error where not everything is well. */
static VarveWell look_once(Waiting *waiting, GError **error)
{
	g_autoptr(VarveUnitStates) now =
		look(waiting->work->checks, waiting->before->states, error);
	g_autofree char *reason = NULL;
	const char *unit = NULL;
	guint restarts = 0;
	VarveWell well;

	g_clear_pointer(&waiting->unit, g_free);
	if (!now)
		return VARVE_WELL_NOT_YET; /* it may be re-executing */
	well = varve_units_well(waiting->before->states, now, waiting->work->stop, waiting->lowest,
				&unit, &reason, &restarts);
	if (restarts != waiting->restarts)
		waiting->since = 0;
	waiting->restarts = restarts;
	if (well != VARVE_WELL) {
		fail_unit(waiting, unit, reason, error);
		return well;
	}
	return check_all(waiting, now, error) ? VARVE_WELL : VARVE_WELL_NOT_YET;
}

gboolean varve_manager_healthy(const VarveManagerBefore *before, const VarveManagerWork *work,
			       guint window, GError **error)
{
	g_autoptr(GHashTable) lowest = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(Waiting) waiting = { .before = before,
				    .work = work,
				    .end = g_get_monotonic_time() + (gint64)window * G_USEC_PER_SEC,
				    .lowest = lowest };

	for (;;) {
		g_autoptr(GError) local = NULL;
		VarveWell well = look_once(&waiting, &local);
		gint64 now = g_get_monotonic_time();

		if (well == VARVE_WELL && waiting.since == 0)
			waiting.since = now;
		if (well == VARVE_WELL && now - waiting.since >= HOLD)
			return TRUE;
		if (well != VARVE_WELL)
			waiting.since = 0;
		/* What holds at the end of the window is given the time to go on holding. */
		if (well == VARVE_WELL_NEVER || (well != VARVE_WELL && now >= waiting.end)) {
			if (waiting.unit)
				add_last_words(waiting.unit, local);
			g_propagate_error(error, g_steal_pointer(&local));
			return FALSE;
		}
		g_usleep(PAUSE);
	}
}
