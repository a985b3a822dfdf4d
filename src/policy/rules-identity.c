/* Rules about who a layer is: its key, role, architecture, OS, name, age. */
#include "base/text.h"
#include "policy/rule.h"

#include <stdio.h>
#include <string.h>

char *varve_rule_role(const VarveCase *c)
{
	if (c->layer->manifest->role != VARVE_ROLE_BASE)
		return NULL;
	return g_strdup_printf("'%s' is a base layer; only extensions and patches are merged",
			       c->layer->manifest->name);
}

/* (borrowed, nullable) who revoked the certificate. */
static const char *revoked_by(const VarvePolicy *policy, const VarveTrusted *trusted)
{
	g_autofree char *fingerprint =
		varve_digest_dup_hex(varve_certificate_fingerprint(trusted->certificate));

	return g_hash_table_lookup(policy->revoked_certificates, fingerprint);
}

/* (caller frees, nullable) the sentence where the key itself is known to be revoked. */
static char *key_revoked(const VarvePolicy *policy, const VarveTrusted *signer)
{
	g_autofree char *hex = NULL;
	const char *origin;
	VarveDigest key;

	if (g_hash_table_size(policy->revoked_keys) == 0)
		return NULL;
	varve_certificate_key_digest(signer->certificate, &key);
	hex = varve_digest_dup_hex(&key);
	origin = g_hash_table_lookup(policy->revoked_keys, hex);
	return origin ? g_strdup_printf("the key of certificate '%s' was revoked, says %s",
					signer->name, origin)
		      : NULL;
}

char *varve_policy_revoked(const VarvePolicy *policy, const VarveTrusted *signer,
			   const VarveDigest *root)
{
	g_autofree char *hex = varve_digest_dup_hex(root);
	const char *origin = g_hash_table_lookup(policy->revoked_layers, hex);
	const VarveTrusted *revoked = signer;
	g_autofree char *fingerprint = NULL;

	if (origin)
		return g_strdup_printf("root hash %s was revoked, says %s", hex, origin);
	origin = revoked_by(policy, signer);
	for (guint i = 0; !origin && i < policy->trusted->len; i++) {
		revoked = policy->trusted->pdata[i];
		origin = revoked_by(policy, revoked);
		if (origin &&
		    !varve_certificate_same_key(revoked->certificate, signer->certificate))
			origin = NULL;
	}
	if (!origin)
		return key_revoked(policy, signer);
	fingerprint = varve_digest_dup_hex(varve_certificate_fingerprint(revoked->certificate));
	return g_strdup_printf("its key was revoked, says %s: certificate '%s', fingerprint %s",
			       origin, revoked->name, fingerprint);
}

char *varve_rule_revoked(const VarveCase *c)
{
	return varve_policy_revoked(c->policy, c->layer->signer, &c->layer->root);
}

/* Whether @deny is about who signed @layer. As with revocation it is the key that counts. */
static gboolean denies_signer(const VarveDeny *deny, const VarvePolicy *policy,
			      const VarveTrusted *signer)
{
	if (!deny->certificate || strcmp(deny->certificate, signer->name) == 0)
		return TRUE;
	for (guint i = 0; i < policy->trusted->len; i++) {
		const VarveTrusted *other = policy->trusted->pdata[i];

		if (strcmp(deny->certificate, other->name) == 0 &&
		    varve_certificate_same_key(other->certificate, signer->certificate))
			return TRUE;
	}
	return FALSE;
}

char *varve_rule_denied_locally(const VarveCase *c)
{
	for (guint i = 0; i < c->policy->denies->len; i++) {
		const VarveDeny *deny = c->policy->denies->pdata[i];
		gboolean named = !*deny->layers;

		for (char **glob = deny->layers; *glob; glob++)
			named = named || varve_glob_match(*glob, c->layer->manifest->name);
		if (named && denies_signer(deny, c->policy, c->layer->signer))
			return g_strdup_printf("%s denies it: %s", deny->origin, deny->reason);
	}
	return NULL;
}

/* "'a*' or 'b'" of all rules for this certificate, or NULL where there is none. */
static char *scope_of(const VarveCase *c)
{
	GString *text = NULL;

	for (guint i = 0; i < c->policy->allows->len; i++) {
		const VarveAllow *allow = c->policy->allows->pdata[i];

		if (strcmp(allow->certificate, c->layer->signer->name) != 0)
			continue;
		for (char **glob = allow->layers; *glob; glob++) {
			if (!text)
				text = g_string_new(NULL);
			g_string_append_printf(text, "%s'%s'", text->len ? " or " : "", *glob);
		}
	}
	return text ? g_string_free(text, FALSE) : NULL;
}

char *varve_rule_key_scope(const VarveCase *c)
{
	const VarveManifest *manifest = c->layer->manifest;
	g_autofree char *scope = NULL;

	if (c->allows->len > 0)
		return NULL;
	scope = scope_of(c);
	if (!scope)
		return g_strdup_printf(
			"it is signed with '%s', which the policy lets sign no layer",
			c->layer->signer->name);
	return g_strdup_printf(
		"it is signed with '%s', which may sign layers called %s; this is '%s' "
		"with role %s",
		c->layer->signer->name, scope, manifest->name, varve_role_name(manifest->role));
}

char *varve_rule_architecture(const VarveCase *c)
{
	const char *base = c->base->manifest->arch, *layer = c->layer->manifest->arch;

	if (strcmp(base, layer) == 0)
		return NULL;
	return g_strdup_printf("it is for %s, the base is for %s", layer, base);
}

/* (caller frees, nullable) the value of KEY= in an os-release style file, quotes removed. */
static char *release_value(const char *text, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	gsize length = strlen(key);

	for (char **line = lines; *line; line++) {
		char *stripped = g_strstrip(*line);
		gsize n;

		if (strncmp(stripped, key, length) != 0 || stripped[length] != '=')
			continue;
		stripped += length + 1;
		n = strlen(stripped);
		if (n >= 2 && (stripped[0] == '"' || stripped[0] == '\'') &&
		    stripped[n - 1] == stripped[0])
			return g_strndup(stripped + 1, n - 2);
		return g_strdup(stripped);
	}
	return NULL;
}

/* One field of extension-release against what the base is; @any: "_any" matches too. */
static char *check_field(const char *text, const char *key, const char *expected, gboolean any,
			 gboolean required)
{
	g_autofree char *value = release_value(text, key);

	if (!value)
		return required ? g_strdup_printf("its extension-release has no %s", key) : NULL;
	if (strcmp(value, expected) == 0 || (any && strcmp(value, "_any") == 0))
		return NULL;
	return g_strdup_printf("its extension-release says %s=%s, the base is %s", key, value,
			       expected);
}

char *varve_rule_extension_release(const VarveCase *c)
{
	const VarveManifest *base = c->base->manifest, *layer = c->layer->manifest;
	const char *text = c->layer->extension_release;
	g_autofree char *id = NULL;
	char *sentence;

	if (!text)
		return g_strdup_printf("it has no usr/lib/extension-release.d/extension-release.%s",
				       layer->name);
	if (c->layer->extension_release_strict)
		return g_strdup_printf("its extension-release lacks the attribute "
				       "user.extension-release.strict=0");
	if (strcmp(layer->os_id, base->os_id) != 0 ||
	    strcmp(layer->os_version_id, base->os_version_id) != 0)
		return g_strdup_printf("its manifest is for %s %s, the base is %s %s", layer->os_id,
				       layer->os_version_id, base->os_id, base->os_version_id);
	sentence = check_field(text, "ID", base->os_id, TRUE, TRUE);
	id = release_value(text, "ID");
	if (!sentence && strcmp(id, "_any") != 0)
		sentence = check_field(text, "VERSION_ID", base->os_version_id, FALSE, TRUE);
	if (!sentence)
		sentence = check_field(text, "ARCHITECTURE", base->arch, TRUE, FALSE);
	return sentence;
}

char *varve_rule_misnamed(const VarveCase *c)
{
	const VarveManifest *manifest = c->layer->manifest;
	g_autofree char *expected =
		g_strdup_printf("%s_%s_%s.raw", manifest->name, manifest->version, manifest->arch);

	if (strcmp(expected, c->layer->file) == 0)
		return NULL;
	return g_strdup_printf("the file is called '%s', what is in it should be called '%s'",
			       c->layer->file, expected);
}

char *varve_rule_rollback(const VarveCase *c)
{
	const VarveManifest *manifest = c->layer->manifest;
	const VarveFloor *floor = g_hash_table_lookup(c->policy->floors, manifest->name);

	if (!floor || manifest->rollback_index >= floor->index)
		return NULL;
	return g_strdup_printf("its rollback index is %" G_GUINT64_FORMAT
			       ", the lowest acceptable is %" G_GUINT64_FORMAT ", says %s",
			       manifest->rollback_index, floor->index, floor->origin);
}

/* Days since the epoch. */
static gboolean read_date(const char *text, gint64 *ret_day)
{
	int year, month, day, end = 0;
	GDate date;

	if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || text[end] ||
	    !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
		return FALSE;
	g_date_clear(&date, 1);
	g_date_set_dmy(&date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
	/* Julian day 719163 is 1970-01-01 in GLib's count. */
	*ret_day = (gint64)g_date_get_julian(&date) - 719163;
	return TRUE;
}

gboolean varve_support_ended(const char *support_end, gint64 today)
{
	gint64 last;

	if (today == 0 || !*support_end)
		return FALSE;
	return !read_date(support_end, &last) || today > last;
}

char *varve_rule_support_ended(const VarveCase *c)
{
	const char *end = c->layer->manifest->support_end;
	gint64 last;

	if (!c->policy->refuse_ended || !varve_support_ended(end, c->today))
		return NULL;
	if (!read_date(end, &last))
		return g_strdup_printf("its support end '%s' is no date", end);
	return g_strdup_printf("its support ended on %s, and support-end is \"refuse\", says %s",
			       end, c->policy->ended_origin);
}
