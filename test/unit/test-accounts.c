#include "base/error.h"
#include "base/file.h"
#include "compose/accounts.h"
#include "compose/root-dir.h"

#include <string.h>

/* Accounts and staged roots belong to root. */
static gboolean needs_root(void)
{
	if (geteuid() == 0)
		return FALSE;
	g_test_skip("writing files that belong to root needs root");
	return TRUE;
}

static const char *const none[] = { NULL };
static const VarveGroup groups[] = { { .name = "root", .gid = 0 }, { .name = "web", .gid = 80 } };

static void test_adds_and_is_idempotent(void)
{
	static const char *const member[] = { "web", NULL };
	const VarveUser users[] = {
		{ .name = "root",
		  .uid = 0,
		  .group = "root",
		  .comment = "",
		  .home = "/root",
		  .shell = "/bin/sh",
		  .groups = none },
		{ .name = "www",
		  .uid = 81,
		  .group = "web",
		  .comment = "Web",
		  .home = "/",
		  .shell = "/usr/sbin/nologin",
		  .groups = member },
	};
	const VarveLayerDefinition layer = {
		.name = "base", .groups = groups, .n_groups = 2, .users = users, .n_users = 2
	};
	g_autofree char *root = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	g_autofree char *first = NULL, *again = NULL, *group = NULL;
	g_autoptr(GError) error = NULL;

	if (needs_root())
		return;
	g_assert_true(varve_accounts_add(root, &layer, &error));
	g_assert_no_error(error);
	first = varve_root_read(root, "etc/passwd", NULL);
	g_assert_cmpstr(first, ==,
			"root:x:0:0::/root:/bin/sh\nwww:x:81:80:Web:/:/usr/sbin/nologin\n");
	group = varve_root_read(root, "etc/group", NULL);
	g_assert_cmpstr(group, ==, "root:x:0:\nweb:x:80:www\n");
	g_assert_true(varve_accounts_add(root, &layer, NULL));
	again = varve_root_read(root, "etc/passwd", NULL);
	g_assert_cmpstr(first, ==, again);
	g_assert_true(varve_dir_remove(AT_FDCWD, root, NULL));
}

static void test_a_taken_number(void)
{
	const VarveGroup twice[] = { { .name = "web", .gid = 80 }, { .name = "other", .gid = 80 } };
	const VarveLayerDefinition layer = { .name = "base", .groups = twice, .n_groups = 2 };
	g_autofree char *root = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	g_autoptr(GError) error = NULL;

	if (needs_root())
		return;
	g_assert_false(varve_accounts_add(root, &layer, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "taken by 'web'"));
	g_assert_true(varve_dir_remove(AT_FDCWD, root, NULL));
}

static void test_an_account_without_a_number(void)
{
	const VarveLayerDefinition layer = { .name = "base" };
	g_autofree char *root = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	g_autoptr(GHashTable) before = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GError) error = NULL;

	if (needs_root())
		return;
	g_assert_true(varve_root_write_text(root, "/etc/passwd", "made:x:999:999::/:/x\n", NULL));
	g_assert_false(varve_accounts_check(root, before, before, &layer, &error));
	g_assert_nonnull(strstr(error->message, "user made"));
	g_assert_true(varve_dir_remove(AT_FDCWD, root, NULL));
}

static void test_writing_never_leaves_the_root(void)
{
	g_autofree char *root = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	g_autofree char *outside = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	g_autofree char *leaked = g_build_filename(outside, "file", NULL);
	g_autofree char *inside = g_build_filename(root, leaked, NULL);
	g_autofree char *inside_dir = g_path_get_dirname(inside);

	if (needs_root())
		return;
	/* An absolute link leads to the same path inside the root. */
	g_assert_true(varve_dir_make(inside_dir, 0755, NULL));
	g_assert_true(varve_root_link(root, "/etc", outside, NULL));
	g_assert_true(varve_root_write_text(root, "/etc/file", "x", NULL));
	g_assert_false(g_file_test(leaked, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_test(inside, G_FILE_TEST_EXISTS));
	g_assert_true(varve_dir_remove(AT_FDCWD, root, NULL));
	g_assert_true(varve_dir_remove(AT_FDCWD, outside, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/accounts/adds-and-is-idempotent", test_adds_and_is_idempotent);
	g_test_add_func("/accounts/a-taken-number", test_a_taken_number);
	g_test_add_func("/accounts/an-account-without-a-number", test_an_account_without_a_number);
	g_test_add_func("/root-dir/writing-never-leaves-the-root",
			test_writing_never_leaves_the_root);
	return g_test_run();
}
