#include "image/vhd.h"

#include <string.h>

static guint64 get(const uint8_t *footer, gsize offset, int bytes)
{
	guint64 value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | footer[offset + (gsize)i];
	return value;
}

static void test_footer(void)
{
	static const uint8_t id[16] = "0123456789abcdef";
	uint8_t footer[VARVE_VHD_FOOTER_SIZE];
	guint32 sum = 0;

	varve_vhd_footer((guint64)2 << 30, 946684800 + 77, id, footer);
	g_assert_cmpmem(footer, 8, "conectix", 8);
	g_assert_cmphex(get(footer, 12, 4), ==, 0x00010000);
	g_assert_cmphex(get(footer, 16, 8), ==, G_MAXUINT64); /* fixed: no dynamic header */
	g_assert_cmpuint(get(footer, 24, 4), ==, 77);
	g_assert_cmpuint(get(footer, 40, 8), ==, (guint64)2 << 30);
	g_assert_cmpuint(get(footer, 48, 8), ==, (guint64)2 << 30);
	g_assert_cmpuint(get(footer, 60, 4), ==, 2); /* type: fixed */
	g_assert_cmpmem(footer + 68, 16, id, 16);
	for (gsize i = 0; i < sizeof(footer); i++)
		sum += i >= 64 && i < 68 ? 0 : footer[i];
	g_assert_cmphex(get(footer, 64, 4), ==, (guint32)~sum);
}

/* From the specification's calculation by hand: 2 GiB are 4,161 cylinders of 16 heads and 63
 * sectors; sizes beyond what the fields can say get the largest. */
static void test_geometry(void)
{
	static const uint8_t id[16] = { 0 };
	uint8_t footer[VARVE_VHD_FOOTER_SIZE];

	varve_vhd_footer((guint64)2 << 30, 0, id, footer);
	g_assert_cmpuint(get(footer, 24, 4), ==, 0);
	g_assert_cmpuint(get(footer, 56, 2), ==, 4161);
	g_assert_cmpuint(footer[58], ==, 16);
	g_assert_cmpuint(footer[59], ==, 63);
	varve_vhd_footer((guint64)8 << 20, 0, id, footer);
	g_assert_cmpuint(get(footer, 56, 2), ==, 240);
	g_assert_cmpuint(footer[58], ==, 4);
	g_assert_cmpuint(footer[59], ==, 17);
	varve_vhd_footer((guint64)4 << 40, 0, id, footer);
	g_assert_cmpuint(get(footer, 56, 2), ==, 65535);
	g_assert_cmpuint(footer[58], ==, 16);
	g_assert_cmpuint(footer[59], ==, 255);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vhd/footer", test_footer);
	g_test_add_func("/vhd/geometry", test_geometry);
	return g_test_run();
}
