/* Reading a node's own policy files. */
#include "policy/tighten.h"

#include "policy/read.h"

#include <string.h>

typedef struct {
	VarvePolicyReader reader;
	const VarvePolicy *base; /* (nullable) */
	GPtrArray *idle;
} Tightening;

static void add_idle(const Tightening *t, VarveTomlSpan span, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
static void add_idle(const Tightening *t, VarveTomlSpan span, const char *format, ...)
{
	g_autofree char *message = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	g_ptr_array_add(t->idle, varve_toml_message(t->reader.toml, span, message));
}

/* What a base may say and a node may not. */
static gboolean check_tables(const VarveToml *toml, const VarveTomlValue *root, GError **error)
{
	static const char *const known[] = { "defaults", "deny", "revoked", "rollback-floors",
					     NULL };
	const VarveTomlEntry *allow = varve_toml_entry(root, "allow");

	if (allow)
		return varve_toml_fail(
			toml, allow->key_span, error,
			"'allow' is for the base's policy alone: a node's own file can only make "
			"it stricter, with [[deny]], [revoked], [rollback-floors] and [defaults]");
	return varve_toml_check_keys(toml, root, known, error);
}

/* A glob that cannot match any path would reserve nothing, silently. */
static gboolean check_reserved(const Tightening *t, const VarveTomlValue *table, GError **error)
{
	const VarveTomlValue *globs = varve_toml_get(table, "reserved-paths");

	for (guint i = 0; globs && i < globs->array.n; i++) {
		if (globs->array.items[i]->string.text[0] != '/')
			return varve_toml_fail(t->reader.toml, globs->array.items[i]->span, error,
					       "an absolute path was expected");
	}
	return TRUE;
}

static gboolean read_defaults(const Tightening *t, const VarveTomlValue *table, GError **error)
{
	static const char *const known[] = { "check", "support-end", "required-layers",
					     "reserved-paths", NULL };
	static const char *const check[] = { "always", NULL }, *const end[] = { "refuse", NULL };
	const VarveToml *toml = t->reader.toml;
	VarvePolicy *policy = t->reader.policy;
	const VarveTomlEntry *entry;
	guint only;

	if (!varve_toml_check_keys(toml, table, known, error) ||
	    !varve_policy_read_choice(toml, table, "check", check, &only, error) ||
	    !varve_policy_read_choice(toml, table, "support-end", end, &only, error) ||
	    !varve_policy_read_said(&t->reader, table, "required-layers", policy->required_layers,
				    error) ||
	    !varve_policy_read_said(&t->reader, table, "reserved-paths", policy->reserved, error) ||
	    !check_reserved(t, table, error))
		return FALSE;
	entry = varve_toml_entry(table, "check");
	if (entry) {
		policy->check = VARVE_CHECK_ALWAYS;
		policy->check_origin = varve_policy_reader_origin(&t->reader, entry->key_span);
	}
	entry = varve_toml_entry(table, "support-end");
	if (entry) {
		policy->refuse_ended = TRUE;
		policy->ended_origin = varve_policy_reader_origin(&t->reader, entry->key_span);
	}
	return TRUE;
}

static gboolean read_floors(const Tightening *t, const VarveTomlValue *table, GError **error)
{
	if (!varve_policy_read_floors(&t->reader, table, error))
		return FALSE;
	TOML_FOREACH (entry, table) {
		const VarveFloor *floor =
			t->base ? g_hash_table_lookup(t->base->floors, entry->key) : NULL;

		if (floor && (guint64)entry->value->integer < floor->index)
			add_idle(t, entry->value->span,
				 "the floor of '%s' is %" G_GUINT64_FORMAT
				 " in the base's policy, and a node's own file cannot lower it: "
				 "remove the line",
				 entry->key, floor->index);
	}
	return TRUE;
}

static gboolean has_certificate(const VarvePolicy *policy, const char *name)
{
	for (guint i = 0; i < policy->trusted->len; i++) {
		const VarveTrusted *trusted = policy->trusted->pdata[i];

		if (strcmp(trusted->name, name) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean read_deny(const Tightening *t, const VarveTomlValue *table, GError **error)
{
	static const char *const known[] = { "certificate", "layers", "reason", NULL };
	const VarveToml *toml = t->reader.toml;
	VarveDeny *deny = g_new0(VarveDeny, 1);
	const char *certificate = NULL, *reason = NULL;

	g_ptr_array_add(t->reader.policy->denies, deny);
	deny->origin = varve_policy_reader_origin(&t->reader, table->span);
	if (!varve_toml_check_keys(toml, table, known, error) ||
	    !varve_policy_read_list(toml, table, "layers", FALSE, &deny->layers, error) ||
	    !varve_toml_read_string(toml, table, "certificate", FALSE, &certificate, error) ||
	    !varve_toml_read_string(toml, table, "reason", TRUE, &reason, error))
		return FALSE;
	if (!*reason)
		return varve_toml_fail(toml, varve_toml_get(table, "reason")->span, error,
				       "a sentence was expected: it is what refusals show");
	if (!*deny->layers && !certificate)
		return varve_toml_fail(toml, table->span, error,
				       "it says neither which 'layers' nor whose 'certificate' is "
				       "denied");
	if (certificate) {
		if (!varve_policy_check_certificate(toml, table, "certificate", certificate, error))
			return FALSE;
		if (t->base && !has_certificate(t->base, certificate))
			add_idle(t, varve_toml_get(table, "certificate")->span,
				 "the base has no certificate '%s', so nothing is denied by this: "
				 "correct the name or remove the rule",
				 certificate);
	}
	deny->certificate = g_strdup(certificate);
	deny->reason = g_strdup(reason);
	return TRUE;
}

static gboolean read_root(const Tightening *t, GError **error)
{
	const VarveToml *toml = t->reader.toml;
	const VarveTomlValue *root = varve_toml_root(toml);
	const VarveTomlValue *denies = NULL, *defaults = NULL, *floors = NULL, *revoked = NULL;

	if (!check_tables(toml, root, error) ||
	    !varve_toml_read_tables(toml, root, "deny", FALSE, &denies, error) ||
	    !varve_toml_read_table(toml, root, "defaults", FALSE, &defaults, error) ||
	    !varve_toml_read_table(toml, root, "rollback-floors", FALSE, &floors, error) ||
	    !varve_toml_read_table(toml, root, "revoked", FALSE, &revoked, error))
		return FALSE;
	for (guint i = 0; denies && i < denies->array.n; i++) {
		if (!read_deny(t, denies->array.items[i], error))
			return FALSE;
	}
	return (!defaults || read_defaults(t, defaults, error)) &&
	       (!floors || read_floors(t, floors, error)) &&
	       (!revoked || varve_policy_read_revoked(&t->reader, revoked, error));
}

VarvePolicy *varve_tighten_parse(const char *text, gsize size, const char *name,
				 const VarvePolicy *base, GPtrArray *idle, GError **error)
{
	g_autoptr(VarveToml) toml = varve_toml_parse(name, text, size, error);
	g_autoptr(VarvePolicy) policy = NULL;
	Tightening t = { .base = base, .idle = idle };

	if (!toml)
		return NULL;
	policy = varve_policy_new();
	t.reader = (VarvePolicyReader){ .toml = toml, .policy = policy };
	return read_root(&t, error) ? g_steal_pointer(&policy) : NULL;
}
