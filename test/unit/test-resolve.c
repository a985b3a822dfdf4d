#include "trace/resolve.h"

#include "base/error.h"

#include <string.h>

/* A tree of the mind: what is not here does not exist. */
static const struct {
	const char *path, *target;
} tree[] = {
	{ "/usr", NULL },
	{ "/usr/bin", NULL },
	{ "/usr/bin/bash", NULL },
	{ "/usr/bin/sh", "bash" },
	{ "/usr/lib", NULL },
	{ "/usr/lib/a", "/usr/lib/b" },
	{ "/usr/lib/b", "../lib/./a" },
	{ "/bin", "usr/bin" },
	{ "/etc", NULL },
	{ "/etc/mtab", "../proc/self/mounts" },
	{ "/etc/up", "../../../usr/bin/" },
	{ "/etc/gone", "/nowhere/else" },
};

static gboolean look(const char *path, gboolean *ret_exists, char **ret_target, gpointer data,
		     GError **error)
{
	guint *looks = data;

	(*looks)++;
	if (strcmp(path, "/broken") == 0)
		return varve_fail(error, VARVE_ERROR_SYSTEM, "broken");
	*ret_exists = FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(tree); i++) {
		if (strcmp(tree[i].path, path) != 0)
			continue;
		*ret_exists = TRUE;
		*ret_target = g_strdup(tree[i].target);
	}
	return TRUE;
}

static void resolves(const char *path, const char *expected)
{
	g_autoptr(GPtrArray) steps = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *joined = NULL;
	guint looks = 0;

	varve_trace_resolve(path, look, &looks, &steps, &error);
	g_assert_no_error(error);
	g_ptr_array_add(steps, NULL);
	joined = g_strjoinv(" ", (char **)steps->pdata);
	g_assert_cmpstr(joined, ==, expected);
}

static void test_resolve(void)
{
	resolves("/", "/");
	resolves("//usr/./bin/", "/usr/bin");
	resolves("/usr/bin/bash", "/usr/bin/bash");
	resolves("/bin/sh", "/bin /usr/bin/sh /usr/bin/bash");
	resolves("/bin/../lib", "/bin /usr/lib");
	resolves("/..", "/");
	resolves("/etc/up/sh", "/etc/up /usr/bin/sh /usr/bin/bash");
	/* What does not exist is told as it was asked; nothing below it is looked for. */
	resolves("/etc/mtab", "/etc/mtab /proc/self/mounts");
	resolves("/etc/gone", "/etc/gone /nowhere/else");
	resolves("/nope/../usr/x", "/usr/x");
}

static void fails(const char *path, VarveError code)
{
	g_autoptr(GPtrArray) steps = NULL;
	g_autoptr(GError) error = NULL;
	guint looks = 0;

	g_assert_false(varve_trace_resolve(path, look, &looks, &steps, &error));
	g_assert_error(error, VARVE_ERROR, (int)code);
	g_assert_null(steps);
	g_assert_cmpuint(looks, <, 1000);
}

static void test_should_fail(void)
{
	fails("usr/bin", VARVE_ERROR_USAGE);
	fails("", VARVE_ERROR_USAGE);
	fails("/usr/lib/a", VARVE_ERROR_CORRUPT);
	fails("/broken/x", VARVE_ERROR_SYSTEM);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/resolve/steps", test_resolve);
	g_test_add_func("/resolve/should-fail", test_should_fail);
	return g_test_run();
}
