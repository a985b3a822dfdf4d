/* Units have names that anybody chose; sysctl.d(5) files are a layer's. */
#include "live/sysctl-keys.h"
#include "live/unit-states.h"
#include "live/well.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of lines "PROPERTY=VALUE", with an empty line after each unit. */
static VarveUnitStates *states_of(const char *text)
{
	VarveUnitStates *states = varve_unit_states_new();
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GHashTable *properties = NULL;

	for (char **line = lines; *line; line++) {
		char *equals = strchr(*line, '=');

		if (!properties)
			properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		if (equals)
			g_hash_table_replace(properties, g_strndup(*line, (gsize)(equals - *line)),
					     g_strdup(equals + 1));
		if (**line && line[1])
			continue;
		varve_unit_states_add(states, properties);
		g_clear_pointer(&properties, g_hash_table_unref);
	}
	return states;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GHashTable) lowest = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(VarveUnitStates) states = states_of(text);
	g_autoptr(VarveUnitStates) none = varve_unit_states_new();
	g_autoptr(GPtrArray) prefixes = varve_sysctl_prefixes(text);
	guint restarts;

	for (guint i = 0; i < states->list->len; i++) {
		const VarveUnitState *state = states->list->pdata[i];
		g_autofree char *template = varve_unit_template(state->id);

		if (!varve_unit_states_find(states, state->id))
			__builtin_trap();
		if (template && varve_unit_template(template))
			__builtin_trap();
	}
	for (guint i = 0; i < prefixes->len; i++)
		if (!*(const char *)prefixes->pdata[i])
			__builtin_trap();
	varve_units_well(states, none, NULL, lowest, NULL, NULL, &restarts);
	varve_units_well(none, states, NULL, lowest, NULL, NULL, &restarts);
	if (varve_units_well(states, states, NULL, lowest, NULL, NULL, &restarts) ==
		    VARVE_WELL_NOT_YET &&
	    states->list->len == 0)
		__builtin_trap();
	return 0;
}
