/* policy/: what policy.toml may say, and where its mistakes are. */
#include "policy/policy.h"

#include "base/error.h"

#include <string.h>

static void assert_refused(const char *text, const char *message)
{
	g_autoptr(GError) error = NULL;
	VarvePolicy *policy = varve_policy_parse(text, strlen(text), "policy.toml", &error);

	g_assert_null(policy);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
	if (!strstr(error->message, message))
		g_error("'%s' does not say '%s'", error->message, message);
}

#define ALLOW "[[allow]]\ncertificate = \"a.crt\"\nlayers = [\"a\"]\nroles = [\"extension\"]\n"

static void test_policy_errors(void)
{
	assert_refused("allowed = 1\n", "policy.toml:1:1");
	assert_refused(ALLOW, "paths");
	assert_refused(ALLOW "paths = []\nsetuid = true\n", "setuid");
	assert_refused("[[allow]]\ncertificate = \"../a.crt\"\nlayers = []\n"
		       "roles = [\"extension\"]\npaths = []\n",
		       "file name");
	assert_refused("[[allow]]\ncertificate = \"a.crt\"\nlayers = []\nroles = [\"base\"]\n"
		       "paths = []\n",
		       "'base'");
	assert_refused("[defaults]\ncheck = \"sometimes\"\n", "first");
	assert_refused("[revoked]\nlayers = [\"FF\"]\n", "64 lowercase");
	assert_refused("[rollback-floors]\na = -1\n", "policy.toml:2");
}

static void test_policy_defaults(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarvePolicy) policy = varve_policy_parse("", 0, "policy.toml", &error);

	g_assert_no_error(error);
	g_assert_cmpuint(policy->allows->len, ==, 0);
	g_assert_cmpint(policy->check, ==, VARVE_CHECK_FIRST);
	g_assert_true(policy->refuse_ended);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/policy-file/errors", test_policy_errors);
	g_test_add_func("/policy-file/defaults", test_policy_defaults);
	return g_test_run();
}
