/* The distribution's own definition: it loads, and its parts agree with each other. */
#include "base/file.h"
#include "base/text.h"
#include "definition/definition.h"
#include "policy/policy.h"

#include <string.h>

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

static gboolean may_sign(const VarvePolicy *policy, const VarveLayerDefinition *layer)
{
	g_autofree char *certificate = g_strconcat(layer->key, ".crt", NULL);

	for (guint i = 0; i < policy->allows->len; i++) {
		const VarveAllow *allow = policy->allows->pdata[i];

		if (strcmp(allow->certificate, certificate) != 0)
			continue;
		for (char **glob = allow->layers; *glob; glob++)
			if (varve_glob_match(*glob, layer->name))
				return TRUE;
	}
	return FALSE;
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
	g_test_add_func("/distro/monitoring-key-signs-monitoring-alone",
			test_monitoring_key_signs_monitoring_alone);
	g_test_add_func("/distro/sets-are-spelled-for-every-upstream",
			test_sets_are_spelled_for_every_upstream);
	return g_test_run();
}
