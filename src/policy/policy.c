/* Reading the policy and its certificates from the base (docs/policy.md has the keys). */
#include "policy/policy.h"

#include "base/file.h"
#include "toml/toml.h"

#include <string.h>

#define POLICY_LIMIT (1024 * 1024)
#define CERTIFICATE_LIMIT (64 * 1024)

static void trusted_free(gpointer data)
{
	VarveTrusted *trusted = data;

	g_free(trusted->name);
	varve_certificate_free(trusted->certificate);
	g_free(trusted);
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
	g_free(allow);
}

static VarvePolicy *policy_new(void)
{
	VarvePolicy *policy = g_new0(VarvePolicy, 1);

	policy->trusted = g_ptr_array_new_with_free_func(trusted_free);
	policy->allows = g_ptr_array_new_with_free_func(allow_free);
	policy->required_layers = g_new0(char *, 1);
	policy->reserved = g_new0(char *, 1);
	policy->revoked_keys = g_new0(char *, 1);
	policy->revoked_roots = g_new0(char *, 1);
	policy->floors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	policy->refuse_ended = TRUE;
	return policy;
}

void varve_policy_free(VarvePolicy *policy)
{
	if (!policy)
		return;
	g_ptr_array_unref(policy->trusted);
	g_ptr_array_unref(policy->allows);
	g_strfreev(policy->required_layers);
	g_strfreev(policy->reserved);
	g_strfreev(policy->revoked_keys);
	g_strfreev(policy->revoked_roots);
	g_hash_table_unref(policy->floors);
	g_free(policy);
}

/* A list that is there replaces the empty one. */
static gboolean take_list(const VarveToml *toml, const VarveTomlValue *table, const char *key,
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

static gboolean take_roles(const VarveToml *toml, const VarveTomlValue *table, guint *ret,
			   GError **error)
{
	const VarveTomlValue *value = varve_toml_get(table, "roles");
	g_auto(GStrv) names = NULL;

	if (!varve_toml_read_strings(toml, table, "roles", TRUE, &names, error))
		return FALSE;
	for (guint i = 0; names[i]; i++) {
		VarveRole role;

		if (!varve_role_from_name(names[i], &role) || role == VARVE_ROLE_BASE)
			return varve_toml_fail(
				toml, value->array.items[i]->span, error,
				"'%s' is no role that a rule can allow: \"extension\" "
				"or \"patch\"",
				names[i]);
		*ret |= 1u << role;
	}
	return TRUE;
}

static gboolean read_allow(VarvePolicy *policy, const VarveToml *toml, const VarveTomlValue *table,
			   GError **error)
{
	static const char *const known[] = { "certificate",
					     "layers",
					     "roles",
					     "paths",
					     "selinux-types",
					     "setuid-paths",
					     "capability-paths",
					     "reserved-paths",
					     "kernel-modules",
					     NULL };
	VarveAllow *allow = g_new0(VarveAllow, 1);
	const char *certificate = NULL;

	g_ptr_array_add(policy->allows, allow);
	if (!varve_toml_check_keys(toml, table, known, error) ||
	    !varve_toml_read_string(toml, table, "certificate", TRUE, &certificate, error) ||
	    !take_list(toml, table, "layers", TRUE, &allow->layers, error) ||
	    !take_roles(toml, table, &allow->roles, error) ||
	    !take_list(toml, table, "paths", TRUE, &allow->paths, error) ||
	    !take_list(toml, table, "selinux-types", FALSE, &allow->selinux_types, error) ||
	    !take_list(toml, table, "setuid-paths", FALSE, &allow->setuid, error) ||
	    !take_list(toml, table, "capability-paths", FALSE, &allow->capabilities, error) ||
	    !take_list(toml, table, "reserved-paths", FALSE, &allow->reserved, error) ||
	    !varve_toml_read_boolean(toml, table, "kernel-modules", FALSE, &allow->kernel_modules,
				     error))
		return FALSE;
	if (strchr(certificate, '/') || certificate[0] == '.')
		return varve_toml_fail(toml, varve_toml_get(table, "certificate")->span, error,
				       "a file name in /" VARVE_CERTIFICATES_DIR " was expected");
	allow->certificate = g_strdup(certificate);
	return TRUE;
}

/* One word of a fixed few; @ret is its index. */
static gboolean read_choice(const VarveToml *toml, const VarveTomlValue *table, const char *key,
			    const char *const *choices, guint *ret, GError **error)
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
			       "'%s' is \"%s\", expected one of \"%s\"", key, word, all);
}

static gboolean read_defaults(VarvePolicy *policy, const VarveToml *toml,
			      const VarveTomlValue *table, GError **error)
{
	static const char *const known[] = { "check", "support-end", "required-layers",
					     "reserved-paths", NULL };
	static const char *const checks[] = { "first", "always", "never", NULL };
	static const char *const ends[] = { "refuse", "warn", NULL };
	guint check = VARVE_CHECK_FIRST, end = 0;

	if (!varve_toml_check_keys(toml, table, known, error) ||
	    !read_choice(toml, table, "check", checks, &check, error) ||
	    !read_choice(toml, table, "support-end", ends, &end, error) ||
	    !take_list(toml, table, "required-layers", FALSE, &policy->required_layers, error) ||
	    !take_list(toml, table, "reserved-paths", FALSE, &policy->reserved, error))
		return FALSE;
	policy->check = (VarveCheckWhen)check;
	policy->refuse_ended = end == 0;
	return TRUE;
}

static gboolean read_floors(VarvePolicy *policy, const VarveToml *toml, const VarveTomlValue *table,
			    GError **error)
{
	TOML_FOREACH (entry, table) {
		gint64 floor = 0;

		if (!varve_toml_read_integer(toml, table, entry->key, TRUE, 0, G_MAXINT64, &floor,
					     error))
			return FALSE;
		g_hash_table_insert(policy->floors, g_strdup(entry->key),
				    g_memdup2(&floor, sizeof(floor)));
	}
	return TRUE;
}

/* A fingerprint that cannot match anything would revoke nothing, silently. */
static gboolean check_digests(const VarveToml *toml, const VarveTomlValue *table, const char *key,
			      char **list, GError **error)
{
	const VarveTomlValue *value = varve_toml_get(table, key);

	for (guint i = 0; list[i]; i++) {
		VarveDigest digest;

		if (!varve_digest_from_hex(list[i], &digest))
			return varve_toml_fail(toml, value->array.items[i]->span, error,
					       "64 lowercase hexadecimal digits were expected");
	}
	return TRUE;
}

static gboolean read_revoked(VarvePolicy *policy, const VarveToml *toml,
			     const VarveTomlValue *table, GError **error)
{
	static const char *const known[] = { "certificates", "layers", NULL };

	return varve_toml_check_keys(toml, table, known, error) &&
	       take_list(toml, table, "certificates", FALSE, &policy->revoked_keys, error) &&
	       check_digests(toml, table, "certificates", policy->revoked_keys, error) &&
	       take_list(toml, table, "layers", FALSE, &policy->revoked_roots, error) &&
	       check_digests(toml, table, "layers", policy->revoked_roots, error);
}

static gboolean read_root(VarvePolicy *policy, const VarveToml *toml, GError **error)
{
	static const char *const known[] = { "allow", "defaults", "rollback-floors", "revoked",
					     NULL };
	const VarveTomlValue *root = varve_toml_root(toml);
	const VarveTomlValue *allows = NULL, *defaults = NULL, *floors = NULL, *revoked = NULL;

	if (!varve_toml_check_keys(toml, root, known, error) ||
	    !varve_toml_read_tables(toml, root, "allow", FALSE, &allows, error) ||
	    !varve_toml_read_table(toml, root, "defaults", FALSE, &defaults, error) ||
	    !varve_toml_read_table(toml, root, "rollback-floors", FALSE, &floors, error) ||
	    !varve_toml_read_table(toml, root, "revoked", FALSE, &revoked, error))
		return FALSE;
	for (guint i = 0; allows && i < allows->array.n; i++) {
		if (!read_allow(policy, toml, allows->array.items[i], error))
			return FALSE;
	}
	return (!defaults || read_defaults(policy, toml, defaults, error)) &&
	       (!floors || read_floors(policy, toml, floors, error)) &&
	       (!revoked || read_revoked(policy, toml, revoked, error));
}

VarvePolicy *varve_policy_parse(const char *text, gsize size, const char *name, GError **error)
{
	g_autoptr(VarveToml) toml = varve_toml_parse(name, text, size, error);
	g_autoptr(VarvePolicy) policy = NULL;

	if (!toml)
		return NULL;
	policy = policy_new();
	return read_root(policy, toml, error) ? g_steal_pointer(&policy) : NULL;
}

GPtrArray *varve_certificates_load(int dirfd, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(trusted_free);
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(dirfd, VARVE_CERTIFICATES_DIR, &names, error))
		return NULL;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_strconcat(VARVE_CERTIFICATES_DIR "/", *name, NULL);
		g_autofree char *data = NULL;
		VarveTrusted *trusted;
		VarveCertificate *certificate;
		gsize size;

		if (!g_str_has_suffix(*name, ".crt") && !g_str_has_suffix(*name, ".pem"))
			continue;
		if (!varve_file_read(dirfd, path, CERTIFICATE_LIMIT, &data, &size, error))
			return NULL;
		certificate = varve_certificate_parse(data, size, path, error);
		if (!certificate)
			return NULL;
		trusted = g_new0(VarveTrusted, 1);
		trusted->name = g_strdup(*name);
		trusted->certificate = certificate;
		g_ptr_array_add(list, trusted);
	}
	return g_steal_pointer(&list);
}

static const VarveTrusted *trusted_by_name(const VarvePolicy *policy, const char *name)
{
	for (guint i = 0; i < policy->trusted->len; i++) {
		const VarveTrusted *trusted = policy->trusted->pdata[i];

		if (strcmp(trusted->name, name) == 0)
			return trusted;
	}
	return NULL;
}

VarvePolicy *varve_policy_load(int base_fd, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(VarvePolicy) policy = NULL;
	gsize size;

	if (!varve_file_read(base_fd, VARVE_POLICY_FILE, POLICY_LIMIT, &text, &size, error))
		return NULL;
	policy = varve_policy_parse(text, size, "/" VARVE_POLICY_FILE, error);
	if (!policy)
		return NULL;
	g_ptr_array_unref(policy->trusted);
	policy->trusted = varve_certificates_load(base_fd, error);
	if (!policy->trusted) {
		policy->trusted = g_ptr_array_new();
		return NULL;
	}
	for (guint i = 0; i < policy->allows->len; i++) {
		const VarveAllow *allow = policy->allows->pdata[i];

		if (trusted_by_name(policy, allow->certificate))
			continue;
		varve_fail(error, VARVE_ERROR_DEFINITION,
			   "/" VARVE_POLICY_FILE
			   ": rule %u names the certificate '%s', which is not "
			   "in /" VARVE_CERTIFICATES_DIR " of the base",
			   i + 1, allow->certificate);
		return NULL;
	}
	return g_steal_pointer(&policy);
}

GPtrArray *varve_policy_certificates(const VarvePolicy *policy)
{
	GPtrArray *list = g_ptr_array_new();

	for (guint i = 0; i < policy->trusted->len; i++) {
		const VarveTrusted *trusted = policy->trusted->pdata[i];

		g_ptr_array_add(list, trusted->certificate);
	}
	return list;
}

const VarveTrusted *varve_policy_trusted(const VarvePolicy *policy,
					 const VarveCertificate *certificate)
{
	for (guint i = 0; i < policy->trusted->len; i++) {
		const VarveTrusted *trusted = policy->trusted->pdata[i];

		if (trusted->certificate == certificate)
			return trusted;
	}
	return NULL;
}
