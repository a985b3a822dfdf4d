/* stack/anchor.c: what the TPM keeps, byte by byte. */
#include "stack/anchor.h"

#include "base/text.h"

#include <string.h>

static void test_bytes(void)
{
	VarveAnchored anchored = { .number = 0x0102030405, .digest = { { 0xaa } } }, back;
	guint8 bytes[VARVE_ANCHOR_SIZE];
	g_autofree char *hex = NULL;

	varve_anchor_encode(&anchored, bytes);
	hex = varve_hex(bytes, sizeof(bytes));
	g_assert_cmpstr(hex, ==,
			"5661727665466c720504030201000000aa000000000000000000000000000000"
			"00000000000000000000000000000000");
	g_assert_true(varve_anchor_decode(bytes, &back));
	g_assert_cmpint(back.number, ==, anchored.number);
	g_assert_true(varve_digest_equal(&back.digest, &anchored.digest));
	bytes[15] = 0x80;
	g_assert_false(varve_anchor_decode(bytes, &back));
	memset(bytes + 8, 0, 8);
	g_assert_false(varve_anchor_decode(bytes, &back));
	memset(bytes, 0xff, sizeof(bytes));
	g_assert_false(varve_anchor_decode(bytes, &back));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/anchor/bytes", test_bytes);
	return g_test_run();
}
