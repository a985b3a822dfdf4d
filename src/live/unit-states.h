/* How units are, as systemctl(1) shows them: one process for all that is asked. */
#pragma once

#include <glib.h>

typedef struct {
	char *id;
	char **names; /* @id and its aliases */
	char *load;   /* "loaded", "not-found", "masked" … */
	char *active; /* "active", "reloading", "inactive", "failed", "activating" … */
	char *sub;
	char *result;        /* of a service: "success", "exit-code" …; else "" */
	char *fragment;      /* its file, "" where there is none */
	char **wanted_by;    /* what wants, requires or upholds it */
	char **triggered_by; /* sockets, timers, paths that start it */
	gboolean bus;        /* it has a name on the bus, and may be started by it */
	gboolean transient;
	gboolean can_start;
	gboolean can_reload;
	guint restarts; /* by the manager itself, since somebody last started it */
} VarveUnitState;

typedef struct {
	GPtrArray *list;   /* VarveUnitState *, in systemd's order */
	GHashTable *named; /* every name → its VarveUnitState, borrowed */
} VarveUnitStates;

/** varve_unit_states_parse: (caller frees) of what `systemctl show` wrote; what is not understood
 * is left out. */
VarveUnitStates *varve_unit_states_parse(const char *text);

/**
 * varve_unit_states_read:
 * @patterns: names, which are loaded if need be, and globs over what is loaded ("*"); ended by
 * NULL.
 *
 * Errors: NOT_FOUND (no systemctl), SYSTEM (the manager does not answer).
 */
VarveUnitStates *varve_unit_states_read(const char *const *patterns, GError **error);
void varve_unit_states_free(VarveUnitStates *states);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveUnitStates, varve_unit_states_free)

/** (borrowed, nullable) */
const VarveUnitState *varve_unit_states_find(const VarveUnitStates *states, const char *name);

/** varve_unit_is_active: it runs: "active", "reloading" or "refreshing". */
gboolean varve_unit_is_active(const VarveUnitState *state);

/** varve_unit_template: (caller frees, nullable) "getty@.service" of "getty@tty1.service"; NULL of
 *  what is no instance. */
char *varve_unit_template(const char *name);

/** varve_unit_among: whether @name or its template is in @list. */
gboolean varve_unit_among(const char *name, char *const *list);
