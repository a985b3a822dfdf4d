/* policy/tighten.c and policy/model.c: a node's own files make a policy stricter, never looser, and
 * say where a mistake is. */
#include "base/error.h"
#include "base/file.h"
#include "policy/tighten.h"

#include <string.h>

#define NAME "/etc/varve/policy.d/site.toml"
#define REVOKED "00000000000000000000000000000000000000000000000000000000000000aa"

static const char base_text[] = "[defaults]\n"
				"check = \"never\"\n"
				"support-end = \"warn\"\n"
				"required-layers = [\"ssh\"]\n"
				"[rollback-floors]\n"
				"app = 3\n"
				"[revoked]\n"
				"layers = [\"" REVOKED "\"]\n";

static char *data_path(const char *name)
{
	return g_build_filename(g_getenv("G_TEST_SRCDIR"), "../data/policy.d", name, NULL);
}

static VarvePolicy *base_policy(void)
{
	g_autoptr(GError) error = NULL;
	VarvePolicy *policy =
		varve_policy_parse(base_text, strlen(base_text), "policy.toml", &error);

	g_assert_no_error(error);
	return policy;
}

static void assert_said(const GPtrArray *list, guint i, const char *value, const char *origin)
{
	const VarveSaid *said = list->pdata[i];

	g_assert_cmpuint(i, <, list->len);
	g_assert_cmpstr(said->value, ==, value);
	g_assert_cmpstr(said->origin, ==, origin);
}

static void assert_floor(const VarvePolicy *policy, const char *layer, guint64 index,
			 const char *origin)
{
	const VarveFloor *floor = g_hash_table_lookup(policy->floors, layer);

	g_assert_nonnull(floor);
	g_assert_cmpuint(floor->index, ==, index);
	g_assert_cmpstr(floor->origin, ==, origin);
}

static VarvePolicy *parse(const char *text, const VarvePolicy *base, GPtrArray *idle)
{
	g_autoptr(GError) error = NULL;
	VarvePolicy *local = varve_tighten_parse(text, strlen(text), NAME, base, idle, &error);

	g_assert_no_error(error);
	return local;
}

static void test_everything(void)
{
	g_autofree char *path = data_path("everything.toml");
	g_autoptr(GPtrArray) idle = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(VarvePolicy) policy = base_policy();
	g_autoptr(VarvePolicy) local = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	const VarveDeny *deny;
	gsize size;

	g_assert_true(varve_file_read(AT_FDCWD, path, 65536, &text, &size, NULL));
	local = varve_tighten_parse(text, size, NAME, NULL, idle, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(idle->len, ==, 0);
	varve_policy_tighten(policy, local);
	g_assert_cmpint(policy->check, ==, VARVE_CHECK_ALWAYS);
	g_assert_cmpstr(policy->check_origin, ==, NAME ":3");
	g_assert_true(policy->refuse_ended);
	g_assert_cmpstr(policy->ended_origin, ==, NAME ":4");
	/* What the base said first stays the base's. */
	g_assert_cmpuint(policy->required_layers->len, ==, 2);
	assert_said(policy->required_layers, 0, "ssh", VARVE_ORIGIN_BASE);
	assert_said(policy->required_layers, 1, "audit", NAME ":5");
	assert_said(policy->reserved, 0, "/usr/lib/site/**", NAME ":6");
	assert_floor(policy, "app", 7, NAME ":9");
	assert_floor(policy, "new", 1, NAME ":10");
	g_assert_cmpuint(g_hash_table_size(policy->revoked_certificates), ==, 1);
	g_assert_cmpuint(g_hash_table_size(policy->revoked_layers), ==, 2);
	g_assert_cmpstr(g_hash_table_lookup(policy->revoked_layers, REVOKED), ==,
			VARVE_ORIGIN_BASE);
	g_assert_cmpuint(policy->denies->len, ==, 2);
	deny = policy->denies->pdata[1];
	g_assert_cmpstr(deny->certificate, ==, "team.crt");
	g_assert_cmpstr(deny->layers[0], ==, "app-x");
	g_assert_cmpstr(deny->reason, ==, "until ticket 12 is closed");
	g_assert_cmpstr(deny->origin, ==, NAME ":20");
}

/* Whatever the base says: nothing of it is looser afterwards. */
static void test_nothing_becomes_looser(void)
{
	g_autoptr(GPtrArray) idle = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(VarvePolicy) policy = base_policy();
	g_autoptr(VarvePolicy) empty = parse("", policy, idle);
	g_autoptr(VarvePolicy) lower = parse("[rollback-floors]\napp = 1\n", NULL, idle);
	g_autoptr(VarvePolicy) strict = NULL;
	static const char strict_text[] =
		"[defaults]\ncheck = \"always\"\nsupport-end = \"refuse\"\n";

	varve_policy_tighten(policy, empty);
	g_assert_cmpint(policy->check, ==, VARVE_CHECK_NEVER);
	g_assert_false(policy->refuse_ended);
	varve_policy_tighten(policy, lower);
	assert_floor(policy, "app", 3, VARVE_ORIGIN_BASE);
	strict = varve_policy_parse(strict_text, strlen(strict_text), "policy.toml", NULL);
	varve_policy_tighten(strict, policy);
	g_assert_cmpint(strict->check, ==, VARVE_CHECK_ALWAYS);
	g_assert_cmpstr(strict->check_origin, ==, VARVE_ORIGIN_BASE);
	g_assert_true(strict->refuse_ended);
	/* A file that is tightened by a policy with rules gets none of them. */
	g_assert_cmpuint(strict->allows->len, ==, 0);
}

/* The first line of a file says what the message must begin with. */
static char *expectation(const char *text)
{
	static const char mark[] = "# expected: ";
	const char *end = strchr(text, '\n');

	g_assert_true(g_str_has_prefix(text, mark));
	return g_strndup(text + strlen(mark), (gsize)(end - text) - strlen(mark));
}

static void assert_begins(const char *message, const char *expected)
{
	if (!g_str_has_prefix(message, expected))
		g_error("'%s' does not begin with '%s'", message, expected);
}

static void test_should_fail(gconstpointer path)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autoptr(GPtrArray) idle = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(VarvePolicy) base = base_policy();
	g_autofree char *text = NULL, *expected = NULL;
	g_autoptr(GError) error = NULL;
	gsize size;

	g_assert_true(varve_file_read(AT_FDCWD, path, 65536, &text, &size, NULL));
	expected = expectation(text);
	g_assert_null(varve_tighten_parse(text, size, name, base, idle, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
	assert_begins(error->message, expected);
}

/* A line that says nothing against this base is told, and the rest of the file holds. */
static void test_idle(gconstpointer path)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autoptr(GPtrArray) idle = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(VarvePolicy) base = base_policy();
	g_autoptr(VarvePolicy) local = NULL, alone = NULL;
	g_autofree char *text = NULL, *expected = NULL;
	g_autoptr(GError) error = NULL;
	gsize size;

	g_assert_true(varve_file_read(AT_FDCWD, path, 65536, &text, &size, NULL));
	expected = expectation(text);
	local = varve_tighten_parse(text, size, name, base, idle, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(idle->len, ==, 1);
	assert_begins(idle->pdata[0], expected);
	g_assert_true(g_hash_table_contains(local->revoked_layers, REVOKED));
	/* Without a base nobody can tell. */
	alone = varve_tighten_parse(text, size, name, NULL, idle, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(idle->len, ==, 1);
}

static void add_files(const char *directory, void (*test)(gconstpointer), guint least)
{
	g_autofree char *path = data_path(directory);
	g_auto(GStrv) names = NULL;

	g_assert_true(varve_dir_list(AT_FDCWD, path, &names, NULL));
	g_assert_cmpuint(g_strv_length(names), >=, least);
	for (char **name = names; *name; name++) {
		g_autofree char *what = g_strdup_printf("/tighten/%s/%s", directory, *name);

		g_test_add_data_func_full(what, g_build_filename(path, *name, NULL), test, g_free);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tighten/everything", test_everything);
	g_test_add_func("/tighten/nothing-becomes-looser", test_nothing_becomes_looser);
	add_files("should-fail", test_should_fail, 18);
	add_files("idle", test_idle, 2);
	return g_test_run();
}
