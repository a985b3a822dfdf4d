/* What is done to build roots and what goes into them: links, users, macros, packed trees. */
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "build/links.h"
#include "build/macros.h"
#include "build/source-tree.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	char *path;
} Scratch;

static void set_up(Scratch *scratch, gconstpointer data)
{
	(void)data;
	scratch->path = g_dir_make_tmp("varve-build-XXXXXX", NULL);
	g_assert_nonnull(scratch->path);
}

static void tear_down(Scratch *scratch, gconstpointer data)
{
	(void)data;
	varve_dir_remove(AT_FDCWD, scratch->path, NULL);
	g_free(scratch->path);
}

static void put(const Scratch *scratch, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(scratch->path, name, NULL);
	g_autofree char *directory = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(directory, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, NULL));
}

static char *get(const Scratch *scratch, const char *name)
{
	g_autofree char *path = g_build_filename(scratch->path, name, NULL);
	char *text = NULL;

	g_assert_true(varve_file_read(AT_FDCWD, path, 1 << 20, &text, NULL, NULL));
	return text;
}

static char *link_of(const Scratch *scratch, const char *name)
{
	g_autofree char *path = g_build_filename(scratch->path, name, NULL);

	return g_file_read_link(path, NULL);
}

static void test_links(Scratch *scratch, gconstpointer data)
{
	g_autofree char *awk = NULL, *cc = NULL, *yacc = NULL;

	(void)data;
	put(scratch, "usr/bin/mawk", "");
	put(scratch, "usr/bin/gcc", "");
	put(scratch, "usr/bin/cc", "somebody's own");
	g_assert_true(varve_build_links(scratch->path, NULL));
	/* A second time changes nothing. */
	g_assert_true(varve_build_links(scratch->path, NULL));
	awk = link_of(scratch, "usr/bin/awk");
	cc = link_of(scratch, "usr/bin/cc");
	yacc = link_of(scratch, "usr/bin/yacc");
	g_assert_cmpstr(awk, ==, "mawk");
	g_assert_null(cc);
	g_assert_null(yacc);
}

static void test_user_and_rpmrc(Scratch *scratch, gconstpointer data)
{
	g_autofree char *passwd = NULL, *group = NULL, *rpmrc = NULL;

	(void)data;
	put(scratch, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
	put(scratch, "etc/group", "root:x:0:\n");
	g_assert_true(varve_build_user(scratch->path, NULL));
	g_assert_true(varve_build_rpmrc(scratch->path, "x86_64", NULL));
	passwd = get(scratch, "etc/passwd");
	group = get(scratch, "etc/group");
	rpmrc = get(scratch, "etc/rpmrc");
	g_assert_true(g_str_has_prefix(passwd, "root:"));
	g_assert_nonnull(strstr(passwd, "\nbuild:x:60999:60999::/build:/bin/sh\n"));
	g_assert_nonnull(strstr(group, "\nbuild:x:60999:\n"));
	g_assert_cmpstr(rpmrc, ==, "optflags: x86_64 %{varve_optflags}\n");
}

/* A root that is not one of ours is not written through. */
static void test_a_linked_passwd(Scratch *scratch, gconstpointer data)
{
	g_autofree char *etc = g_build_filename(scratch->path, "etc", NULL);
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_cmpint(symlink("/etc", etc), ==, 0);
	g_assert_false(varve_build_user(scratch->path, &error));
	g_assert_nonnull(error);
}

static void test_macros(void)
{
	VarveDefinition definition = { .os = { .id = "varve",
					       .version_id = "1",
					       .vendor = "Va%rve",
					       .name = "Varve\nLinux" } };
	VarveUpstream upstream = { .type = VARVE_UPSTREAM_DEBIAN };
	VarveBuildPlace place = { .definition = &definition,
				  .upstream = &upstream,
				  .arch = varve_arch_find("x86-64") };
	g_autofree char *text = varve_build_macros(&place, "varve:component/a;e30=");

	/* What is not a macro cannot become one. */
	g_assert_nonnull(strstr(text, "\n%vendor Va%%rve\n"));
	g_assert_nonnull(strstr(text, "\n%distribution Varve Linux\n"));
	g_assert_nonnull(strstr(text, "\n%disturl varve:component/a;e30=\n"));
	g_assert_nonnull(strstr(text, "\n%_libdir %{_prefix}/lib/x86_64-linux-gnu\n"));
	g_assert_nonnull(strstr(text, "\n%dist .varve1\n"));
	g_assert_nonnull(strstr(text, "\n%_buildhost build\n"));
	g_assert_nonnull(strstr(text, "%{?march:-march=%{march}}"));
}

/* What a user's own git configuration would change must not matter. */
static gboolean git(const char *directory, const char *a, const char *b)
{
	return varve_run(NULL, "git", "-C", directory, "-c", "user.name=T", "-c",
			 "user.email=t@example.org", "-c", "commit.gpgsign=false", a, b, NULL);
}

static void test_tree(Scratch *scratch, gconstpointer data)
{
	static const char *const only[] = { "src", NULL };
	g_autofree char *tree = g_build_filename(scratch->path, "tree", NULL);
	g_autofree char *first = g_build_filename(scratch->path, "one", "made.tar", NULL);
	g_autofree char *second = g_build_filename(scratch->path, "two", "made.tar", NULL);
	g_autofree char *a = NULL, *b = NULL;
	gsize a_size = 0, b_size = 0;
	g_autoptr(GError) error = NULL;

	(void)data;
	put(scratch, "tree/src/b.c", "int b;\n");
	put(scratch, "tree/src/a.c", "int a;\n");
	put(scratch, "tree/doc", "text\n");
	put(scratch, "one/x", "");
	put(scratch, "two/x", "");
	if (!git(tree, "init", "-q") || !git(tree, "add", ".")) {
		g_test_skip("git is not installed");
		return;
	}
	put(scratch, "tree/src/untracked", "no\n");
	g_assert_true(varve_source_tree_pack(tree, only, first, 1000, &error));
	g_assert_no_error(error);
	g_assert_true(varve_source_tree_pack(tree, only, second, 1000, &error));
	g_assert_true(varve_file_read(AT_FDCWD, first, 1 << 20, &a, &a_size, NULL));
	g_assert_true(varve_file_read(AT_FDCWD, second, 1 << 20, &b, &b_size, NULL));
	g_assert_cmpmem(a, a_size, b, b_size);
	g_assert_cmpstr(a, ==, "made/src/a.c");
	g_assert_null(memmem(a, a_size, "untracked", 9));
	g_assert_null(memmem(a, a_size, "made/doc", 8));
	/* What lies there counts, committed or not. */
	put(scratch, "tree/src/b.c", "int c;\n");
	g_assert_true(varve_source_tree_pack(tree, only, second, 1000, &error));
	g_free(b);
	g_assert_true(varve_file_read(AT_FDCWD, second, 1 << 20, &b, &b_size, NULL));
	g_assert_nonnull(memmem(b, b_size, "int c;", 6));
}

static void test_no_work_tree(Scratch *scratch, gconstpointer data)
{
	g_autofree char *file = g_build_filename(scratch->path, "made.tar", NULL);
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_false(varve_source_tree_pack(scratch->path, NULL, file, 0, &error));
	g_assert_nonnull(error);
	g_assert_cmpint(access(file, F_OK), ==, -1);
}

#define ADD(name, function) \
	g_test_add("/build-root/" name, Scratch, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("links", test_links);
	ADD("user-and-rpmrc", test_user_and_rpmrc);
	ADD("a-linked-passwd", test_a_linked_passwd);
	ADD("tree", test_tree);
	ADD("no-work-tree", test_no_work_tree);
	g_test_add_func("/build-root/macros", test_macros);
	return g_test_run();
}
