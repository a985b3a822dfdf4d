#include "base/digest.h"

static void test_hex_round_trip(void)
{
	const char *hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	g_autofree char *back = NULL;
	VarveDigest digest;

	g_assert_true(varve_digest_from_hex(hex, &digest));
	g_assert_cmpuint(digest.bytes[0], ==, 0xe3);
	back = varve_digest_dup_hex(&digest);
	g_assert_cmpstr(back, ==, hex);
}

static void test_refuses_what_is_not_a_digest(void)
{
	VarveDigest digest;

	g_assert_false(varve_digest_from_hex("", &digest));
	g_assert_false(varve_digest_from_hex(
		"E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", &digest));
	g_assert_false(varve_digest_from_hex(
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85", &digest));
	g_assert_false(varve_digest_from_hex(
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85g", &digest));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/digest/hex-round-trip", test_hex_round_trip);
	g_test_add_func("/digest/refuses-what-is-not-a-digest", test_refuses_what_is_not_a_digest);
	return g_test_run();
}
