/* The record of floors and revocations, in memory and as JSON. */
#include "stack/record.h"

#include "base/error.h"

#include <string.h>

#define RECORD_FORMAT 1
#define ENTRIES_MAX 10000
#define ACCEPTED_KEPT 100
#define NAME_MAX_BYTES 128

static void acceptance_free(gpointer data)
{
	VarveAcceptance *acceptance = data;

	g_free(acceptance->by);
	g_free(acceptance->why);
	g_free(acceptance);
}

VarveRecord *varve_record_new(void)
{
	VarveRecord *record = g_new0(VarveRecord, 1);

	record->floors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	record->certificates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	record->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	record->layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	record->accepted = g_ptr_array_new_with_free_func(acceptance_free);
	return record;
}

void varve_record_free(VarveRecord *record)
{
	if (!record)
		return;
	g_hash_table_unref(record->floors);
	g_hash_table_unref(record->certificates);
	g_hash_table_unref(record->keys);
	g_hash_table_unref(record->layers);
	g_ptr_array_unref(record->accepted);
	g_free(record);
}

VarveRecord *varve_record_copy(const VarveRecord *record)
{
	VarveRecord *copy = varve_record_new();

	copy->number = record->number;
	copy->anchored = record->anchored;
	varve_record_raise(copy, record);
	for (guint i = 0; i < record->accepted->len; i++) {
		const VarveAcceptance *acceptance = record->accepted->pdata[i];

		varve_record_accepted(copy, acceptance->when, acceptance->by, acceptance->why);
	}
	return copy;
}

gboolean varve_record_floor(VarveRecord *record, const char *layer, guint64 index)
{
	const guint64 *there = g_hash_table_lookup(record->floors, layer);

	if (there && *there >= index)
		return FALSE;
	g_hash_table_replace(record->floors, g_strdup(layer), g_memdup2(&index, sizeof(index)));
	return TRUE;
}

static gboolean add_all(GHashTable *to, GHashTable *from)
{
	gboolean changed = FALSE;
	GHashTableIter iter;
	gpointer hex;

	g_hash_table_iter_init(&iter, from);
	while (g_hash_table_iter_next(&iter, &hex, NULL))
		changed = g_hash_table_add(to, g_strdup(hex)) || changed;
	return changed;
}

gboolean varve_record_raise(VarveRecord *record, const VarveRecord *by)
{
	gboolean changed = FALSE;
	GHashTableIter iter;
	gpointer layer, index;

	g_hash_table_iter_init(&iter, by->floors);
	while (g_hash_table_iter_next(&iter, &layer, &index))
		changed = varve_record_floor(record, layer, *(guint64 *)index) || changed;
	changed = add_all(record->certificates, by->certificates) || changed;
	changed = add_all(record->keys, by->keys) || changed;
	return add_all(record->layers, by->layers) || changed;
}

void varve_record_accepted(VarveRecord *record, gint64 when, const char *by, const char *why)
{
	VarveAcceptance *acceptance = g_new0(VarveAcceptance, 1);

	acceptance->when = when;
	acceptance->by = g_strdup(by);
	acceptance->why = g_strdup(why);
	g_ptr_array_add(record->accepted, acceptance);
	if (record->accepted->len > ACCEPTED_KEPT)
		g_ptr_array_remove_index(record->accepted, 0);
}

void varve_record_revocations(VarveRecord *record, const VarvePolicy *policy)
{
	add_all(record->certificates, policy->revoked_certificates);
	add_all(record->keys, policy->revoked_keys);
	add_all(record->layers, policy->revoked_layers);
	for (guint i = 0; i < policy->trusted->len; i++) {
		const VarveCertificate *certificate =
			((VarveTrusted *)policy->trusted->pdata[i])->certificate;
		g_autofree char *fingerprint =
			varve_digest_dup_hex(varve_certificate_fingerprint(certificate));
		VarveDigest key;

		if (!g_hash_table_contains(policy->revoked_certificates, fingerprint))
			continue;
		varve_certificate_key_digest(certificate, &key);
		g_hash_table_add(record->keys, varve_digest_dup_hex(&key));
	}
}

static void revoke_all(GHashTable *to, GHashTable *from)
{
	GHashTableIter iter;
	gpointer hex;

	g_hash_table_iter_init(&iter, from);
	while (g_hash_table_iter_next(&iter, &hex, NULL))
		varve_policy_revoke(to, hex, VARVE_ORIGIN_RECORD);
}

VarvePolicy *varve_record_policy(const VarveRecord *record)
{
	VarvePolicy *policy = varve_policy_new();
	GHashTableIter iter;
	gpointer layer, index;

	g_hash_table_iter_init(&iter, record->floors);
	while (g_hash_table_iter_next(&iter, &layer, &index))
		varve_policy_floor(policy, layer, *(guint64 *)index, VARVE_ORIGIN_RECORD);
	revoke_all(policy->revoked_certificates, record->certificates);
	revoke_all(policy->revoked_keys, record->keys);
	revoke_all(policy->revoked_layers, record->layers);
	return policy;
}

static json_t *set_to_json(GHashTable *set)
{
	g_autoptr(GList) sorted = g_list_sort(g_hash_table_get_keys(set), (GCompareFunc)strcmp);
	json_t *array = json_array();

	for (GList *item = sorted; item; item = item->next)
		json_array_append_new(array, json_string(item->data));
	return array;
}

void varve_record_to_json(const VarveRecord *record, json_t *object)
{
	json_t *floors = json_object(), *revoked = json_object();
	GHashTableIter iter;
	gpointer layer, index;

	g_hash_table_iter_init(&iter, record->floors);
	while (g_hash_table_iter_next(&iter, &layer, &index))
		json_object_set_new(floors, layer, json_integer((json_int_t) * (guint64 *)index));
	json_object_set_new(revoked, "certificates", set_to_json(record->certificates));
	json_object_set_new(revoked, "keys", set_to_json(record->keys));
	json_object_set_new(revoked, "layers", set_to_json(record->layers));
	json_object_set_new(object, "floors", floors);
	json_object_set_new(object, "revoked", revoked);
}

static gboolean is_crowded(const VarveRecord *record)
{
	return g_hash_table_size(record->floors) > ENTRIES_MAX ||
	       g_hash_table_size(record->certificates) > ENTRIES_MAX ||
	       g_hash_table_size(record->keys) > ENTRIES_MAX ||
	       g_hash_table_size(record->layers) > ENTRIES_MAX;
}

char *varve_record_write(const VarveRecord *record, GError **error)
{
	g_autoptr(json_t) json = json_object();
	json_t *accepted = json_array();

	if (is_crowded(record)) {
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "the record of floors would have more than %d entries of a kind: begin "
			   "it anew with 'varvectl floors --forget'",
			   ENTRIES_MAX);
		json_decref(accepted);
		return NULL;
	}
	for (guint i = 0; i < record->accepted->len; i++) {
		const VarveAcceptance *acceptance = record->accepted->pdata[i];

		json_array_append_new(accepted, json_pack("{s:I,s:s,s:s}", "when",
							  (json_int_t)acceptance->when, "by",
							  acceptance->by, "why", acceptance->why));
	}
	varve_record_to_json(record, json);
	json_object_set_new(json, "format", json_integer(RECORD_FORMAT));
	json_object_set_new(json, "number", json_integer(record->number));
	json_object_set_new(json, "anchored", json_boolean(record->anchored));
	json_object_set_new(json, "accepted", accepted);
	return varve_json_dump(json, FALSE);
}

/* A text that a terminal shows as it is: who can write to the disk may have made it. */
static gboolean check_text(const char *text, const char *what, const char *name, GError **error)
{
	for (const char *at = text; *at; at = g_utf8_next_char(at)) {
		if (g_unichar_iscntrl(g_utf8_get_char(at)))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: '%s' contains a control character", name, what);
	}
	return TRUE;
}

static gboolean take_object(const json_t *object, const char *key, const char *name,
			    const json_t **ret, GError **error)
{
	*ret = json_object_get(object, key);
	return json_is_object(*ret) ||
	       varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' is no object", name, key);
}

static gboolean check_members(const json_t *object, const char *const *known, const char *name,
			      GError **error)
{
	const char *key;
	const json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		if (!g_strv_contains(known, key))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: the member '%.64s' is not known here: it was made "
					  "by a newer Varve, or by somebody else",
					  name, key);
	}
	return TRUE;
}

static gboolean take_floors(VarveRecord *record, const json_t *floors, const char *name,
			    GError **error)
{
	const char *layer;
	const json_t *value;

	if (json_object_size(floors) > ENTRIES_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: more than %d floors", name,
				  ENTRIES_MAX);
	json_object_foreach ((json_t *)floors, layer, value) {
		if (!*layer || strlen(layer) > NAME_MAX_BYTES)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: a floor is for no name that a layer can have", name);
		if (!check_text(layer, "floors", name, error))
			return FALSE;
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: the floor of '%s' is no number from 0 on", name,
					  layer);
		varve_record_floor(record, layer, (guint64)json_integer_value(value));
	}
	return TRUE;
}

static gboolean take_set(GHashTable *set, const json_t *object, const char *key, const char *name,
			 GError **error)
{
	g_auto(GStrv) list = NULL;

	if (!json_is_array(json_object_get(object, key)) ||
	    json_array_size(json_object_get(object, key)) > ENTRIES_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' is no array of at most %d",
				  name, key, ENTRIES_MAX);
	if (!varve_json_get_strings(object, key, name, &list, error))
		return FALSE;
	for (char **hex = list; *hex; hex++) {
		VarveDigest digest;

		if (!varve_digest_from_hex(*hex, &digest))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: something in '%s' is not 64 lowercase hexadecimal "
					  "digits",
					  name, key);
		g_hash_table_add(set, g_strdup(*hex));
	}
	return TRUE;
}

gboolean varve_record_from_json(VarveRecord *record, const json_t *object, const char *name,
				GError **error)
{
	static const char *const known[] = { "certificates", "keys", "layers", NULL };
	const json_t *floors, *revoked;

	return take_object(object, "floors", name, &floors, error) &&
	       take_floors(record, floors, name, error) &&
	       take_object(object, "revoked", name, &revoked, error) &&
	       check_members(revoked, known, name, error) &&
	       take_set(record->certificates, revoked, "certificates", name, error) &&
	       take_set(record->keys, revoked, "keys", name, error) &&
	       take_set(record->layers, revoked, "layers", name, error);
}

static gboolean take_accepted(VarveRecord *record, const json_t *array, const char *name,
			      GError **error)
{
	static const char *const known[] = { "by", "when", "why", NULL };
	const json_t *value;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > ACCEPTED_KEPT)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'accepted' is no array of at most %d", name, ACCEPTED_KEPT);
	json_array_foreach (array, i, value) {
		const char *by, *why;
		gint64 when;

		if (!json_is_object(value))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: an element of 'accepted' is no object", name);
		if (!check_members(value, known, name, error) ||
		    !varve_json_get_int(value, "when", name, 0, G_MAXINT64, &when, error) ||
		    !varve_json_get_string(value, "by", name, &by, error) ||
		    !varve_json_get_string(value, "why", name, &why, error) ||
		    !check_text(by, "by", name, error) || !check_text(why, "why", name, error))
			return FALSE;
		varve_record_accepted(record, when, by, why);
	}
	return TRUE;
}

VarveRecord *varve_record_parse(const char *text, gsize size, const char *name, GError **error)
{
	static const char *const known[] = { "accepted", "anchored", "floors", "format",
					     "number",   "revoked",  NULL };
	g_autoptr(json_t) json = varve_json_parse(text, size, name, error);
	g_autoptr(VarveRecord) record = varve_record_new();
	const json_t *anchored;
	gint64 format;

	if (!json || !check_members(json, known, name, error) ||
	    !varve_json_get_int(json, "format", name, RECORD_FORMAT, RECORD_FORMAT, &format,
				error) ||
	    !varve_json_get_int(json, "number", name, 1, VARVE_RECORD_NUMBER_MAX, &record->number,
				error) ||
	    !varve_record_from_json(record, json, name, error) ||
	    !take_accepted(record, json_object_get(json, "accepted"), name, error))
		return NULL;
	anchored = json_object_get(json, "anchored");
	if (!json_is_boolean(anchored)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: 'anchored' is neither true nor false",
			   name);
		return NULL;
	}
	record->anchored = json_is_true(anchored);
	return g_steal_pointer(&record);
}
