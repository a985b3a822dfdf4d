/* The shape of an extension, from a directory made by hand. */
#include "base/error.h"
#include "base/file.h"
#include "compose/extension.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *root, *base;
	VarveTree *tree;
	VarveDefinition definition;
	VarveLayerDefinition layer;
	VarveExtension extension;
} Fixture;

static const char *const none[] = { NULL };

static void make(const char *root, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(root, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	if (text)
		g_assert_true(varve_file_write(AT_FDCWD, full, text, strlen(text), 0644, NULL));
	else
		g_assert_true(varve_dir_make(full, 0755, NULL));
}

static void set_up(Fixture *f, gconstpointer data)
{
	(void)data;
	f->root = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	f->base = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	f->tree = varve_tree_new();
	f->definition.os.id = "varve";
	f->definition.os.version_id = "1";
	f->layer.name = "demo";
	f->layer.role = VARVE_ROLE_EXTENSION;
	f->layer.restart = f->layer.enable = f->layer.mask = none;
	f->extension = (VarveExtension){ .definition = &f->definition,
					 .layer = &f->layer,
					 .arch = varve_arch_find("arm64"),
					 .base_root = f->base };
	make(f->base, "etc", NULL);
	make(f->base, "usr/share/factory/var/lib", NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
	(void)data;
	varve_tree_free(f->tree);
	g_assert_true(varve_dir_remove(AT_FDCWD, f->root, NULL));
	g_assert_true(varve_dir_remove(AT_FDCWD, f->base, NULL));
	g_free(f->root);
	g_free(f->base);
}

/* The text of a generated file, "" where there is none. */
static char *text_of(Fixture *f, const char *path)
{
	VarveTreeFile *file = varve_tree_find(f->tree, path);

	if (!file || !file->content)
		return g_strdup("");
	return g_strndup(g_bytes_get_data(file->content, NULL), g_bytes_get_size(file->content));
}

static gboolean shape(Fixture *f, GError **error)
{
	g_assert_true(varve_tree_scan(f->tree, f->root, NULL));
	return varve_extension_shape(f->tree, &f->extension, error);
}

static void test_everything_goes_below_usr(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *tmpfiles = NULL;

	(void)data;
	make(f->root, "usr/bin/tool", "#!");
	make(f->root, "etc/demo/demo.conf", "a=b");
	make(f->root, "var/lib/demo", NULL);
	make(f->root, "opt/vendor/file", "x");
	g_assert_true(shape(f, &error));
	g_assert_no_error(error);
	for (guint i = 0; i < varve_tree_files(f->tree)->len; i++) {
		const VarveTreeFile *file = g_ptr_array_index(varve_tree_files(f->tree), i);

		g_assert_true(!*file->path.path || strcmp(file->path.path, "usr") == 0 ||
			      g_str_has_prefix(file->path.path, "usr/"));
	}
	g_assert_nonnull(varve_tree_find(f->tree, "usr/share/factory/etc/demo/demo.conf"));
	g_assert_nonnull(varve_tree_find(f->tree, "usr/opt/vendor/file"));
	tmpfiles = text_of(f, "usr/lib/tmpfiles.d/varve-demo.conf");
	g_assert_nonnull(strstr(tmpfiles, "d /etc/demo 0755 "));
	g_assert_nonnull(strstr(tmpfiles, "C /etc/demo/demo.conf 0644 "));
	g_assert_nonnull(strstr(tmpfiles, "d /var/lib/demo 0755 "));
	g_assert_null(strstr(tmpfiles, "d /etc 0755")); /* the base has it */
	g_assert_null(strstr(tmpfiles, "d /var/lib 0755"));
	g_assert_null(strstr(tmpfiles, "/opt"));
}

static void test_release_says_what_it_fits(Fixture *f, gconstpointer data)
{
	static const char *const reload[] = { "a.service", "b.service", NULL };
	const char *path = "usr/lib/extension-release.d/extension-release.demo";
	g_autofree char *text = NULL;
	VarveTreeFile *file;

	(void)data;
	make(f->root, "usr/bin/tool", "#!");
	f->layer.reload = reload;
	g_assert_true(shape(f, NULL));
	text = text_of(f, path);
	g_assert_null(strstr(text, "EXTENSION_RESTART_UNITS"));
	g_assert_nonnull(
		strstr(text, "EXTENSION_RELOAD_OR_RESTART_UNITS=\"a.service b.service\"\n"));
	file = varve_tree_find(f->tree, path);
	g_assert_nonnull(file);
	g_assert_cmpuint(file->path.n_xattrs, ==, 1);
	g_assert_cmpstr(file->path.xattrs[0].name, ==, "user.extension-release.strict");
	g_assert_nonnull(strstr(text, "ID=\"varve\"\nVERSION_ID=\"1\"\n"));
	g_assert_nonnull(strstr(text, "ARCHITECTURE=\"arm64\"\n"));
}

static void test_enabled_units_are_linked(Fixture *f, gconstpointer data)
{
	static const char *const enable[] = { "demo.service", NULL };
	VarveTreeFile *link;

	(void)data;
	f->layer.enable = enable;
	make(f->root, "usr/lib/systemd/system/demo.service",
	     "[Service]\nExecStart=/x\n[Install]\nWantedBy=multi-user.target\nAlias=d.service\n");
	g_assert_true(shape(f, NULL));
	link = varve_tree_find(f->tree,
			       "usr/lib/systemd/system/multi-user.target.wants/demo.service");
	g_assert_nonnull(link);
	g_assert_cmpstr(link->path.target, ==, "../demo.service");
	link = varve_tree_find(f->tree, "usr/lib/systemd/system/d.service");
	g_assert_nonnull(link);
	g_assert_cmpstr(link->path.target, ==, "demo.service");
}

static void test_a_unit_that_is_not_there(Fixture *f, gconstpointer data)
{
	static const char *const enable[] = { "nothing.service", NULL };
	g_autoptr(GError) error = NULL;

	(void)data;
	f->layer.enable = enable;
	make(f->root, "usr/bin/tool", "#!");
	g_assert_false(shape(f, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "nothing.service"));
}

static void test_a_file_without_a_place(Fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	(void)data;
	make(f->root, "boot/grub.cfg", "x");
	g_assert_false(shape(f, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "/boot"));
}

static void test_users_settings_and_masks(Fixture *f, gconstpointer data)
{
	static const VarveGroup group = { .name = "demo", .gid = 500 };
	static const VarveUser user = { .name = "demo",
					.uid = 500,
					.group = "demo",
					.comment = "A demo",
					.home = "/",
					.shell = "/usr/sbin/nologin",
					.groups = none };
	static const VarveSetting setting = { .key = "vm.swappiness", .value = "10" };
	static const char *const mask[] = { "evil.service", NULL };
	g_autofree char *sysusers = NULL, *sysctl = NULL;

	(void)data;
	f->layer.groups = &group;
	f->layer.n_groups = 1;
	f->layer.users = &user;
	f->layer.n_users = 1;
	f->layer.sysctl = &setting;
	f->layer.n_sysctl = 1;
	f->layer.mask = mask;
	make(f->root, "usr/bin/tool", "#!");
	g_assert_true(shape(f, NULL));
	sysusers = text_of(f, "usr/lib/sysusers.d/varve-demo.conf");
	sysctl = text_of(f, "usr/lib/sysctl.d/60-demo.conf");
	g_assert_cmpstr(sysusers, ==,
			"g demo 500\nu! demo 500:demo \"A demo\" / /usr/sbin/nologin\n");
	g_assert_cmpstr(sysctl, ==, "vm.swappiness = 10\n");
	g_assert_cmpstr(
		varve_tree_find(f->tree, "usr/lib/systemd/system/evil.service")->path.target, ==,
		"/dev/null");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/extension/everything-goes-below-usr", test_everything_goes_below_usr },
		{ "/extension/release-says-what-it-fits", test_release_says_what_it_fits },
		{ "/extension/enabled-units-are-linked", test_enabled_units_are_linked },
		{ "/extension/a-unit-that-is-not-there", test_a_unit_that_is_not_there },
		{ "/extension/a-file-without-a-place", test_a_file_without_a_place },
		{ "/extension/users-settings-and-masks", test_users_settings_and_masks },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
	return g_test_run();
}
