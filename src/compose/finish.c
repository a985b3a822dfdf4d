/* The steps that finish the root of a base. Each is a row of the table at the end. */
#include "compose/finish.h"

#include "base/error.h"
#include "base/file.h"
#include "compose/accounts.h"
#include "compose/declare.h"
#include "compose/modules.h"
#include "compose/os-release.h"
#include "compose/root-dir.h"
#include "compose/selinux.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define INSIDE "/run/root" /* where a tool sees the root that it works on */
#define CERTIFICATE_LIMIT (1 << 20)

/* Runs a program of the tools tree with the root at INSIDE; an "@" in its arguments stands for it.
 */
static gboolean run_tool(const VarveFinish *finish, GError **error, const char *program, ...)
{
	const gboolean contained = varve_tools_root(finish->tools) != NULL;
	const VarveBind bind = { .source = finish->root, .target = INSIDE, .writable = TRUE };
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	va_list arguments;

	g_ptr_array_add(argv, g_strdup(program));
	va_start(arguments, program);
	for (const char *word; (word = va_arg(arguments, const char *));) {
		const char *at = strchr(word, '@');

		if (at)
			g_ptr_array_add(argv,
					g_strdup_printf("%.*s%s%s", (int)(at - word), word,
							contained ? INSIDE : finish->root, at + 1));
		else
			g_ptr_array_add(argv, g_strdup(word));
	}
	va_end(arguments);
	g_ptr_array_add(argv, NULL);
	return varve_tools_run(finish->tools, (const char *const *)argv->pdata, &bind,
			       contained ? 1 : 0, finish->definition->os.released_time, NULL,
			       error);
}

/* The kernel beside its modules, where every tool of today looks; modules plain and indexed. */
static gboolean finish_kernel(const VarveFinish *finish, const char *version, GError **error)
{
	g_autofree char *from = g_strdup_printf("%s/boot/vmlinuz-%s", finish->root, version);
	g_autofree char *to =
		g_strdup_printf("%s/usr/lib/modules/%s/vmlinuz", finish->root, version);

	if (rename(from, to) < 0 && errno != ENOENT)
		return varve_fail_errno(error, errno, "%s: cannot move", from);
	return run_tool(finish, error, "depmod", "-b", "@", version, NULL);
}

static gboolean finish_kernels(const VarveFinish *finish, GError **error)
{
	g_autofree char *modules = g_build_filename(finish->root, "usr/lib/modules", NULL);
	g_auto(GStrv) versions = NULL;

	if (!varve_root_exists(finish->root, "usr/lib/modules"))
		return TRUE;
	if (!varve_modules_unpack(finish->root, error) ||
	    !varve_dir_list(AT_FDCWD, modules, &versions, error))
		return FALSE;
	for (char **version = versions; *version; version++)
		if (!finish_kernel(finish, *version, error))
			return FALSE;
	return TRUE;
}

static gboolean write_identity(const VarveFinish *finish, GError **error)
{
	g_autofree char *text =
		varve_os_release(finish->definition, finish->edition, finish->version);

	/* An empty machine-id is filled in by the first boot, without "first boot" presets. */
	return varve_root_write_text(finish->root, "/usr/lib/os-release", text, error) &&
	       varve_root_link(finish->root, "/etc/os-release", "../usr/lib/os-release", error) &&
	       varve_root_write(finish->root, "/etc/machine-id", "", 0, 0444, 0, 0, error);
}

static gboolean copy_in(const VarveFinish *finish, const char *from, const char *to, GError **error)
{
	g_autofree char *data = NULL;
	size_t size;

	return varve_file_read(AT_FDCWD, from, CERTIFICATE_LIMIT, &data, &size, error) &&
	       varve_root_write(finish->root, to, data, size, 0644, 0, 0, error);
}

static gboolean write_trust(const VarveFinish *finish, GError **error)
{
	for (gsize i = 0; finish->certificates && finish->certificates[i]; i++) {
		g_autofree char *name = g_path_get_basename(finish->certificates[i]);
		g_autofree char *to = g_build_filename("/usr/lib/verity.d", name, NULL);

		if (!copy_in(finish, finish->certificates[i], to, error))
			return FALSE;
	}
	return !finish->edition->policy ||
	       copy_in(finish, finish->edition->policy, "/usr/lib/varve/policy.toml", error);
}

static gboolean declare(const VarveFinish *finish, GError **error)
{
	const VarveLayerDefinition *layer = finish->edition->base;
	g_autofree char *sysctl = varve_declare_sysctl(layer);
	g_autofree char *sysctl_path = g_strdup_printf("/usr/lib/sysctl.d/60-%s.conf", layer->name);
	g_autofree char *accounts = varve_declare_sysusers(layer);
	g_autofree char *accounts_path =
		g_strdup_printf("/usr/lib/sysusers.d/varve-%s.conf", layer->name);

	/* The accounts a second time as sysusers.d: once a node has its own passwd in /etc, what a
	 * later base adds to the file is not seen there. */
	return varve_accounts_add(finish->root, layer, error) &&
	       (!*accounts ||
		varve_root_write_text(finish->root, accounts_path, accounts, error)) &&
	       varve_declare_entries(finish->root, NULL, layer, error) &&
	       (!*sysctl || varve_root_write_text(finish->root, sysctl_path, sysctl, error));
}

/* What a package's sysusers.d makes up by itself has another number on another day. */
static gboolean check_accounts(const VarveFinish *finish, GError **error)
{
	g_autofree char *lock = g_build_filename(finish->root, "etc/.pwd.lock", NULL);
	g_autoptr(GHashTable) users = NULL, groups = NULL;

	if (!varve_root_exists(finish->root, "usr/lib/sysusers.d"))
		return TRUE;
	return varve_accounts_read_ids(finish->root, "etc/passwd", &users, error) &&
	       varve_accounts_read_ids(finish->root, "etc/group", &groups, error) &&
	       run_tool(finish, error, "systemd-sysusers", "--root=@", NULL) &&
	       varve_accounts_check(finish->root, users, groups, finish->edition->base, error) &&
	       varve_dir_remove(AT_FDCWD, lock, error);
}

static gboolean set_units(const VarveFinish *finish, GError **error)
{
	const VarveLayerDefinition *layer = finish->edition->base;
	g_autofree char *preset = varve_declare_preset(layer);

	if (!varve_root_exists(finish->root, "usr/lib/systemd/system"))
		return TRUE;
	for (gsize i = 0; layer->mask && layer->mask[i]; i++) {
		g_autofree char *unit =
			g_build_filename("/usr/lib/systemd/system", layer->mask[i], NULL);

		if (!varve_root_link(finish->root, unit, "/dev/null", error))
			return FALSE;
	}
	return varve_root_write_text(finish->root, "/usr/lib/systemd/system-preset/10-varve.preset",
				     preset, error) &&
	       run_tool(finish, error, "systemctl", "--root=@", "preset-all", NULL) &&
	       run_tool(finish, error, "systemctl", "--root=@", "--global", "preset-all", NULL);
}

static gboolean make_databases(const VarveFinish *finish, GError **error)
{
	g_autofree char *cache = g_build_filename(finish->root, "var/cache/ldconfig", NULL);

	if (varve_root_exists(finish->root, "usr/lib/udev/hwdb.d") &&
	    !run_tool(finish, error, "systemd-hwdb", "--root=@", "--usr", "--strict", "update",
		      NULL))
		return FALSE;
	if (varve_root_exists(finish->root, "usr/lib/systemd/catalog") &&
	    !run_tool(finish, error, "journalctl", "--root=@", "--update-catalog", NULL))
		return FALSE;
	if (!run_tool(finish, error, "ldconfig", "-X", "-r", "@", NULL))
		return FALSE;
	/* Its cache of the cache has inode numbers and times of this machine. */
	return varve_dir_remove(AT_FDCWD, cache, error);
}

static gboolean append_certificate(const char *root, const char *path, GString *bundle,
				   GError **error)
{
	g_autofree char *text = varve_root_read(root, path, error);

	if (!text)
		return FALSE;
	g_string_append(bundle, text);
	if (bundle->len && bundle->str[bundle->len - 1] != '\n')
		g_string_append_c(bundle, '\n');
	return TRUE;
}

/* Debian's ca-certificates brings single files and a script; readers want the bundle. */
static gboolean bundle_certificates(const VarveFinish *finish, GError **error)
{
	static const char directory[] = "usr/share/ca-certificates/mozilla";
	g_autofree char *host = g_build_filename(finish->root, directory, NULL);
	g_autoptr(GString) bundle = g_string_new(NULL);
	g_auto(GStrv) names = NULL;

	if (!varve_root_exists(finish->root, directory))
		return TRUE;
	if (!varve_dir_list(AT_FDCWD, host, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(directory, *name, NULL);

		if (!append_certificate(finish->root, path, bundle, error))
			return FALSE;
	}
	return varve_root_write_text(finish->root, "/etc/ssl/certs/ca-certificates.crt",
				     bundle->str, error);
}

static gboolean link_policy(const VarveFinish *finish, GError **error)
{
	const VarveSelinuxBuild build = {
		.selinux = &finish->edition->base->selinux,
		.tools = finish->tools,
		.tools_key = finish->tools_key,
		.root = finish->root,
		.work = finish->work,
		.epoch = finish->definition->os.released_time,
	};

	return !build.selinux->policy || varve_selinux_install(&build, error);
}

/* /var is the state partition's: what packages put there becomes the seed of a blank one. */
static gboolean move_var(const VarveFinish *finish, GError **error)
{
	g_autofree char *var = g_build_filename(finish->root, "var", NULL);
	g_autofree char *factory = g_build_filename(finish->root, "usr/share/factory", NULL);
	g_autofree char *seed = g_build_filename(factory, "var", NULL);

	/* With these, and one time for all files, ConditionNeedsUpdate= never holds. */
	if (!varve_root_write_text(finish->root, "/etc/.updated", "", error) ||
	    !varve_root_write_text(finish->root, "/var/.updated", "", error) ||
	    !varve_root_mkdir(finish->root, "/usr/share/factory", 0755, 0, 0, error) ||
	    !varve_dir_remove(AT_FDCWD, seed, error))
		return FALSE;
	if (rename(var, seed) < 0)
		return varve_fail_errno(error, errno, "%s: cannot become the factory's", var);
	return varve_root_mkdir(finish->root, "/var", 0755, 0, 0, error);
}

gboolean varve_finish_base(const VarveFinish *finish, GError **error)
{
	static const struct {
		const char *name;
		gboolean (*run)(const VarveFinish *finish, GError **error);
	} steps[] = {
		{ "what the layer declares", declare },
		{ "kernels", finish_kernels },
		{ "identity", write_identity },
		{ "trust", write_trust },
		{ "accounts", check_accounts },
		{ "units", set_units },
		{ "databases", make_databases },
		{ "certificates of authorities", bundle_certificates },
		{ "SELinux policy", link_policy },
		{ "the seed of /var", move_var },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
		if (!steps[i].run(finish, error)) {
			g_prefix_error(error, "finishing layer '%s', step '%s': ",
				       finish->edition->base->name, steps[i].name);
			return FALSE;
		}
	return TRUE;
}
