#include "base/error.h"
#include "build/order.h"

#include <string.h>

/* "name: what it requires: what it provides", words apart by commas. */
static GPtrArray *make(const char *const *lines)
{
	GPtrArray *needs = g_ptr_array_new_with_free_func((GDestroyNotify)varve_build_needs_free);

	for (; *lines; lines++) {
		g_auto(GStrv) parts = g_strsplit(*lines, ":", 3);
		VarveBuildNeeds *one = g_new0(VarveBuildNeeds, 1);

		one->name = g_strdup(parts[0]);
		one->requires = g_strsplit(parts[1], ",", -1);
		one->provides = g_strsplit(parts[2], ",", -1);
		g_ptr_array_add(needs, one);
	}
	return needs;
}

static char *order_of(const char *const *lines, GError **error)
{
	g_autoptr(GPtrArray) needs = make(lines);
	g_autoptr(GPtrArray) order = varve_build_order(needs, error);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; order && i < order->len; i++)
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       ((VarveBuildNeeds *)order->pdata[i])->name);
	return order ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static void assert_order(const char *const *lines, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *order = order_of(lines, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(order, ==, expected);
}

static void test_order(void)
{
	assert_order((const char *[]){ "b:make:b", "a:make:a", NULL }, "b a");
	assert_order((const char *[]){ "app:libx-dev >= 2,gcc:app",
				       "libx:gcc:libx = 1,libx-dev = 1", NULL },
		     "libx app");
	assert_order((const char *[]){ "c:b:c", "b:a:b", "a::a", NULL }, "a b c");
	/* What has one for its own tests or from the build before. */
	assert_order((const char *[]){ "self:self:self", NULL }, "self");
	/* A name that another only begins with. */
	assert_order((const char *[]){ "app:libx-dev:app", "libx::libx", NULL }, "app libx");
	assert_order((const char *[]){ NULL }, "");
}

static void test_circle(void)
{
	const char *const lines[] = { "x:y:x", "a:b:a", "b:c:b", "c:a:c", "y::y", NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *order = order_of(lines, &error);

	g_assert_null(order);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "a needs b needs c needs a;"));
}

static void test_needs_any(void)
{
	const char *const lines[] = { "app:gcc,libx-dev:app", "libx::libx,libx-dev = 3", "z::z",
				      NULL };
	g_autoptr(GPtrArray) needs = make(lines);
	g_autoptr(GPtrArray) failed = g_ptr_array_new();

	g_ptr_array_add(failed, needs->pdata[2]);
	g_assert_null(varve_build_needs_any(needs->pdata[0], failed));
	g_ptr_array_add(failed, needs->pdata[1]);
	g_assert_true(varve_build_needs_any(needs->pdata[0], failed) == needs->pdata[1]);
	g_assert_null(varve_build_needs_any(needs->pdata[1], failed));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/build-order/order", test_order);
	g_test_add_func("/build-order/circle", test_circle);
	g_test_add_func("/build-order/needs-any", test_needs_any);
	return g_test_run();
}
