/* The distribution's own definition: it loads, and its parts agree with each other. */
#include "base/file.h"
#include "base/text.h"
#include "definition/definition.h"
#include "policy/policy.h"
#include "policy/rule.h"

#include <string.h>
#include <sys/stat.h>

#define POLICY_LIMIT (1 << 20)

static VarveDefinition *load(void)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "..", "distro", NULL);
	g_autoptr(GError) error = NULL;
	VarveDefinition *definition = varve_definition_load(path, &error);

	g_assert_no_error(error);
	return definition;
}

static VarvePolicy *load_policy(const VarveEdition *edition)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	VarvePolicy *policy;
	size_t size;

	g_assert_nonnull(edition->policy);
	g_assert_true(
		varve_file_read(AT_FDCWD, edition->policy, POLICY_LIMIT, &text, &size, &error));
	policy = varve_policy_parse(text, size, edition->policy, &error);
	g_assert_no_error(error);
	return policy;
}

/* The policy's rules for the layer, VarveAllow *. */
static GPtrArray *rules_for(const VarvePolicy *policy, const VarveLayerDefinition *layer)
{
	g_autofree char *certificate = g_strconcat(layer->key, ".crt", NULL);
	GPtrArray *rules = g_ptr_array_new();

	for (guint i = 0; i < policy->allows->len; i++) {
		const VarveAllow *allow = policy->allows->pdata[i];

		if (strcmp(allow->certificate, certificate) != 0)
			continue;
		for (char **glob = allow->layers; *glob; glob++)
			if (varve_glob_match(*glob, layer->name))
				g_ptr_array_add(rules, (gpointer)allow);
	}
	return rules;
}

static gboolean may_sign(const VarvePolicy *policy, const VarveLayerDefinition *layer)
{
	g_autoptr(GPtrArray) rules = rules_for(policy, layer);

	return rules->len > 0;
}

/* A layer whose key the policy does not name would be built and then refused by every node. */
static void test_policy_names_every_key(void)
{
	g_autoptr(VarveDefinition) definition = load();

	g_assert_cmpuint(definition->n_editions, >, 0);
	for (gsize i = 0; i < definition->n_editions; i++) {
		const VarveEdition *edition = &definition->editions[i];
		g_autoptr(VarvePolicy) policy = load_policy(edition);

		for (gsize k = 0; k < edition->n_extensions; k++)
			if (!may_sign(policy, edition->extensions[k])) {
				g_test_message("%s: key '%s' may not sign layer '%s'",
					       edition->policy, edition->extensions[k]->key,
					       edition->extensions[k]->name);
				g_test_fail();
			}
	}
}

static void add_path(GPtrArray *tree, const char *path, mode_t mode, const char *target)
{
	VarvePath *added = g_new0(VarvePath, 1);

	added->path = g_intern_string(path);
	added->mode = mode;
	added->target = target;
	g_ptr_array_add(tree, added);
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const VarvePath *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* What the definition says itself that is in an extension, where the build puts it. */
static GPtrArray *declared(const VarveLayerDefinition *layer)
{
	GPtrArray *tree = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *sysctl = g_strdup_printf("usr/lib/sysctl.d/60-%s.conf", layer->name);

	for (gsize i = 0; i < layer->n_entries; i++) {
		const VarveEntry *entry = &layer->entries[i];
		gboolean usr = g_str_has_prefix(entry->path, "/usr/");
		g_autofree char *path =
			g_strconcat(usr ? "" : "usr/share/factory/", entry->path + 1, NULL);

		if (entry->kind == VARVE_ENTRY_FILE || entry->kind == VARVE_ENTRY_LINK)
			add_path(tree, path, entry->target ? S_IFLNK | 0777 : S_IFREG | 0644,
				 entry->target ? entry->target : "");
	}
	if (layer->n_sysctl > 0)
		add_path(tree, sysctl, S_IFREG | 0644, "");
	g_ptr_array_sort(tree, by_path);
	return tree;
}

/* A file that the policy reserves would be built into the layer and then refused by every node. */
static void test_policy_allows_what_is_declared(void)
{
	g_autoptr(VarveDefinition) definition = load();
	const VarveEdition *edition = varve_definition_edition(definition, "container", NULL);
	g_autoptr(VarvePolicy) policy = load_policy(edition);
	g_autoptr(GPtrArray) nothing = g_ptr_array_new();
	const VarveFacts base = { .tree = nothing };
	guint reserved = 0;

	for (gsize i = 0; i < edition->n_extensions; i++) {
		const VarveLayerDefinition *layer = edition->extensions[i];
		g_autoptr(GPtrArray) rules = rules_for(policy, layer), tree = declared(layer);
		const VarveManifest manifest = { .name = (char *)layer->name };
		const VarveFacts facts = { .manifest = &manifest, .tree = tree };
		VarveCase c = { .policy = policy, .base = &base, .layer = &facts, .allows = rules };
		g_autofree char *sentence = varve_rule_reserved_path(&c);
		g_autofree char *without = NULL;

		g_assert_cmpstr(sentence, ==, NULL);
		c.allows = nothing;
		without = varve_rule_reserved_path(&c);
		reserved += without != NULL;
	}
	/* containerd's modules and kernel parameters, and sshd's configuration. */
	g_assert_cmpuint(reserved, ==, 2);
}

static gboolean comes_with_base(const VarveEdition *edition, const char *certificate)
{
	g_autofree char *key = g_strndup(certificate, strlen(certificate) - strlen(".crt"));
	gboolean found =
		strcmp(edition->base->key, key) == 0 || g_strv_contains(edition->trusted_keys, key);

	for (gsize i = 0; i < edition->n_extensions; i++)
		found = found || strcmp(edition->extensions[i]->key, key) == 0;
	return found;
}

/* A certificate that the base lacks would refuse every extension. */
static void test_base_has_every_certificate(void)
{
	g_autoptr(VarveDefinition) definition = load();

	for (gsize i = 0; i < definition->n_editions; i++) {
		const VarveEdition *edition = &definition->editions[i];
		g_autoptr(VarvePolicy) policy = load_policy(edition);

		for (guint k = 0; k < policy->allows->len; k++) {
			const VarveAllow *allow = policy->allows->pdata[k];

			if (!comes_with_base(edition, allow->certificate))
				g_error("%s: '%s' is in no base", edition->policy,
					allow->certificate);
		}
	}
}

/* The security team may patch what there is, and may not bring what decides about it. */
static void test_security_key_patches_alone(void)
{
	g_autoptr(VarveDefinition) definition = load();
	const VarveEdition *edition = varve_definition_edition(definition, "container", NULL);
	g_autoptr(VarvePolicy) policy = load_policy(edition);
	static const char *const never[] = {
		"/usr/lib/verity.d/security.crt",       "/usr/lib/varve/policy.toml",
		"/usr/lib/systemd/system-preset/x",     "/usr/lib/udev/rules.d/99-x.rules",
		"/usr/lib/modprobe.d/x.conf",           "/usr/share/factory/etc/passwd",
		"/usr/share/factory/etc/ld.so.preload", "/usr/lib/sysctl.d/x.conf",
		"/usr/lib/systemd/network/x.link",      "/usr/share/factory/etc/ssh/sshd_config",
	};
	gboolean found = FALSE;

	for (guint i = 0; i < policy->allows->len; i++) {
		const VarveAllow *allow = policy->allows->pdata[i];

		if (strcmp(allow->certificate, "security.crt") != 0) {
			g_assert_null(allow->patches[0]);
			continue;
		}
		found = TRUE;
		g_assert_cmpuint(allow->roles, ==, 1u << VARVE_ROLE_PATCH);
		g_assert_false(allow->kernel_modules);
		for (char **glob = allow->reserved; *glob; glob++)
			for (gsize k = 0; k < G_N_ELEMENTS(never); k++)
				g_assert_false(varve_glob_match(*glob, never[k]));
	}
	g_assert_true(found);
}

/* The monitoring team's scope is the one that the design promises. */
static void test_monitoring_key_signs_monitoring_alone(void)
{
	g_autoptr(VarveDefinition) definition = load();
	const VarveEdition *edition = varve_definition_edition(definition, "container", NULL);
	g_autoptr(VarvePolicy) policy = load_policy(edition);
	static const char *const never[] = {
		"/usr/sbin/sshd",
		"/usr/lib/x86_64-linux-gnu/libc.so.6",
		"/usr/lib/tmpfiles.d/varve-monitoring.conf",
		"/usr/lib/systemd/system/ssh.service",
		"/usr/share/factory/etc/passwd",
	};

	for (guint i = 0; i < policy->allows->len; i++) {
		const VarveAllow *allow = policy->allows->pdata[i];

		if (strcmp(allow->certificate, "monitoring.crt") != 0)
			continue;
		g_assert_cmpuint(allow->roles, ==, 1u << VARVE_ROLE_EXTENSION);
		for (char **glob = allow->layers; *glob; glob++) {
			g_assert_false(varve_glob_match(*glob, "ssh"));
			g_assert_false(varve_glob_match(*glob, "containerd"));
		}
		for (char **glob = allow->paths; *glob; glob++)
			for (gsize k = 0; k < G_N_ELEMENTS(never); k++)
				g_assert_false(varve_glob_match(*glob, never[k]));
	}
}

/* A role is spelled for every upstream that an edition can be built on with --upstream. */
static void test_sets_are_spelled_for_every_upstream(void)
{
	g_autoptr(VarveDefinition) definition = load();

	for (gsize i = 0; i < definition->n_package_sets; i++)
		for (gsize k = 0; k < definition->n_upstreams; k++)
			if (!varve_package_set_spelling(&definition->package_sets[i],
							&definition->upstreams[k])) {
				g_test_message("package set '%s' is not spelled for '%s'",
					       definition->package_sets[i].name,
					       definition->upstreams[k].name);
				g_test_fail();
			}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/distro/policy-names-every-key", test_policy_names_every_key);
	g_test_add_func("/distro/policy-allows-what-is-declared",
			test_policy_allows_what_is_declared);
	g_test_add_func("/distro/base-has-every-certificate", test_base_has_every_certificate);
	g_test_add_func("/distro/security-key-patches-alone", test_security_key_patches_alone);
	g_test_add_func("/distro/monitoring-key-signs-monitoring-alone",
			test_monitoring_key_signs_monitoring_alone);
	g_test_add_func("/distro/sets-are-spelled-for-every-upstream",
			test_sets_are_spelled_for_every_upstream);
	return g_test_run();
}
