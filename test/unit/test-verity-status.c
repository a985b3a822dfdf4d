/* device/verity-status.c: what the verity target says of itself. The asking is tested in a VM. */
#include "device/verity-status.h"

#include "base/error.h"

#define ROOT "31ab000000000000000000000000000000000000000000000000000000009fc0"

static void test_status(void)
{
	VarveVerityStatus status = { 0 };

	g_assert_true(varve_verity_status_parse("C", &status, NULL));
	g_assert_true(status.corrupted);
	g_assert_true(varve_verity_status_parse("V -", &status, NULL));
	g_assert_false(status.corrupted);
	g_assert_false(varve_verity_status_parse("", &status, NULL));
	g_assert_false(varve_verity_status_parse("A", &status, NULL));
	g_assert_false(varve_verity_status_parse("Cx", &status, NULL));
}

static void test_table(void)
{
	VarveVerityStatus status = { .corrupted = TRUE };
	g_autofree char *root = NULL;

	g_assert_true(varve_verity_table_parse("1 254:2 254:3 4096 4096 46162 1 sha256 " ROOT " -",
					       &status, NULL));
	g_assert_true(status.corrupted);
	g_assert_cmpuint(status.data_major, ==, 254);
	g_assert_cmpuint(status.data_minor, ==, 2);
	g_assert_cmpuint(status.hash_minor, ==, 3);
	g_assert_cmpuint(status.data_blocks, ==, 46162);
	root = varve_digest_dup_hex(&status.root);
	g_assert_cmpstr(root, ==, ROOT);
	g_assert_true(varve_verity_table_parse("1 7:0 7:0 4096 4096 2 3 sha256 " ROOT
					       " - 2 root_hash_sig_key_desc x",
					       &status, NULL));
}

static void test_other_tables(void)
{
	static const char *const lines[] = {
		"",
		"1 7:0 7:0 4096 4096 2 3 sha256",
		"1 7:0 7:0 4096 4096 2 3 sha256 31ab -",
		"1 7:0 7:0 4096 4096 2 3 sha256 " ROOT,
		"1 7:0 7:0 4096 4096 2 3 sha256 " ROOT "00 -",
		"1 7:0 7:0 4096 4096 2 3 sha512 " ROOT " -",
		"0 7:0 7:0 4096 4096 2 3 sha256 " ROOT " -",
		"1 7:0 7:0 512 4096 2 3 sha256 " ROOT " -",
		"1 /dev/loop0 7:0 4096 4096 2 3 sha256 " ROOT " -",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		VarveVerityStatus status = { .data_minor = 77 };
		g_autoptr(GError) error = NULL;

		g_test_message("%s", lines[i]);
		g_assert_false(varve_verity_table_parse(lines[i], &status, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		g_assert_cmpuint(status.data_minor, ==, 77);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verity-status/status", test_status);
	g_test_add_func("/verity-status/table", test_table);
	g_test_add_func("/verity-status/other-tables", test_other_tables);
	return g_test_run();
}
