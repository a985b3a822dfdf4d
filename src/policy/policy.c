/* Reading the policy and its certificates from the base (docs/policy.md has the keys). */
#include "policy/policy.h"

#include "base/file.h"
#include "policy/read.h"

#include <string.h>

#define POLICY_LIMIT (1024 * 1024)
#define CERTIFICATE_LIMIT (64 * 1024)

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
					     "patches",
					     NULL };
	VarveAllow *allow = g_new0(VarveAllow, 1);
	const char *certificate = NULL;

	g_ptr_array_add(policy->allows, allow);
	if (!varve_toml_check_keys(toml, table, known, error) ||
	    !varve_toml_read_string(toml, table, "certificate", TRUE, &certificate, error) ||
	    !varve_policy_read_list(toml, table, "layers", TRUE, &allow->layers, error) ||
	    !take_roles(toml, table, &allow->roles, error) ||
	    !varve_policy_read_list(toml, table, "paths", TRUE, &allow->paths, error) ||
	    !varve_policy_read_list(toml, table, "selinux-types", FALSE, &allow->selinux_types,
				    error) ||
	    !varve_policy_read_list(toml, table, "setuid-paths", FALSE, &allow->setuid, error) ||
	    !varve_policy_read_list(toml, table, "capability-paths", FALSE, &allow->capabilities,
				    error) ||
	    !varve_policy_read_list(toml, table, "reserved-paths", FALSE, &allow->reserved,
				    error) ||
	    !varve_toml_read_boolean(toml, table, "kernel-modules", FALSE, &allow->kernel_modules,
				     error) ||
	    !varve_policy_read_list(toml, table, "patches", FALSE, &allow->patches, error))
		return FALSE;
	if (*allow->patches && (allow->roles & (1u << VARVE_ROLE_PATCH)) == 0)
		return varve_toml_fail(toml, varve_toml_get(table, "patches")->span, error,
				       "'patches' says what a patch may override, but 'roles' does "
				       "not allow \"patch\"");
	if (!varve_policy_check_certificate(toml, table, "certificate", certificate, error))
		return FALSE;
	allow->certificate = g_strdup(certificate);
	return TRUE;
}

static gboolean read_defaults(const VarvePolicyReader *reader, const VarveTomlValue *table,
			      GError **error)
{
	static const char *const known[] = { "check", "support-end", "required-layers",
					     "reserved-paths", NULL };
	static const char *const checks[] = { "first", "always", "never", NULL };
	static const char *const ends[] = { "refuse", "warn", NULL };
	VarvePolicy *policy = reader->policy;
	const VarveToml *toml = reader->toml;
	guint check = VARVE_CHECK_FIRST, end = 0;

	if (!varve_toml_check_keys(toml, table, known, error) ||
	    !varve_policy_read_choice(toml, table, "check", checks, &check, error) ||
	    !varve_policy_read_choice(toml, table, "support-end", ends, &end, error) ||
	    !varve_policy_read_said(reader, table, "required-layers", policy->required_layers,
				    error) ||
	    !varve_policy_read_said(reader, table, "reserved-paths", policy->reserved, error))
		return FALSE;
	policy->check = (VarveCheckWhen)check;
	policy->refuse_ended = end == 0;
	return TRUE;
}

static gboolean read_root(const VarvePolicyReader *reader, GError **error)
{
	static const char *const known[] = { "allow", "defaults", "rollback-floors", "revoked",
					     NULL };
	const VarveToml *toml = reader->toml;
	const VarveTomlValue *root = varve_toml_root(toml);
	const VarveTomlValue *allows = NULL, *defaults = NULL, *floors = NULL, *revoked = NULL;

	if (!varve_toml_check_keys(toml, root, known, error) ||
	    !varve_toml_read_tables(toml, root, "allow", FALSE, &allows, error) ||
	    !varve_toml_read_table(toml, root, "defaults", FALSE, &defaults, error) ||
	    !varve_toml_read_table(toml, root, "rollback-floors", FALSE, &floors, error) ||
	    !varve_toml_read_table(toml, root, "revoked", FALSE, &revoked, error))
		return FALSE;
	for (guint i = 0; allows && i < allows->array.n; i++) {
		if (!read_allow(reader->policy, toml, allows->array.items[i], error))
			return FALSE;
	}
	return (!defaults || read_defaults(reader, defaults, error)) &&
	       (!floors || varve_policy_read_floors(reader, floors, error)) &&
	       (!revoked || varve_policy_read_revoked(reader, revoked, error));
}

VarvePolicy *varve_policy_parse(const char *text, gsize size, const char *name, GError **error)
{
	g_autoptr(VarveToml) toml = varve_toml_parse(name, text, size, error);
	g_autoptr(VarvePolicy) policy = NULL;
	VarvePolicyReader reader;

	if (!toml)
		return NULL;
	policy = varve_policy_new();
	policy->check = VARVE_CHECK_FIRST;
	policy->check_origin = g_strdup(VARVE_ORIGIN_BASE);
	policy->refuse_ended = TRUE;
	policy->ended_origin = g_strdup(VARVE_ORIGIN_BASE);
	reader = (VarvePolicyReader){ .toml = toml, .policy = policy, .origin = VARVE_ORIGIN_BASE };
	return read_root(&reader, error) ? g_steal_pointer(&policy) : NULL;
}

GPtrArray *varve_certificates_load(int dirfd, GError **error)
{
	g_autoptr(GPtrArray) list = varve_trusted_list_new();
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
