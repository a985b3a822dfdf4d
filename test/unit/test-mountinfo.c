/* format/mountinfo.c: this machine's own mounts, and lines that others could have brought about. */
#include "format/mountinfo.h"

#include "base/error.h"

#include <string.h>

static void test_line(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) mounts = varve_mountinfo_parse(
		"22 1 254:0 / / ro,relatime shared:1 - erofs /dev/mapper/varve-31ab ro,seclabel\n"
		"30 22 0:25 / /usr ro,nodev master:3 shared:9 - overlay varve "
		"ro,lowerdir+=/run/varve/layers/31ab/usr,lowerdir+=/run/varve/base/usr,xino=on\n"
		"31 30 0:5 /x\\040y /usr/a\\011b\\134c rw - tmpfs  rw\n",
		&error);
	const VarveMount *usr, *odd;

	g_assert_no_error(error);
	g_assert_cmpuint(mounts->len, ==, 3);
	usr = mounts->pdata[1];
	g_assert_cmpuint(usr->id, ==, 30);
	g_assert_cmpuint(usr->parent, ==, 22);
	g_assert_cmpstr(usr->root, ==, "/");
	g_assert_cmpstr(usr->point, ==, "/usr");
	g_assert_cmpstr(usr->options, ==, "ro,nodev");
	g_assert_cmpstr(usr->type, ==, "overlay");
	g_assert_cmpstr(usr->source, ==, "varve");
	g_assert_true(g_str_has_prefix(usr->super, "ro,lowerdir+=/run/varve/layers/31ab/usr,"));
	odd = mounts->pdata[2];
	g_assert_cmpstr(odd->root, ==, "/x y");
	g_assert_cmpstr(odd->point, ==, "/usr/a\tb\\c");
	g_assert_cmpstr(odd->source, ==, "");
}

static void test_broken(void)
{
	static const char *const lines[] = {
		"x",
		"1 2 3",
		"1 2 0:1 / / rw -",
		"1 2 0:1 / / rw - tmpfs",
		"1 2 0:1 / / rw - tmpfs source",
		"1 2 0:1 / / rw tmpfs source rw",
		"a 2 0:1 / / rw - tmpfs source rw",
		"99999999999 2 0:1 / / rw - tmpfs source rw",
		"4x 2 0:1 / / rw - tmpfs source rw",
		"4 -2 0:1 / / rw - tmpfs source rw",
		"27 1 253 / / ro - erofs a ro",
		"27 1 253: / / ro - erofs a ro",
		"27 1 253:0:1 / / ro - erofs a ro",
		"27 1 253:0 / / ro\n",
		"27 1 253:0 / / ro - erofs\n",
		"x 1 253:0 / / ro - erofs a ro\n",
		"\n27\n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(GError) error = NULL;

		g_test_message("%s", lines[i]);
		g_assert_null(varve_mountinfo_parse(lines[i], &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

static void test_here(void)
{
	g_autofree char *text = NULL;
	g_autoptr(GPtrArray) mounts = NULL;
	g_autoptr(GError) error = NULL;
	gboolean root = FALSE;

	g_assert_true(g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL));
	mounts = varve_mountinfo_parse(text, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < mounts->len; i++)
		root |= strcmp(((const VarveMount *)mounts->pdata[i])->point, "/") == 0;
	g_assert_true(root);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mountinfo/line", test_line);
	g_test_add_func("/mountinfo/broken", test_broken);
	g_test_add_func("/mountinfo/here", test_here);
	return g_test_run();
}
