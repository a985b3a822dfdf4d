/* How units are, and their names: systemd.unit(5). */
#include "live/unit-states.h"

#include <stdlib.h>
#include <string.h>

static void state_free(gpointer data)
{
	VarveUnitState *state = data;

	g_free(state->id);
	g_strfreev(state->names);
	g_free(state->load);
	g_free(state->active);
	g_free(state->sub);
	g_free(state->result);
	g_free(state->fragment);
	g_strfreev(state->wanted_by);
	g_strfreev(state->triggered_by);
	g_hash_table_unref(state->properties);
	g_free(state);
}

/* The words of the properties @keys, which are ended by NULL. */
static char **words(GHashTable *properties, const char *const *keys)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (gsize i = 0; keys[i]; i++) {
		const char *value = g_hash_table_lookup(properties, keys[i]);
		g_auto(GStrv) list = g_strsplit(value ? value : "", " ", -1);

		for (char **word = list; *word; word++)
			if (**word)
				g_strv_builder_add(builder, *word);
	}
	return g_strv_builder_end(builder);
}

static char *text_of(GHashTable *properties, const char *key)
{
	const char *value = g_hash_table_lookup(properties, key);

	return g_strdup(value ? value : "");
}

static gboolean is_yes(GHashTable *properties, const char *key)
{
	return g_strcmp0(g_hash_table_lookup(properties, key), "yes") == 0;
}

static VarveUnitState *state_of(GHashTable *properties)
{
	static const char *const names[] = { "Names", NULL };
	static const char *const wanted[] = { "WantedBy", "RequiredBy", "UpheldBy", NULL };
	static const char *const triggered[] = { "TriggeredBy", NULL };
	const char *restarts = g_hash_table_lookup(properties, "NRestarts");
	const char *bus = g_hash_table_lookup(properties, "BusName");
	VarveUnitState *state = g_new0(VarveUnitState, 1);

	state->properties = g_hash_table_ref(properties);
	state->id = text_of(properties, "Id");
	state->names = words(properties, names);
	state->load = text_of(properties, "LoadState");
	state->active = text_of(properties, "ActiveState");
	state->sub = text_of(properties, "SubState");
	state->result = text_of(properties, "Result");
	state->fragment = text_of(properties, "FragmentPath");
	state->wanted_by = words(properties, wanted);
	state->triggered_by = words(properties, triggered);
	state->bus = bus && *bus;
	state->transient = is_yes(properties, "Transient");
	state->can_start = is_yes(properties, "CanStart");
	state->can_reload = is_yes(properties, "CanReload");
	state->restarts = restarts ? (guint)strtoul(restarts, NULL, 10) : 0;
	return state;
}

VarveUnitStates *varve_unit_states_new(void)
{
	VarveUnitStates *states = g_new0(VarveUnitStates, 1);

	states->list = g_ptr_array_new_with_free_func(state_free);
	states->named = g_hash_table_new(g_str_hash, g_str_equal);
	return states;
}

void varve_unit_states_add(VarveUnitStates *states, GHashTable *properties)
{
	const char *id = g_hash_table_lookup(properties, "Id");
	VarveUnitState *state;

	if (!id || g_hash_table_contains(states->named, id))
		return;
	state = state_of(properties);
	g_ptr_array_add(states->list, state);
	g_hash_table_insert(states->named, state->id, state);
	for (char **name = state->names; *name; name++)
		g_hash_table_insert(states->named, *name, state);
}

void varve_unit_states_free(VarveUnitStates *states)
{
	if (!states)
		return;
	g_hash_table_unref(states->named);
	g_ptr_array_unref(states->list);
	g_free(states);
}

const VarveUnitState *varve_unit_states_find(const VarveUnitStates *states, const char *name)
{
	return g_hash_table_lookup(states->named, name);
}

gboolean varve_unit_is_active(const VarveUnitState *state)
{
	return strcmp(state->active, "active") == 0 || strcmp(state->active, "reloading") == 0 ||
	       strcmp(state->active, "refreshing") == 0;
}

char *varve_unit_template(const char *name)
{
	const char *at = strchr(name, '@');
	const char *dot = strrchr(name, '.');

	if (!at || !dot || dot <= at + 1)
		return NULL;
	return g_strdup_printf("%.*s@%s", (int)(at - name), name, dot);
}

gboolean varve_unit_among(const char *name, char *const *list)
{
	g_autofree char *template = varve_unit_template(name);

	for (gsize i = 0; list && list[i]; i++)
		if (strcmp(list[i], name) == 0 || g_strcmp0(template, list[i]) == 0)
			return TRUE;
	return FALSE;
}
