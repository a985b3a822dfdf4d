/* Linking the SELinux policy of a base. */
#include "compose/selinux.h"

#include "base/error.h"
#include "base/file.h"
#include "compose/inputs.h"
#include "compose/root-dir.h"
#include "compose/store.h"

#define KIND "selinux 1" /* raise when the same inputs are to give another policy */
#define KEEP 3
/* The highest that every kernel since 5.8 takes; libsepol's own default is newer than Linux 6.12,
 * and systemd stops for a policy that does not load. */
#define POLICY_VERSION "33"
#define PRIORITY_PACKAGE "100" /* semodule(8): what the distribution brings */
#define PRIORITY_OWN "400"     /* … and what an administrator adds */

/* Where the tools see things. */
#define INSIDE_TREE "/run/tree"
#define INSIDE_ROOT "/run/root"
#define INSIDE_CIL "/run/cil"

static char *module_file(const VarveSelinuxBuild *build, const char *module, GError **error)
{
	static const char *const suffixes[] = { ".pp.bz2", ".pp" };

	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *file = g_strdup_printf(
			"usr/share/selinux/%s/%s%s", build->selinux->policy, module, suffixes[i]);

		if (varve_root_exists(build->root, file))
			return g_steal_pointer(&file);
	}
	varve_fail(error, VARVE_ERROR_NOT_FOUND,
		   "SELinux policy '%s' has no module '%s' in /usr/share/selinux/%s of the base: "
		   "take it out of the layer's 'modules', or put the policy's package into a "
		   "package set of the base",
		   build->selinux->policy, module, build->selinux->policy);
	return NULL;
}

/* Every file below @path of the root, so that a changed package is another policy. */
static gboolean add_tree(VarveInputs *inputs, const char *root, const char *path, GError **error)
{
	g_autofree char *host = g_build_filename(root, path, NULL);
	g_auto(GStrv) names = NULL;

	if (!g_file_test(host, G_FILE_TEST_IS_DIR))
		return TRUE;
	if (!varve_dir_list(AT_FDCWD, host, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *inner = g_build_filename(path, *name, NULL);
		g_autofree char *file = g_build_filename(root, inner, NULL);

		if (g_file_test(file, G_FILE_TEST_IS_DIR)) {
			if (!add_tree(inputs, root, inner, error))
				return FALSE;
		} else if (!varve_inputs_add_file(inputs, inner, file, error)) {
			return FALSE;
		}
	}
	return TRUE;
}

static char *compute_key(const VarveSelinuxBuild *build, GError **error)
{
	const VarveSelinux *selinux = build->selinux;
	g_autoptr(VarveInputs) inputs = varve_inputs_new(KIND);

	varve_inputs_add(inputs, "tools", build->tools_key);
	varve_inputs_add(inputs, "policy", selinux->policy);
	varve_inputs_add_number(inputs, "mode", selinux->mode);
	varve_inputs_add_strings(inputs, "modules", selinux->modules);
	varve_inputs_add_strings(inputs, "enable", selinux->enable);
	varve_inputs_add_strings(inputs, "disable", selinux->disable);
	for (gsize i = 0; selinux->modules[i]; i++) {
		g_autofree char *file = module_file(build, selinux->modules[i], error);
		g_autofree char *path = file ? g_build_filename(build->root, file, NULL) : NULL;

		if (!path || !varve_inputs_add_file(inputs, file, path, error))
			return NULL;
	}
	for (gsize i = 0; selinux->cil[i]; i++) {
		g_autofree char *name = g_path_get_basename(selinux->cil[i]);

		if (!varve_inputs_add_file(inputs, name, selinux->cil[i], error))
			return NULL;
	}
	if (!add_tree(inputs, build->root, "etc/selinux", error) ||
	    !add_tree(inputs, build->root, "var/lib/selinux", error))
		return NULL;
	return varve_inputs_key(inputs);
}

static gboolean copy(const char *from, const char *to, GError **error)
{
	const char *argv[] = { "cp", "-R", "-T", from, to, NULL };

	if (!g_file_test(from, G_FILE_TEST_IS_DIR))
		return TRUE;
	return varve_process_run(&(VarveProcess){ .argv = argv }, NULL, error);
}

static gboolean write_settings(const VarveSelinuxBuild *build, const char *tree, GError **error)
{
	const VarveSelinux *selinux = build->selinux;
	g_autofree char *config = g_strdup_printf(
		"# Written by the build (docs/definition.md).\nSELINUX=%s\nSELINUXTYPE=%s\n",
		selinux->mode == VARVE_SELINUX_ENFORCING ? "enforcing" : "permissive",
		selinux->policy);
	static const char semanage[] = "module-store = direct\n"
				       "policy-version = " POLICY_VERSION "\n"
				       "expand-check = 0\n"
				       "bzip-blocksize = 0\n";
	g_autofree char *booleans_path =
		g_strdup_printf("/var/lib/selinux/%s/active/booleans.local", selinux->policy);
	g_autoptr(GString) booleans = g_string_new(NULL);

	for (gsize i = 0; selinux->enable[i]; i++)
		g_string_append_printf(booleans, "%s=1\n", selinux->enable[i]);
	for (gsize i = 0; selinux->disable[i]; i++)
		g_string_append_printf(booleans, "%s=0\n", selinux->disable[i]);
	return varve_root_write_text(tree, "/etc/selinux/config", config, error) &&
	       varve_root_write_text(tree, "/etc/selinux/semanage.conf", semanage, error) &&
	       (!booleans->len || varve_root_write_text(tree, booleans_path, booleans->str, error));
}

/* semodule's store beside what the package has in /etc/selinux. */
static gboolean prepare_tree(const VarveSelinuxBuild *build, const char *tree, GError **error)
{
	static const char *const directories[] = { "policy", "contexts/files" };
	static const char *const copied[] = { "etc/selinux", "var/lib/selinux" };
	g_autofree char *store = g_strdup_printf("/var/lib/selinux/%s", build->selinux->policy);

	for (gsize i = 0; i < G_N_ELEMENTS(copied); i++) {
		g_autofree char *from = g_build_filename(build->root, copied[i], NULL);
		g_autofree char *to = g_build_filename(tree, copied[i], NULL);
		g_autofree char *parent = g_path_get_dirname(to);

		if (!varve_dir_make(parent, 0755, error) || !copy(from, to, error))
			return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autofree char *path = g_strdup_printf("/etc/selinux/%s/%s",
							build->selinux->policy, directories[i]);

		if (!varve_root_mkdir(tree, path, 0755, 0, 0, error))
			return FALSE;
	}
	return varve_root_mkdir(tree, store, 0755, 0, 0, error) &&
	       write_settings(build, tree, error);
}

static void add_install(GPtrArray *argv, const char *priority, char *file)
{
	g_ptr_array_add(argv, g_strdup("-X"));
	g_ptr_array_add(argv, g_strdup(priority));
	g_ptr_array_add(argv, g_strdup("-i"));
	g_ptr_array_add(argv, file);
}

static gboolean link_policy(const VarveSelinuxBuild *build, const char *tree, GError **error)
{
	const VarveSelinux *selinux = build->selinux;
	const gboolean contained = varve_tools_root(build->tools) != NULL;
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) binds = g_array_new(FALSE, FALSE, sizeof(VarveBind));
	g_autoptr(GPtrArray) targets = g_ptr_array_new_with_free_func(g_free);
	const VarveBind fixed[] = {
		{ .source = tree, .target = contained ? INSIDE_TREE : tree, .writable = TRUE },
		{ .source = build->root, .target = contained ? INSIDE_ROOT : build->root },
	};
	static const char *const command[] = { "semodule", "-n", "-s" };

	g_array_append_vals(binds, fixed, G_N_ELEMENTS(fixed));
	for (gsize i = 0; i < G_N_ELEMENTS(command); i++)
		g_ptr_array_add(argv, g_strdup(command[i]));
	g_ptr_array_add(argv, g_strdup(selinux->policy));
	g_ptr_array_add(argv, g_strdup("-p"));
	g_ptr_array_add(argv, g_strdup(fixed[0].target));
	for (gsize i = 0; selinux->modules[i]; i++) {
		g_autofree char *file = module_file(build, selinux->modules[i], error);

		if (!file)
			return FALSE;
		add_install(argv, PRIORITY_PACKAGE, g_build_filename(fixed[1].target, file, NULL));
	}
	for (gsize i = 0; selinux->cil[i]; i++) {
		g_autofree char *name = g_path_get_basename(selinux->cil[i]);
		char *target = contained ? g_build_filename(INSIDE_CIL, name, NULL)
					 : g_strdup(selinux->cil[i]);
		const VarveBind bind = { .source = selinux->cil[i], .target = target };

		g_ptr_array_add(targets, target);
		g_array_append_val(binds, bind);
		add_install(argv, PRIORITY_OWN, g_strdup(target));
	}
	/* Nothing to install: the settings alone. */
	if (!selinux->modules[0] && !selinux->cil[0])
		g_ptr_array_add(argv, g_strdup("-B"));
	g_ptr_array_add(argv, NULL);
	if (varve_tools_run(build->tools, (const char *const *)argv->pdata,
			    (const VarveBind *)(gpointer)binds->data, contained ? binds->len : 0,
			    build->epoch, NULL, error))
		return TRUE;
	g_prefix_error(error, "SELinux policy '%s' cannot be linked: ", selinux->policy);
	return FALSE;
}

/* What only libsemanage reads, and compiled contexts: readers take those only where they are newer
 * than the text, and all files of a layer have one time. */
static gboolean tidy(const VarveSelinuxBuild *build, const char *tree, GError **error)
{
	g_autofree char *contexts =
		g_strdup_printf("%s/etc/selinux/%s/contexts/files", tree, build->selinux->policy);
	g_autofree char *store = g_build_filename(tree, "var", NULL);
	g_autofree char *semanage = g_build_filename(tree, "etc/selinux/semanage.conf", NULL);
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(AT_FDCWD, contexts, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(contexts, *name, NULL);

		if (g_str_has_suffix(*name, ".bin") && !varve_dir_remove(AT_FDCWD, path, error))
			return FALSE;
	}
	return varve_dir_remove(AT_FDCWD, store, error) &&
	       varve_dir_remove(AT_FDCWD, semanage, error);
}

static gboolean make(const VarveSelinuxBuild *build, const char *path, GError **error)
{
	g_autofree char *partial = varve_store_begin(path, error);

	return partial && prepare_tree(build, partial, error) &&
	       link_policy(build, partial, error) && tidy(build, partial, error) &&
	       varve_store_commit(partial, path, error) && varve_store_trim(path, KEEP, error);
}

static gboolean replace(const VarveSelinuxBuild *build, const char *path, GError **error)
{
	static const char *const gone[] = { "etc/selinux", "var/lib/selinux", "usr/share/selinux" };
	g_autofree char *from = g_build_filename(path, "etc/selinux", NULL);
	g_autofree char *to = g_build_filename(build->root, "etc/selinux", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(gone); i++) {
		g_autofree char *old = g_build_filename(build->root, gone[i], NULL);

		if (!varve_dir_remove(AT_FDCWD, old, error))
			return FALSE;
	}
	return copy(from, to, error);
}

gboolean varve_selinux_install(const VarveSelinuxBuild *build, GError **error)
{
	g_autofree char *package = g_strdup_printf("etc/selinux/%s", build->selinux->policy);
	g_autofree char *key = NULL, *path = NULL;

	if (!varve_root_exists(build->root, package))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no SELinux policy '%s' in the base (/%s): put its "
				  "package into a package set of the base",
				  build->selinux->policy, package);
	key = compute_key(build, error);
	path = key ? varve_store_path(build->work, "selinux", build->selinux->policy, key, error)
		   : NULL;
	if (!path)
		return FALSE;
	varve_store_touch(path);
	return (g_file_test(path, G_FILE_TEST_IS_DIR) || make(build, path, error)) &&
	       replace(build, path, error);
}

char *varve_selinux_contexts_key(const char *root, GError **error)
{
	g_autofree char *selinux = g_build_filename(root, "etc/selinux", NULL);
	g_autoptr(VarveInputs) inputs = varve_inputs_new("file contexts");
	g_auto(GStrv) names = NULL;

	if (!g_file_test(selinux, G_FILE_TEST_IS_DIR))
		return g_strdup("");
	if (!varve_dir_list(AT_FDCWD, selinux, &names, error))
		return NULL;
	for (char **name = names; *name; name++) {
		g_autofree char *contexts = g_strdup_printf("etc/selinux/%s/contexts/files", *name);

		if (!add_tree(inputs, root, contexts, error))
			return NULL;
	}
	return varve_inputs_key(inputs);
}
