/* How units are: systemctl(1) show, systemd.unit(5) names. */
#include "live/unit-states.h"

#include "base/process.h"

#include <stdlib.h>
#include <string.h>

/* The manager answers at once or not at all. */
#define TIMEOUT 60

#define PROPERTIES \
	"Id,Names,LoadState,ActiveState,SubState,Result,FragmentPath,WantedBy,RequiredBy," \
	"UpheldBy," \
	"TriggeredBy,BusName,Transient,CanStart,CanReload,NRestarts"

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

static void take(VarveUnitStates *states, GHashTable *properties)
{
	const char *id = g_hash_table_lookup(properties, "Id");

	/* A name and a glob may both find a unit. */
	if (id && !g_hash_table_contains(states->named, id)) {
		VarveUnitState *state = state_of(properties);

		g_ptr_array_add(states->list, state);
		g_hash_table_insert(states->named, state->id, state);
		for (char **name = state->names; *name; name++)
			g_hash_table_insert(states->named, *name, state);
	}
	g_hash_table_remove_all(properties);
}

VarveUnitStates *varve_unit_states_parse(const char *text)
{
	g_autoptr(GHashTable) properties =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	VarveUnitStates *states = g_new0(VarveUnitStates, 1);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	states->list = g_ptr_array_new_with_free_func(state_free);
	states->named = g_hash_table_new(g_str_hash, g_str_equal);
	for (char **line = lines; *line; line++) {
		char *equals = strchr(*line, '=');

		if (!**line)
			take(states, properties);
		else if (equals)
			g_hash_table_replace(properties, g_strndup(*line, (gsize)(equals - *line)),
					     g_strdup(equals + 1));
	}
	take(states, properties);
	return states;
}

VarveUnitStates *varve_unit_states_read(const char *const *patterns, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	VarveProcess process = { .timeout = TIMEOUT };
	g_autofree char *text = NULL;

	g_ptr_array_add(argv, (gpointer) "systemctl");
	g_ptr_array_add(argv, (gpointer) "show");
	/* Globs leave out what is inactive, and devices are many and nobody's concern. */
	g_ptr_array_add(argv, (gpointer) "--all");
	g_ptr_array_add(argv, (gpointer) "--type=service,socket,target,timer,path,mount,automount,"
					 "scope");
	g_ptr_array_add(argv, (gpointer) "--property=" PROPERTIES);
	g_ptr_array_add(argv, (gpointer) "--");
	for (gsize i = 0; patterns[i]; i++)
		g_ptr_array_add(argv, (gpointer)patterns[i]);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	if (!varve_process_run(&process, &text, error))
		return NULL;
	return varve_unit_states_parse(text);
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
