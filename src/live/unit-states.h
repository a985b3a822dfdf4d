/* How units are, by the manager's own names: org.freedesktop.systemd1(5). */
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
	guint restarts;         /* by the manager itself, since somebody last started it */
	GHashTable *properties; /* all this as text */
} VarveUnitState;

typedef struct {
	GPtrArray *list;   /* VarveUnitState * */
	GHashTable *named; /* every name → its VarveUnitState, borrowed */
} VarveUnitStates;

/** varve_unit_states_new: (caller frees) of no unit. */
VarveUnitStates *varve_unit_states_new(void);

/** varve_unit_states_add: @properties: name → text, as `systemctl show` writes them; a reference is
 * kept. One without an Id, and one that is there already, is left out. */
void varve_unit_states_add(VarveUnitStates *states, GHashTable *properties);

/**
 * varve_unit_states_read:
 * Asks the manager for what is loaded: services, sockets, targets, timers, paths, mounts,
 * automounts and scopes. Of one that is inactive now, and was @before where that is given, Id and
 * states alone are known. A manager that executes itself anew is waited for, up to 15 seconds.
 *
 * @names: (nullable) units of which all has to be known, and which are loaded if need be, and
 * templates whose instances are meant; ended by NULL.
 * @before: (nullable) what was read earlier: a unit that has the states that it had then has the
 * other properties, too, but for its restarts.
 *
 * Errors: SYSTEM (the manager does not answer).
 */
VarveUnitStates *varve_unit_states_read(const char *const *names, const VarveUnitStates *before,
					GError **error);
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
