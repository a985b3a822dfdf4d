/* ground/cmdline.c and the PARTUUIDs of ground/block.c. */
#include "ground/block.h"
#include "ground/cmdline.h"

#include <glib.h>

#define HASH "00112233445566778899aabbccddeeff0123456789abcdef0123456789ABCDEF"

static void test_value(void)
{
	char value[16];

	g_assert_true(varve_cmdline_get("quiet a=1 varve.x=two", "varve.x", value, sizeof(value)));
	g_assert_cmpstr(value, ==, "two");
	g_assert_true(varve_cmdline_get("a=1 a=2", "a", value, sizeof(value)));
	g_assert_cmpstr(value, ==, "2");
	g_assert_true(varve_cmdline_get("x a=\"b c\" y", "a", value, sizeof(value)));
	g_assert_cmpstr(value, ==, "b c");
	g_assert_true(varve_cmdline_get("a", "a", value, sizeof(value)));
	g_assert_cmpstr(value, ==, "");
}

static void test_absent(void)
{
	char value[4];

	g_assert_false(varve_cmdline_get("aa=1 b=a=2", "a", value, sizeof(value)));
	g_assert_false(varve_cmdline_get("x -- a=1", "a", value, sizeof(value)));
	g_assert_false(varve_cmdline_get("x=\"a=1 a=2\"", "a", value, sizeof(value)));
	g_assert_false(varve_cmdline_get("", "a", NULL, 0));
	/* Too long is not a shorter value. */
	g_assert_false(varve_cmdline_get("a=12345", "a", value, sizeof(value)));
}

static void test_uuid(void)
{
	char uuid[37];

	g_assert_cmpint(varve_uuid_from_hash(HASH, 0, uuid), ==, 0);
	g_assert_cmpstr(uuid, ==, "00112233-4455-6677-8899-aabbccddeeff");
	g_assert_cmpint(varve_uuid_from_hash(HASH, 1, uuid), ==, 0);
	g_assert_cmpstr(uuid, ==, "01234567-89ab-cdef-0123-456789abcdef");
	g_assert_cmpint(varve_uuid_from_hash("0011", 0, uuid), ==, -1);
	g_assert_cmpint(varve_uuid_from_hash(HASH "0", 0, uuid), ==, -1);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cmdline/value", test_value);
	g_test_add_func("/cmdline/absent-or-too-long", test_absent);
	g_test_add_func("/block/uuid-from-hash", test_uuid);
	return g_test_run();
}
