/* device/labels.c: file contexts of a policy in a directory, without SELinux at work. */
#include "base/error.h"
#include "base/file.h"
#include "device/labels.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *dir;
} Fixture;

static void write_at(const Fixture *f, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(f->dir, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(full, text, -1, NULL));
}

static void setup(Fixture *f, gconstpointer data)
{
	(void)data;
	f->dir = g_dir_make_tmp("varve-labels-XXXXXX", NULL);
}

static void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	g_assert_true(varve_dir_remove(AT_FDCWD, f->dir, NULL));
	g_free(f->dir);
}

static void assert_label(const VarveLabels *labels, const char *path, mode_t mode,
			 const char *expected)
{
	g_autofree char *label = varve_labels_find(labels, path, mode);

	g_assert_cmpstr(label, ==, expected);
}

static void test_find(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveLabels) labels = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	write_at(f, "etc/selinux/config", "# comment\n SELINUX=enforcing\nSELINUXTYPE=mine\n");
	write_at(f, "etc/selinux/mine/contexts/files/file_contexts",
		 "/  -d  system_u:object_r:root_t:s0\n"
		 "/proc  -d  system_u:object_r:proc_t:s0\n"
		 "/proc/.*  <<none>>\n"
		 "/usr(/.*)?  system_u:object_r:usr_t:s0\n"
		 "/usr/bin/.*  --  system_u:object_r:bin_t:s0\n");
	write_at(f, "etc/selinux/mine/contexts/files/file_contexts.subs", "/opt /usr\n");
	g_assert_true(varve_labels_open(f->dir, &labels, &error));
	g_assert_no_error(error);
	assert_label(labels, "/", S_IFDIR, "system_u:object_r:root_t:s0");
	assert_label(labels, "/usr/bin/sh", S_IFREG | 0755, "system_u:object_r:bin_t:s0");
	assert_label(labels, "/usr/bin/sh", S_IFLNK | 0777, "system_u:object_r:usr_t:s0");
	assert_label(labels, "/opt/bin/sh", S_IFREG | 0755, "system_u:object_r:bin_t:s0");
	/* What the policy leaves open is its parent's. */
	assert_label(labels, "/proc/self/status", S_IFREG, "system_u:object_r:proc_t:s0");
	assert_label(labels, "/elsewhere", S_IFREG, "system_u:object_r:root_t:s0");
}

static void test_none(Fixture *f, gconstpointer data)
{
	VarveLabels *labels = NULL;

	(void)data;
	g_assert_true(varve_labels_open(f->dir, &labels, NULL));
	g_assert_null(labels);
}

static void test_broken(Fixture *f, gconstpointer data)
{
	static const char *const configs[] = { "SELINUX=enforcing\n", "SELINUXTYPE=\n",
					       "SELINUXTYPE=../../other\n", "SELINUXTYPE=..\n",
					       "SELINUXTYPE=gone\n" };

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(configs); i++) {
		g_autoptr(GError) error = NULL;
		VarveLabels *labels = (VarveLabels *)f;

		write_at(f, "etc/selinux/config", configs[i]);
		g_assert_false(varve_labels_open(f->dir, &labels, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		g_assert_true(labels == (VarveLabels *)f);
	}
}

static void test_type(void)
{
	g_autofree char *type = varve_labels_type("system_u:object_r:bin_t:s0:c1,c2");
	g_autofree char *plain = varve_labels_type("u:r:t_t");
	g_autofree char *none = varve_labels_type("nonsense");

	g_assert_cmpstr(type, ==, "bin_t");
	g_assert_cmpstr(plain, ==, "t_t");
	g_assert_cmpstr(none, ==, "");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/labels/find", Fixture, NULL, setup, test_find, teardown);
	g_test_add("/labels/no-policy", Fixture, NULL, setup, test_none, teardown);
	g_test_add("/labels/broken-configuration", Fixture, NULL, setup, test_broken, teardown);
	g_test_add_func("/labels/type", test_type);
	return g_test_run();
}
