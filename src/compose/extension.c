/* The shape of an extension. Formats: tmpfiles.d(5), sysusers.d(5), systemd.unit(5) [Install]. */
#include "compose/extension.h"

#include "base/error.h"
#include "compose/declare.h"
#include "compose/os-release.h"
#include "compose/unit-links.h"

#include <string.h>
#include <sys/stat.h>

#define FACTORY "usr/share/factory/"

/* Where @path of a package lies in the layer. Returns: (caller frees), NULL where it has no place.
 */
static char *place(const char *path)
{
	if (g_str_has_prefix(path, "usr/") || strcmp(path, "usr") == 0)
		return g_strdup(path);
	if (g_str_has_prefix(path, "etc/") || g_str_has_prefix(path, "var/"))
		return g_strconcat(FACTORY, path, NULL);
	if (g_str_has_prefix(path, "opt/"))
		return g_strconcat("usr/", path, NULL);
	return NULL;
}

/* A path as tmpfiles.d wants it: specifiers and spaces quoted. */
static char *tmpfiles_quote(const char *path)
{
	GString *quoted = g_string_new("/");

	for (; *path; path++) {
		if (*path == '%')
			g_string_append(quoted, "%%");
		else if (g_ascii_isspace(*path) || *path == '\\' || *path == '"')
			g_string_append_printf(quoted, "\\x%02x", (guint8)*path);
		else
			g_string_append_c(quoted, *path);
	}
	return g_string_free(quoted, FALSE);
}

/* The line that makes /@path at run time what the factory has. */
static void add_tmpfiles_line(GString *text, const VarvePath *path, const char *name)
{
	g_autofree char *quoted = tmpfiles_quote(name);

	if (S_ISDIR(path->mode))
		g_string_append_printf(text, "d %s %04o %u %u -\n", quoted, path->mode & 07777,
				       path->uid, path->gid);
	else if (S_ISLNK(path->mode))
		g_string_append_printf(text, "L %s - - - - %s\n", quoted, path->target);
	else
		g_string_append_printf(text, "C %s %04o %u %u - /" FACTORY "%s\n", quoted,
				       path->mode & 07777, path->uid, path->gid, name);
}

/* Whether anything but directories is below @directory of @files, which are sorted. */
static gboolean holds_something(const GPtrArray *files, guint index, const char *directory)
{
	g_autofree char *prefix = g_strconcat(directory, "/", NULL);

	for (guint i = index + 1; i < files->len; i++) {
		const VarveTreeFile *file = g_ptr_array_index(files, i);

		if (!g_str_has_prefix(file->path.path, prefix)) {
			/* "a-b" sorts between "a" and "a/b". */
			if (g_str_has_prefix(file->path.path, directory))
				continue;
			return FALSE;
		}
		if (!S_ISDIR(file->path.mode))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_whiteout(const VarvePath *path)
{
	return S_ISCHR(path->mode) && path->device == 0;
}

static gboolean no_place(const VarveTreeFile *file, const VarveLayerDefinition *layer,
			 GError **error)
{
	return varve_fail(
		error, VARVE_ERROR_CONFLICT,
		"layer '%s': %s%s brings '/%s', but an extension can only hold /usr, /etc, "
		"/var and /opt; leave it out with 'exclude', or put the package into the base",
		layer->name, *file->path.package ? "package " : "its definition",
		file->path.package, file->path.path);
}

/* A directory of /etc or /var that the base has too needs no line; its mode is the base's. */
static gboolean base_has(const VarveExtension *extension, const char *path)
{
	g_autofree char *direct = g_build_filename(extension->base_root, path, NULL);
	g_autofree char *factory = g_build_filename(extension->base_root, FACTORY, path, NULL);

	return g_file_test(direct, G_FILE_TEST_IS_DIR) || g_file_test(factory, G_FILE_TEST_IS_DIR);
}

/* Moves everything to its place below usr and collects the lines that place it at run time. */
static gboolean relocate(VarveTree *tree, const VarveExtension *extension, GString *tmpfiles,
			 GError **error)
{
	/* A list of its own, for the tree changes under it; it frees nothing. */
	const GPtrArray *all = varve_tree_files(tree);
	g_autoptr(GPtrArray) files = g_ptr_array_sized_new(all->len);

	for (guint i = 0; i < all->len; i++)
		g_ptr_array_add(files, g_ptr_array_index(all, i));
	for (guint i = 0; i < files->len; i++) {
		VarveTreeFile *file = g_ptr_array_index(files, i);
		g_autofree char *name = g_strdup(file->path.path);
		g_autofree char *to = place(name);

		if (is_whiteout(&file->path))
			return varve_fail(
				error, VARVE_ERROR_CONFLICT,
				"layer '%s': something removed '/%s' of the base while its "
				"packages were installed; an extension can only add",
				extension->layer->name, name);
		if (!*name || (to && strcmp(to, name) == 0))
			continue;
		if (!to || (S_ISDIR(file->path.mode) && base_has(extension, name))) {
			if (!S_ISDIR(file->path.mode) ||
			    (!to && strcmp(name, "etc") != 0 && strcmp(name, "var") != 0 &&
			     strcmp(name, "opt") != 0 && holds_something(files, i, name)))
				return no_place(file, extension->layer, error);
			varve_tree_drop(tree, file);
			g_ptr_array_index(files, i) = NULL;
			continue;
		}
		if (!g_str_has_prefix(to, "usr/opt/"))
			add_tmpfiles_line(tmpfiles, &file->path, name);
		varve_tree_add_parents(tree, to);
		if (!varve_tree_rename(tree, file, to, error))
			return FALSE;
	}
	return TRUE;
}

void varve_extension_identify(VarveTree *tree, const VarveExtension *extension)
{
	static const VarveXattr not_strict = { "user.extension-release.strict", "0", 1 };
	g_autofree char *text =
		varve_extension_release(extension->definition, extension->arch, extension->layer);
	g_autofree char *path = g_strdup_printf("usr/lib/extension-release.d/extension-release.%s",
						extension->layer->name);
	VarveTreeFile *file = varve_tree_add_text(tree, path, 0644, text);

	file->path.xattrs = g_memdup2(&not_strict, sizeof(not_strict));
	file->path.n_xattrs = 1;
}

/* Adds @text as a file, unless there is nothing to say. */
static void add_generated(VarveTree *tree, const char *format, const char *layer, const char *text)
{
	g_autoptr(GString) path = g_string_new(format);

	g_string_replace(path, "@", layer, 0);
	if (*text)
		varve_tree_add_text(tree, path->str, 0644, text);
}

gboolean varve_extension_shape(VarveTree *tree, const VarveExtension *extension, GError **error)
{
	const VarveLayerDefinition *layer = extension->layer;
	g_autofree char *sysusers = varve_declare_sysusers(layer);
	g_autofree char *sysctl = varve_declare_sysctl(layer);
	g_autoptr(GString) tmpfiles = g_string_new(NULL);

	if (!relocate(tree, extension, tmpfiles, error))
		return FALSE;
	add_generated(tree, "usr/lib/tmpfiles.d/varve-@.conf", layer->name, tmpfiles->str);
	add_generated(tree, "usr/lib/sysusers.d/varve-@.conf", layer->name, sysusers);
	add_generated(tree, "usr/lib/sysctl.d/60-@.conf", layer->name, sysctl);
	for (gsize i = 0; layer->enable && layer->enable[i]; i++)
		if (!varve_unit_links_add(tree, layer, layer->enable[i], error))
			return FALSE;
	for (gsize i = 0; layer->mask && layer->mask[i]; i++) {
		g_autofree char *path =
			g_build_filename("usr/lib/systemd/system", layer->mask[i], NULL);

		varve_tree_add_link(tree, path, "/dev/null");
	}
	varve_extension_identify(tree, extension);
	return TRUE;
}
