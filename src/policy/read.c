/* Reading the tables that the base's policy and a node's own files have in common. */
#include "policy/read.h"

#include <string.h>

char *varve_policy_reader_origin(const VarvePolicyReader *reader, VarveTomlSpan span)
{
	guint line, column;

	if (reader->origin)
		return g_strdup(reader->origin);
	varve_toml_locate(reader->toml, span.start, &line, &column);
	return g_strdup_printf("%s:%u", varve_toml_name(reader->toml), line);
}

gboolean varve_policy_read_list(const VarveToml *toml, const VarveTomlValue *table, const char *key,
				gboolean required, char ***field, GError **error)
{
	char **list = NULL;

	if (!varve_toml_read_strings(toml, table, key, required, &list, error))
		return FALSE;
	if (list || !*field) {
		g_strfreev(*field);
		*field = list ? list : g_new0(char *, 1);
	}
	return TRUE;
}

gboolean varve_policy_read_said(const VarvePolicyReader *reader, const VarveTomlValue *table,
				const char *key, GPtrArray *into, GError **error)
{
	const VarveTomlValue *value = varve_toml_get(table, key);
	g_auto(GStrv) list = NULL;

	if (!varve_toml_read_strings(reader->toml, table, key, FALSE, &list, error))
		return FALSE;
	for (guint i = 0; list && list[i]; i++) {
		VarveSaid *said = g_new0(VarveSaid, 1);

		said->value = g_strdup(list[i]);
		said->origin = varve_policy_reader_origin(reader, value->array.items[i]->span);
		g_ptr_array_add(into, said);
	}
	return TRUE;
}

gboolean varve_policy_read_choice(const VarveToml *toml, const VarveTomlValue *table,
				  const char *key, const char *const *choices, guint *ret,
				  GError **error)
{
	const char *word = NULL;
	g_autofree char *all = NULL;

	if (!varve_toml_read_string(toml, table, key, FALSE, &word, error))
		return FALSE;
	if (!word)
		return TRUE;
	for (guint i = 0; choices[i]; i++) {
		if (strcmp(choices[i], word) == 0) {
			*ret = i;
			return TRUE;
		}
	}
	all = g_strjoinv("\", \"", (char **)choices);
	return varve_toml_fail(toml, varve_toml_get(table, key)->span, error,
			       "'%s' is \"%s\", expected %s\"%s\"", key, word,
			       choices[0] && choices[1] ? "one of " : "", all);
}

gboolean varve_policy_read_floors(const VarvePolicyReader *reader, const VarveTomlValue *table,
				  GError **error)
{
	TOML_FOREACH (entry, table) {
		g_autofree char *origin = varve_policy_reader_origin(reader, entry->key_span);
		gint64 floor = 0;

		if (!varve_toml_read_integer(reader->toml, table, entry->key, TRUE, 0, G_MAXINT64,
					     &floor, error))
			return FALSE;
		varve_policy_floor(reader->policy, entry->key, (guint64)floor, origin);
	}
	return TRUE;
}

/* A fingerprint that cannot match anything would revoke nothing, silently. */
static gboolean read_digests(const VarvePolicyReader *reader, const VarveTomlValue *table,
			     const char *key, GHashTable *into, GError **error)
{
	const VarveTomlValue *value = varve_toml_get(table, key);
	g_auto(GStrv) list = NULL;

	if (!varve_toml_read_strings(reader->toml, table, key, FALSE, &list, error))
		return FALSE;
	for (guint i = 0; list && list[i]; i++) {
		VarveTomlSpan span = value->array.items[i]->span;
		g_autofree char *origin = varve_policy_reader_origin(reader, span);
		VarveDigest digest;

		if (!varve_digest_from_hex(list[i], &digest))
			return varve_toml_fail(reader->toml, span, error,
					       "64 lowercase hexadecimal digits were expected");
		varve_policy_revoke(into, list[i], origin);
	}
	return TRUE;
}

gboolean varve_policy_read_revoked(const VarvePolicyReader *reader, const VarveTomlValue *table,
				   GError **error)
{
	static const char *const known[] = { "certificates", "layers", NULL };

	return varve_toml_check_keys(reader->toml, table, known, error) &&
	       read_digests(reader, table, "certificates", reader->policy->revoked_certificates,
			    error) &&
	       read_digests(reader, table, "layers", reader->policy->revoked_layers, error);
}

gboolean varve_policy_check_certificate(const VarveToml *toml, const VarveTomlValue *table,
					const char *key, const char *name, GError **error)
{
	if (!strchr(name, '/') && name[0] != '.')
		return TRUE;
	return varve_toml_fail(toml, varve_toml_get(table, key)->span, error,
			       "a file name in /" VARVE_CERTIFICATES_DIR " was expected");
}
