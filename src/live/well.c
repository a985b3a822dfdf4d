/* Whether units are well. States: systemd(1), systemd.service(5). */
#include "live/well.h"

#include <string.h>

/* What comes and goes with people and devices, and is nothing that a layer brings: sessions, mounts
 * that only the kernel's table knows, what somebody started by hand. */
static gboolean counts(const VarveUnitState *state)
{
	static const char *const types[] = { ".service", ".socket", ".target",   ".timer",
					     ".path",    ".mount",  ".automount" };
	static const char *const sessions[] = { "user@*", "user-runtime-dir@*", "*getty@*" };
	gboolean known = FALSE;

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		known |= g_str_has_suffix(state->id, types[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(sessions); i++)
		known &= !g_pattern_match_simple(sessions[i], state->id);
	return known && *state->fragment && !state->transient;
}

/* Started when it is needed and gone when it is not: that it is gone is no news. */
static gboolean is_on_demand(const VarveUnitState *state)
{
	return (state->bus || *state->triggered_by) && !*state->wanted_by;
}

gboolean varve_unit_should_run(const VarveUnitState *was)
{
	return counts(was) && varve_unit_is_active(was) && !is_on_demand(was);
}

static gboolean is_failed(const VarveUnitState *state)
{
	return strcmp(state->active, "failed") == 0;
}

static guint count_restarts(const VarveUnitState *was, const VarveUnitState *is, GHashTable *lowest)
{
	guint known = GPOINTER_TO_UINT(g_hash_table_lookup(lowest, is->id));
	guint least = known > 0 ? known - 1 : was ? was->restarts : 0;

	/* Whoever starts it anew begins to count at 0. */
	least = MIN(least, is->restarts);
	g_hash_table_replace(lowest, g_strdup(is->id), GUINT_TO_POINTER(least + 1));
	return is->restarts - least;
}

/* @was: (nullable) it was not loaded. @restarts: since the swap. */
static VarveWell judge(const VarveUnitState *was, const VarveUnitState *is, guint restarts,
		       char **ret_reason)
{
	gboolean was_active = was && varve_unit_is_active(was);

	if (is_failed(is) && !(was && is_failed(was))) {
		*ret_reason = g_strdup_printf("failed (%s)", *is->result ? is->result : is->sub);
		return VARVE_WELL_NEVER;
	}
	if (restarts > 1) {
		*ret_reason = g_strdup_printf("was restarted %u times", restarts);
		return VARVE_WELL_NEVER;
	}
	if (!was_active || varve_unit_is_active(is) ||
	    (is_on_demand(is) && strcmp(is->active, "inactive") == 0))
		return VARVE_WELL;
	*ret_reason = g_strdup_printf("was active and is %s (%s)", is->active, is->sub);
	return VARVE_WELL_NOT_YET;
}

typedef struct {
	VarveWell worst;
	const char *unit;
	char *reason;
} Verdict;

/* The first of the worst is kept. Takes @reason. */
static void weigh(Verdict *verdict, VarveWell well, const char *unit, char *reason)
{
	if (well <= verdict->worst) {
		g_free(reason);
		return;
	}
	g_free(verdict->reason);
	*verdict = (Verdict){ well, unit, reason };
}

VarveWell varve_units_well(const VarveUnitStates *before, const VarveUnitStates *now,
			   char *const *stopped, GHashTable *lowest, const char **ret_unit,
			   char **ret_reason, guint *ret_restarts)
{
	Verdict verdict = { VARVE_WELL, NULL, NULL };
	guint all = 0;

	for (guint i = 0; i < now->list->len; i++) {
		const VarveUnitState *is = now->list->pdata[i];
		const VarveUnitState *was = varve_unit_states_find(before, is->id);
		char *reason = NULL;
		VarveWell well;
		guint restarts;

		if (!counts(is) || varve_unit_among(is->id, stopped))
			continue;
		restarts = count_restarts(was, is, lowest);
		all += restarts;
		well = judge(was, is, restarts, &reason);
		weigh(&verdict, well, is->id, reason);
	}
	for (guint i = 0; i < before->list->len; i++) {
		const VarveUnitState *was = before->list->pdata[i];

		if (varve_unit_should_run(was) && !varve_unit_among(was->id, stopped) &&
		    !varve_unit_states_find(now, was->id))
			weigh(&verdict, VARVE_WELL_NOT_YET, was->id,
			      g_strdup("was active and is not there any more"));
	}
	if (ret_unit)
		*ret_unit = verdict.unit;
	if (ret_reason)
		*ret_reason = g_steal_pointer(&verdict.reason);
	g_free(verdict.reason);
	*ret_restarts = all;
	return verdict.worst;
}
