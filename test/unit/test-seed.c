#include "base/error.h"
#include "base/file.h"
#include "stack/state.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static void write_at(int dir, const char *name, const char *text, mode_t mode)
{
	g_assert_true(varve_file_write(dir, name, text, strlen(text), mode, NULL));
}

static void assert_text(int dir, const char *name, const char *expected)
{
	g_autofree char *data = NULL;
	size_t size;

	g_assert_true(varve_file_read(dir, name, 100, &data, &size, NULL));
	g_assert_cmpmem(data, size, expected, strlen(expected));
}

/* A new disk's state partition has layers before it is seeded; an interrupted seeding leaves half a
 * file. Neither may keep the seed away, and neither may cost the layers. */
static void test_seed_joins_what_is_there(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	varve_autofd top = varve_dir_open(AT_FDCWD, dir, NULL);
	struct stat st;
	varve_autofd from = -1, to = -1;

	g_assert_cmpint(mkdirat(top, "seed", 0755), ==, 0);
	g_assert_cmpint(mkdirat(top, "seed/lib", 0755), ==, 0);
	g_assert_cmpint(mkdirat(top, "seed/lib/layers", 0750), ==, 0);
	g_assert_cmpint(mkdirat(top, "seed/tmp", 0755), ==, 0);
	g_assert_cmpint(fchmodat(top, "seed/tmp", 01777, 0), ==, 0);
	g_assert_cmpint(symlinkat("../run", top, "seed/run"), ==, 0);
	write_at(top, "seed/lib/database", "whole", 0640);
	g_assert_cmpint(mkdirat(top, "var", 0755), ==, 0);
	g_assert_cmpint(mkdirat(top, "var/lib", 0700), ==, 0);
	g_assert_cmpint(mkdirat(top, "var/lib/layers", 0755), ==, 0);
	write_at(top, "var/lib/layers/a.raw", "layer", 0644);
	write_at(top, "var/lib/database", "who", 0600);

	from = varve_dir_open(top, "seed", NULL);
	to = varve_dir_open(top, "var", NULL);
	for (int i = 0; i < 2; i++)
		g_assert_true(varve_seed_copy(from, to, NULL));

	assert_text(to, "lib/database", "whole");
	assert_text(to, "lib/layers/a.raw", "layer");
	g_assert_cmpint(fstatat(to, "lib/database", &st, 0), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0640);
	g_assert_cmpint(fstatat(to, "lib/layers", &st, 0), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0750);
	g_assert_cmpint(fstatat(to, "tmp", &st, 0), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 01777);
	g_assert_cmpint(fstatat(to, "run", &st, AT_SYMLINK_NOFOLLOW), ==, 0);
	g_assert_true(S_ISLNK(st.st_mode));
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

/* A link where the seed has a directory must not lead the copy elsewhere. */
static void test_link_is_not_followed(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	varve_autofd top = varve_dir_open(AT_FDCWD, dir, NULL);
	g_autoptr(GError) error = NULL;
	varve_autofd from = -1, to = -1;

	g_assert_cmpint(mkdirat(top, "seed", 0755), ==, 0);
	g_assert_cmpint(mkdirat(top, "seed/lib", 0755), ==, 0);
	write_at(top, "seed/lib/database", "whole", 0644);
	g_assert_cmpint(mkdirat(top, "elsewhere", 0755), ==, 0);
	g_assert_cmpint(mkdirat(top, "var", 0755), ==, 0);
	g_assert_cmpint(symlinkat("../elsewhere", top, "var/lib"), ==, 0);

	from = varve_dir_open(top, "seed", NULL);
	to = varve_dir_open(top, "var", NULL);
	g_assert_false(varve_seed_copy(from, to, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_cmpint(faccessat(top, "elsewhere/database", F_OK, 0), ==, -1);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

/* A state that somebody laid out must not lead mounts astray, and not keep the base from starting:
 * what is no directory is told here, before anything is mounted from it. */
static void test_state_is_directories(void)
{
	static const struct {
		const char *path;
		const char *target; /* of a link; NULL for a file */
	} bad[] = {
		{ "etc", "/tmp" },        { "etc/upper", "/tmp" },
		{ "etc/upper", NULL },    { "etc/work", "../elsewhere" },
		{ "var", "elsewhere" },   { "var/lib", "/tmp" },
		{ "var/lib/varve", "." }, { "var/lib/varve/layers", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *dir = g_dir_make_tmp("varve-test-XXXXXX", NULL);
		g_autofree char *path = g_build_filename(dir, bad[i].path, NULL);
		g_autofree char *parent = g_path_get_dirname(path);
		g_autoptr(GError) error = NULL;
		varve_autofd top = varve_dir_open(AT_FDCWD, dir, NULL);

		g_test_message("%s", bad[i].path);
		g_assert_true(varve_dir_make(parent, 0755, NULL));
		g_assert_cmpint(mkdirat(top, "elsewhere", 0755), ==, 0);
		write_at(top, VARVE_STATE_SEEDED, "", 0644);
		if (bad[i].target)
			g_assert_cmpint(symlink(bad[i].target, path), ==, 0);
		else
			g_assert_true(g_file_set_contents(path, "", 0, NULL));
		g_assert_false(varve_state_prepare(top, -1, NULL, &error));
		g_assert_nonnull(error);
		g_assert_cmpint(unlink(path), ==, 0);
		g_clear_error(&error);
		g_assert_true(varve_state_prepare(top, -1, NULL, &error));
		g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/seed/joins-what-is-there", test_seed_joins_what_is_there);
	g_test_add_func("/seed/link-is-not-followed", test_link_is_not_followed);
	g_test_add_func("/seed/state-is-directories", test_state_is_directories);
	return g_test_run();
}
