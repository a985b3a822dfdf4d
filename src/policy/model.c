/* The policy as a value: made, freed, tightened by another one. */
#include "policy/read.h"

#include <string.h>

static void trusted_free(gpointer data)
{
	VarveTrusted *trusted = data;

	g_free(trusted->name);
	varve_certificate_free(trusted->certificate);
	g_free(trusted);
}

GPtrArray *varve_trusted_list_new(void)
{
	return g_ptr_array_new_with_free_func(trusted_free);
}

static void allow_free(gpointer data)
{
	VarveAllow *allow = data;

	g_free(allow->certificate);
	g_strfreev(allow->layers);
	g_strfreev(allow->paths);
	g_strfreev(allow->selinux_types);
	g_strfreev(allow->setuid);
	g_strfreev(allow->capabilities);
	g_strfreev(allow->reserved);
	g_strfreev(allow->patches);
	g_free(allow);
}

static void deny_free(gpointer data)
{
	VarveDeny *deny = data;

	g_strfreev(deny->layers);
	g_free(deny->certificate);
	g_free(deny->reason);
	g_free(deny->origin);
	g_free(deny);
}

static void said_free(gpointer data)
{
	VarveSaid *said = data;

	g_free(said->value);
	g_free(said->origin);
	g_free(said);
}

static void floor_free(gpointer data)
{
	VarveFloor *floor = data;

	g_free(floor->origin);
	g_free(floor);
}

VarvePolicy *varve_policy_new(void)
{
	VarvePolicy *policy = g_new0(VarvePolicy, 1);

	policy->trusted = varve_trusted_list_new();
	policy->allows = g_ptr_array_new_with_free_func(allow_free);
	policy->denies = g_ptr_array_new_with_free_func(deny_free);
	policy->required_layers = g_ptr_array_new_with_free_func(said_free);
	policy->reserved = g_ptr_array_new_with_free_func(said_free);
	policy->check = VARVE_CHECK_NEVER;
	policy->floors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, floor_free);
	policy->revoked_certificates =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	policy->revoked_keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	policy->revoked_layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return policy;
}

void varve_policy_free(VarvePolicy *policy)
{
	if (!policy)
		return;
	g_ptr_array_unref(policy->trusted);
	g_ptr_array_unref(policy->allows);
	g_ptr_array_unref(policy->denies);
	g_ptr_array_unref(policy->required_layers);
	g_ptr_array_unref(policy->reserved);
	g_free(policy->check_origin);
	g_free(policy->ended_origin);
	g_hash_table_unref(policy->floors);
	g_hash_table_unref(policy->revoked_certificates);
	g_hash_table_unref(policy->revoked_keys);
	g_hash_table_unref(policy->revoked_layers);
	g_free(policy);
}

void varve_policy_floor(VarvePolicy *policy, const char *layer, guint64 index, const char *origin)
{
	const VarveFloor *there = g_hash_table_lookup(policy->floors, layer);
	VarveFloor *floor;

	if (there && there->index >= index)
		return;
	floor = g_new0(VarveFloor, 1);
	floor->index = index;
	floor->origin = g_strdup(origin);
	g_hash_table_replace(policy->floors, g_strdup(layer), floor);
}

void varve_policy_revoke(GHashTable *revoked, const char *hex, const char *origin)
{
	if (!g_hash_table_contains(revoked, hex))
		g_hash_table_insert(revoked, g_strdup(hex), g_strdup(origin));
}

static void add_said(GPtrArray *to, const GPtrArray *from)
{
	for (guint i = 0; i < from->len; i++) {
		const VarveSaid *said = from->pdata[i];
		gboolean there = FALSE;
		VarveSaid *copy;

		for (guint j = 0; j < to->len; j++)
			there = there ||
				strcmp(((VarveSaid *)to->pdata[j])->value, said->value) == 0;
		if (there)
			continue;
		copy = g_new0(VarveSaid, 1);
		copy->value = g_strdup(said->value);
		copy->origin = g_strdup(said->origin);
		g_ptr_array_add(to, copy);
	}
}

static void add_revoked(GHashTable *to, GHashTable *from)
{
	GHashTableIter iter;
	gpointer hex, origin;

	g_hash_table_iter_init(&iter, from);
	while (g_hash_table_iter_next(&iter, &hex, &origin))
		varve_policy_revoke(to, hex, origin);
}

static void add_denies(GPtrArray *to, const GPtrArray *from)
{
	for (guint i = 0; i < from->len; i++) {
		const VarveDeny *deny = from->pdata[i];
		VarveDeny *copy = g_new0(VarveDeny, 1);

		copy->layers = g_strdupv(deny->layers);
		copy->certificate = g_strdup(deny->certificate);
		copy->reason = g_strdup(deny->reason);
		copy->origin = g_strdup(deny->origin);
		g_ptr_array_add(to, copy);
	}
}

/* From the strictest to the loosest. */
static guint looseness(VarveCheckWhen check)
{
	return check == VARVE_CHECK_ALWAYS ? 0 : check == VARVE_CHECK_FIRST ? 1 : 2;
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

void varve_policy_tighten(VarvePolicy *policy, const VarvePolicy *by)
{
	GHashTableIter iter;
	gpointer layer, value;

	if (looseness(by->check) < looseness(policy->check)) {
		policy->check = by->check;
		set(&policy->check_origin, by->check_origin);
	}
	if (by->refuse_ended && !policy->refuse_ended) {
		policy->refuse_ended = TRUE;
		set(&policy->ended_origin, by->ended_origin);
	}
	g_hash_table_iter_init(&iter, by->floors);
	while (g_hash_table_iter_next(&iter, &layer, &value)) {
		const VarveFloor *floor = value;

		varve_policy_floor(policy, layer, floor->index, floor->origin);
	}
	add_said(policy->required_layers, by->required_layers);
	add_said(policy->reserved, by->reserved);
	add_denies(policy->denies, by->denies);
	add_revoked(policy->revoked_certificates, by->revoked_certificates);
	add_revoked(policy->revoked_keys, by->revoked_keys);
	add_revoked(policy->revoked_layers, by->revoked_layers);
}
