#include "device/verity-device.h"

#include <sys/stat.h>

#define ROOT "8b252a0b16790539f50246678c8bf873a54bfafce3dff77162e24ca24fda7352"
#define TABLE "1 254:2 254:3 4096 4096 44525 1 sha256 "

static void test_table(void)
{
	static const char *const good[] = {
		TABLE ROOT " -",
		TABLE ROOT " - 1 panic_on_corruption",
		TABLE ROOT " - 2 root_hash_sig_key_desc varve",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *hex = NULL;
		VarveDigest root;

		g_assert_true(varve_verity_table_root("verity", good[i], &root));
		hex = varve_digest_dup_hex(&root);
		g_assert_cmpstr(hex, ==, ROOT);
	}
}

static void test_should_fail_table(void)
{
	static const struct {
		const char *type, *parameters;
	} bad[] = {
		{ "linear", "254:2 0" },
		{ NULL, NULL },
		{ "verity", "" },
		{ "verity", TABLE ROOT },
		{ "verity", TABLE "8b252a -" },
		{ "verity", "1 254:2 254:3 4096 4096 44525 1 sha1 " ROOT " -" },
		{ "verity", TABLE ROOT " - 1 ignore_corruption" },
		{ "verity", TABLE ROOT " - 2 check_at_most_once panic_on_corruption" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		VarveDigest root = { { 7 } };

		g_assert_false(varve_verity_table_root(bad[i].type, bad[i].parameters, &root));
		g_assert_cmpint(root.bytes[0], ==, 7);
	}
}

/* /proc lies on no device of any kind. */
static void test_no_device(void)
{
	g_autoptr(GError) error = NULL;
	VarveDigest root;
	struct stat st;

	g_assert_cmpint(stat("/proc", &st), ==, 0);
	g_assert_false(varve_verity_device_root(st.st_dev, &root, &error));
	g_assert_nonnull(error);
	g_test_message("%s", error->message);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verity-device/table", test_table);
	g_test_add_func("/verity-device/should-fail-table", test_should_fail_table);
	g_test_add_func("/verity-device/no-device", test_no_device);
	return g_test_run();
}
