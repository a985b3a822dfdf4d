/* Rules about what a layer brings. They look at the tree that was found. */
#include "base/text.h"
#include "policy/rule.h"

#include <string.h>
#include <sys/stat.h>

/* Files that steer the system itself: trust, what runs at boot before any unit, what the kernel
 * loads, who may log in. A rule of the policy can allow some to a key (reserved-paths). */
static const char *const reserved_globs[] = {
	"/usr/lib/verity.d/**",
	"/usr/lib/varve/**",
	"/usr/lib/os-release",
	"/usr/lib/extension-release.d/**",
	"/usr/lib/systemd/*-generators/**",
	"/usr/lib/systemd/systemd*",
	"/usr/lib/systemd/*-preset/**",
	"/usr/lib/systemd/*.conf",
	"/usr/lib/systemd/*.conf.d/**",
	"/usr/lib/systemd/network/**",
	"/usr/lib/systemd/system-sleep/**",
	"/usr/lib/systemd/system-shutdown/**",
	"/usr/lib/udev/**",
	"/usr/lib/modprobe.d/**",
	"/usr/lib/modules-load.d/**",
	"/usr/lib/kernel/**",
	"/usr/lib/firmware/**",
	"/usr/lib/ipe/**",
	"/usr/lib/binfmt.d/**",
	"/usr/lib/environment.d/**",
	"/usr/lib/sysctl.d/**",
	"/usr/lib/credstore/**",
	"/usr/lib/credstore.encrypted/**",
	/* Searched before the base's own programs, units and libraries. */
	"/usr/local/**",
	"/usr/share/systemd/user/**",
	"/usr/lib*/glibc-hwcaps/**",
	"/usr/lib/*/glibc-hwcaps/**",
	"/usr/lib/pam.d/**",
	"/usr/lib*/security/**",
	"/usr/lib/*/security/**",
	/* What is looked for there as well, and comes first. */
	"/usr/share/factory/etc/systemd/**",
	"/usr/share/factory/etc/udev/**",
	"/usr/share/factory/etc/modprobe.d/**",
	"/usr/share/factory/etc/modules*",
	"/usr/share/factory/etc/modules-load.d/**",
	"/usr/share/factory/etc/binfmt.d/**",
	"/usr/share/factory/etc/environment",
	"/usr/share/factory/etc/environment.d/**",
	"/usr/share/factory/etc/sysctl.conf",
	"/usr/share/factory/etc/sysctl.d/**",
	"/usr/share/factory/etc/credstore*/**",
	"/usr/share/factory/etc/tmpfiles.d/**",
	"/usr/share/factory/etc/sysusers.d/**",
	"/usr/share/factory/etc/dbus-1/**",
	"/usr/share/factory/etc/ssh/**",
	"/usr/share/factory/etc/profile",
	"/usr/share/factory/etc/profile.d/**",
	"/usr/share/factory/etc/bash.bashrc",
	"/usr/share/factory/etc/polkit-1/**",
	"/usr/share/factory/etc/verity.d/**",
	"/usr/share/factory/etc/fstab",
	"/usr/share/factory/etc/crypttab",
	"/usr/share/factory/etc/pam.d/**",
	"/usr/share/factory/etc/pam.conf",
	"/usr/share/factory/etc/security/**",
	"/usr/share/factory/etc/ld.so.preload",
	"/usr/share/factory/etc/ld.so.conf*",
	"/usr/share/factory/etc/selinux/**",
	"/usr/share/factory/etc/passwd*",
	"/usr/share/factory/etc/group*",
	"/usr/share/factory/etc/shadow*",
	"/usr/share/factory/etc/gshadow*",
	"/usr/share/factory/etc/sudoers*",
	"/usr/share/factory/etc/sudoers.d/**",
	"/usr/share/factory/etc/nsswitch.conf",
	"/usr/share/factory/etc/varve/**",
	"/usr/share/polkit-1/rules.d/**",
	NULL,
};

gboolean varve_globs_match(char *const *globs, const char *path)
{
	g_autofree char *absolute = g_strconcat("/", path, NULL);

	for (char *const *glob = globs; *glob; glob++) {
		if (varve_glob_match(*glob, absolute))
			return TRUE;
	}
	return FALSE;
}

/* Whether the symbolic link @path stands for a directory that files which match are looked for in.
 * Only names without a pattern are asked for what lies deeper: a star would be every library. */
static gboolean holds_match(char *const *globs, const char *path)
{
	g_autofree char *inside = g_strconcat(path, "/x", NULL);
	g_autofree char *prefix = g_strconcat("/", path, "/", NULL);

	for (char *const *glob = globs; *glob; glob++) {
		if (g_str_has_prefix(*glob, prefix))
			return TRUE;
	}
	return varve_globs_match(globs, inside);
}

/* Whether one of the applying rules has a glob for @path in the list at @offset of VarveAllow. */
static gboolean allowed(const VarveCase *c, gsize offset, const char *path)
{
	for (guint i = 0; i < c->allows->len; i++) {
		char **globs = *(char ***)((char *)c->allows->pdata[i] + offset);

		if (varve_globs_match(globs, path))
			return TRUE;
	}
	return FALSE;
}
#define ALLOWED(c, field, path) allowed(c, G_STRUCT_OFFSET(VarveAllow, field), path)

/* "/usr/bin/x is setuid; and 3 more" for all paths that @bad is true of; NULL where none is. */
static char *complain(const VarveCase *c,
		      gboolean (*bad)(const VarveCase *c, const VarvePath *path), const char *what)
{
	const VarvePath *first = NULL;
	guint n = 0;

	for (guint i = 0; i < c->layer->tree->len; i++) {
		const VarvePath *path = c->layer->tree->pdata[i];

		if (!bad(c, path))
			continue;
		if (!first)
			first = path;
		n++;
	}
	if (!first)
		return NULL;
	if (n == 1)
		return g_strdup_printf("/%s %s", first->path, what);
	return g_strdup_printf("/%s %s, and so %s %u more", first->path, what,
			       n == 2 ? "does" : "do", n - 1);
}

static gboolean is_outside(const VarveCase *c, const VarvePath *path)
{
	(void)c;
	return path->path[0] != '\0' && strcmp(path->path, "usr") != 0 &&
	       !g_str_has_prefix(path->path, "usr/");
}

char *varve_rule_path_outside_usr(const VarveCase *c)
{
	return complain(c, is_outside, "lies outside /usr");
}

static gboolean is_node(const VarveCase *c, const VarvePath *path)
{
	(void)c;
	return !S_ISREG(path->mode) && !S_ISDIR(path->mode) && !S_ISLNK(path->mode);
}

char *varve_rule_device_node(const VarveCase *c)
{
	return complain(c, is_node, "stands for a device, pipe, socket or whiteout");
}

static gboolean has_overlay_xattr(const VarveCase *c, const VarvePath *path)
{
	(void)c;
	for (size_t i = 0; i < path->n_xattrs; i++) {
		if (g_str_has_prefix(path->xattrs[i].name, "trusted.overlay.") ||
		    g_str_has_prefix(path->xattrs[i].name, "user.overlay."))
			return TRUE;
	}
	return FALSE;
}

char *varve_rule_overlay_attribute(const VarveCase *c)
{
	return complain(c, has_overlay_xattr, "carries an overlay attribute");
}

static gboolean is_setuid(const VarveCase *c, const VarvePath *path)
{
	return S_ISREG(path->mode) && (path->mode & (S_ISUID | S_ISGID)) != 0 &&
	       !ALLOWED(c, setuid, path->path);
}

char *varve_rule_setuid(const VarveCase *c)
{
	return complain(c, is_setuid, "has the setuid or setgid bit");
}

static gboolean has_capability(const VarveCase *c, const VarvePath *path)
{
	for (size_t i = 0; i < path->n_xattrs; i++) {
		if (strcmp(path->xattrs[i].name, "security.capability") == 0)
			return !ALLOWED(c, capabilities, path->path);
	}
	return FALSE;
}

char *varve_rule_file_capability(const VarveCase *c)
{
	return complain(c, has_capability, "carries file capabilities");
}

static gboolean is_module(const VarveCase *c, const VarvePath *path)
{
	const char *dot = strstr(path->path, ".ko");

	for (guint i = 0; i < c->allows->len; i++) {
		const VarveAllow *allow = c->allows->pdata[i];

		if (allow->kernel_modules)
			return FALSE;
	}
	if (S_ISDIR(path->mode))
		return FALSE;
	return g_str_has_prefix(path->path, "usr/lib/modules/") ||
	       (dot && (dot[3] == '\0' || dot[3] == '.') && S_ISREG(path->mode) &&
		strstr(path->path, "/kernel/"));
}

char *varve_rule_kernel_module(const VarveCase *c)
{
	return complain(c, is_module, "belongs to the kernel's modules");
}

/* Files by which every layer describes itself. */
static gboolean describes_itself(const VarveCase *c, const VarvePath *file)
{
	static const char *const forms[] = {
		"usr/lib/varve/layers/%s.json",
		"usr/lib/varve/layers/%s.paths",
		"usr/lib/extension-release.d/extension-release.%s",
		"usr/share/os-manifests/package-manifest.%s.spdx.json",
		"usr/share/os-manifests/package-manifest.%s.cdx.json",
	};
	const char *name = c->layer->manifest->name, *path = file->path;

	for (gsize i = 0; S_ISREG(file->mode) && i < G_N_ELEMENTS(forms); i++) {
		const char *hole = strstr(forms[i], "%s");
		gsize before = (gsize)(hole - forms[i]), length = strlen(name);

		if (strncmp(path, forms[i], before) == 0 &&
		    strncmp(path + before, name, length) == 0 &&
		    strcmp(path + before + length, hole + 2) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Whether @path, or what it would be the directory of, is reserved by @globs. */
static gboolean reserves(char *const *globs, const VarvePath *path)
{
	return (S_ISLNK(path->mode) && holds_match(globs, path->path)) ||
	       varve_globs_match(globs, path->path);
}

static gboolean is_reserved(const VarveCase *c, const VarvePath *path)
{
	if (S_ISDIR(path->mode) || describes_itself(c, path) || ALLOWED(c, reserved, path->path))
		return FALSE;
	for (guint i = 0; i < c->policy->reserved->len; i++) {
		const VarveSaid *said = c->policy->reserved->pdata[i];
		char *const globs[] = { said->value, NULL };

		if (reserves(globs, path))
			return TRUE;
	}
	return reserves((char *const *)reserved_globs, path) || varve_units_meddle(c, path);
}

char *varve_rule_reserved_path(const VarveCase *c)
{
	return complain(c, is_reserved, "steers the system itself");
}

static gboolean is_out_of_scope(const VarveCase *c, const VarvePath *path)
{
	/* A directory is as good as what is in it. */
	return !S_ISDIR(path->mode) && !describes_itself(c, path) && !ALLOWED(c, paths, path->path);
}

char *varve_rule_path_scope(const VarveCase *c)
{
	return complain(c, is_out_of_scope, "goes beyond what its key may bring");
}
