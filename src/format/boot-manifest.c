/* Boot manifests, as docs/formats.md describes them. */
#include "format/boot-manifest.h"

#include "base/error.h"
#include "format/members.h"
#include "format/path.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define FORMAT 1

static const char *const origins[] = {
	[VARVE_BOOT_BASE] = "base",           [VARVE_BOOT_TREE] = "tree",
	[VARVE_BOOT_TOOLS] = "tools",         [VARVE_BOOT_HOST] = "host",
	[VARVE_BOOT_GENERATED] = "generated",
};

const char *varve_boot_origin_name(VarveBootOrigin origin)
{
	return origins[origin];
}

static void part_init(VarveBootPart *part)
{
	part->origin = VARVE_BOOT_GENERATED;
	part->from = g_strdup("");
	part->package = g_strdup("");
}

static void part_clear(VarveBootPart *part)
{
	g_free(part->from);
	g_free(part->package);
}

VarveBootFile *varve_boot_file_new(const char *path, mode_t mode)
{
	VarveBootFile *file = g_new0(VarveBootFile, 1);

	file->path = g_strdup(path);
	file->mode = mode;
	file->target = g_strdup("");
	part_init(&file->part);
	return file;
}

static void file_free(gpointer data)
{
	VarveBootFile *file = data;

	g_free(file->path);
	g_free(file->target);
	part_clear(&file->part);
	g_free(file);
}

VarveBootSection *varve_boot_section_new(const char *name, const VarveDigest *digest)
{
	VarveBootSection *section = g_new0(VarveBootSection, 1);

	section->name = g_strdup(name);
	section->digest = *digest;
	return section;
}

static void section_free(gpointer data)
{
	VarveBootSection *section = data;

	g_free(section->name);
	g_free(section);
}

VarveBootManifest *varve_boot_manifest_new(void)
{
	VarveBootManifest *manifest = g_new0(VarveBootManifest, 1);
	char **const texts[] = {
		&manifest->name,         &manifest->version,        &manifest->arch,
		&manifest->base_name,    &manifest->base_version,   &manifest->signer,
		&manifest->command_line, &manifest->kernel_version,
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		*texts[i] = g_strdup("");
	part_init(&manifest->kernel);
	part_init(&manifest->os_release);
	part_init(&manifest->stub);
	part_init(&manifest->boot_loader);
	manifest->stub_sections = g_ptr_array_new_with_free_func(section_free);
	manifest->packages =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_manifest_package_free);
	manifest->files = g_ptr_array_new_with_free_func(file_free);
	return manifest;
}

void varve_boot_manifest_free(VarveBootManifest *manifest)
{
	if (!manifest)
		return;
	g_free(manifest->name);
	g_free(manifest->version);
	g_free(manifest->arch);
	g_free(manifest->base_name);
	g_free(manifest->base_version);
	g_free(manifest->kernel_version);
	g_free(manifest->command_line);
	g_free(manifest->signer);
	part_clear(&manifest->kernel);
	part_clear(&manifest->os_release);
	part_clear(&manifest->stub);
	part_clear(&manifest->boot_loader);
	g_ptr_array_unref(manifest->stub_sections);
	g_ptr_array_unref(manifest->packages);
	g_ptr_array_unref(manifest->files);
	g_free(manifest);
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const VarveBootFile *const *)a)->path,
		      (*(const VarveBootFile *const *)b)->path);
}

const VarveBootFile *varve_boot_manifest_file(const VarveBootManifest *manifest, const char *path)
{
	for (guint i = 0; i < manifest->files->len; i++) {
		const VarveBootFile *file = manifest->files->pdata[i];

		if (strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

const VarveManifestPackage *varve_boot_manifest_package(const VarveBootManifest *manifest,
							const char *nevra)
{
	for (guint i = 0; *nevra && i < manifest->packages->len; i++) {
		const VarveManifestPackage *package = manifest->packages->pdata[i];
		g_autofree char *name = varve_manifest_package_nevra(package);

		if (strcmp(name, nevra) == 0)
			return package;
	}
	return NULL;
}

/* Writing. */

static void put_part(json_t *object, const VarveBootPart *part)
{
	json_object_set_new(object, "origin", json_string(origins[part->origin]));
	json_object_set_new(object, "from", varve_json_text(part->from));
	json_object_set_new(object, "package", varve_json_text(part->package));
	json_object_set_new(object, "sha256", varve_members_of_digest(&part->digest));
	json_object_set_new(object, "size", json_integer((json_int_t)part->size));
}

static json_t *json_part(const VarveBootPart *part)
{
	json_t *object = json_object();

	put_part(object, part);
	return object;
}

static json_t *json_files(const GPtrArray *files)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	json_t *array = json_array();

	for (guint i = 0; i < files->len; i++)
		g_ptr_array_add(sorted, files->pdata[i]);
	g_ptr_array_sort(sorted, by_path);
	for (guint i = 0; i < sorted->len; i++) {
		const VarveBootFile *file = sorted->pdata[i];
		g_autofree char *mode = g_strdup_printf("%06o", (guint)file->mode);
		json_t *object = json_object();

		json_object_set_new(object, "path", varve_json_text(file->path));
		json_object_set_new(object, "mode", json_string(mode));
		if (S_ISREG(file->mode))
			put_part(object, &file->part);
		if (S_ISLNK(file->mode))
			json_object_set_new(object, "target", varve_json_text(file->target));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *json_parts(const VarveBootManifest *manifest)
{
	json_t *object = json_object(), *sections = json_object(), *stub, *loader;

	for (guint i = 0; i < manifest->stub_sections->len; i++) {
		const VarveBootSection *section = manifest->stub_sections->pdata[i];

		json_object_set_new(sections, section->name,
				    varve_members_of_digest(&section->digest));
	}
	stub = json_part(&manifest->stub);
	json_object_set_new(stub, "sections", sections);
	loader = json_part(&manifest->boot_loader);
	json_object_set_new(loader, "installed",
			    varve_members_of_digest(&manifest->boot_loader_final));
	json_object_set_new(object, "kernel", json_part(&manifest->kernel));
	json_object_set_new(object, "os-release", json_part(&manifest->os_release));
	json_object_set_new(object, "stub", stub);
	json_object_set_new(object, "boot-loader", loader);
	return object;
}

char *varve_boot_manifest_write(const VarveBootManifest *manifest)
{
	g_autoptr(json_t) root = json_object();
	json_t *base = json_object(), *signer = json_null();

	json_object_set_new(base, "name", varve_json_text(manifest->base_name));
	json_object_set_new(base, "version", varve_json_text(manifest->base_version));
	json_object_set_new(base, "root", varve_members_of_digest(&manifest->base_root));
	if (manifest->is_signed) {
		signer = json_object();
		json_object_set_new(signer, "subject", varve_json_text(manifest->signer));
		json_object_set_new(signer, "fingerprint",
				    varve_members_of_digest(&manifest->signer_fingerprint));
		json_object_set_new(signer, "development",
				    json_boolean(manifest->signer_development));
	}
	json_object_set_new(root, "format", json_integer(FORMAT));
	json_object_set_new(root, "name", varve_json_text(manifest->name));
	json_object_set_new(root, "version", varve_json_text(manifest->version));
	json_object_set_new(root, "arch", varve_json_text(manifest->arch));
	json_object_set_new(root, "base", base);
	json_object_set_new(root, "kernel-version", varve_json_text(manifest->kernel_version));
	json_object_set_new(root, "command-line", varve_json_text(manifest->command_line));
	json_object_set_new(root, "signer", signer);
	json_object_set_new(root, "parts", json_parts(manifest));
	json_object_set_new(root, "packages", varve_members_of_packages(manifest->packages));
	json_object_set_new(root, "files", json_files(manifest->files));
	return varve_json_dump(root, FALSE);
}

/* Reading. */

static gboolean get_origin(const json_t *object, const char *name, VarveBootOrigin *ret,
			   GError **error)
{
	const char *text;

	if (!varve_json_get_string(object, "origin", name, &text, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(origins); i++) {
		if (strcmp(origins[i], text) == 0) {
			*ret = (VarveBootOrigin)i;
			return TRUE;
		}
	}
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "%s: 'origin' is none of base, tree, tools, host, generated", name);
}

static gboolean get_part(const json_t *object, const char *name, VarveBootPart *part,
			 GError **error)
{
	gint64 size;

	if (!get_origin(object, name, &part->origin, error) ||
	    !varve_members_text(object, "from", name, &part->from, error) ||
	    !varve_members_text(object, "package", name, &part->package, error) ||
	    !varve_members_digest(object, "sha256", name, &part->digest, error) ||
	    !varve_json_get_int(object, "size", name, 0, G_MAXINT64, &size, error))
		return FALSE;
	part->size = (guint64)size;
	return varve_path_is_canonical(part->from) ||
	       varve_fail(error, VARVE_ERROR_CORRUPT, "%s: 'from' is no path relative to the root",
			  name);
}

static gboolean get_mode(const json_t *object, const char *name, mode_t *ret, GError **error)
{
	const char *text;
	guint mode = 0;

	if (!varve_json_get_string(object, "mode", name, &text, error))
		return FALSE;
	for (gsize i = 0; i < 6; i++) {
		if (text[i] < '0' || text[i] > '7')
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: 'mode' is not of six octal digits", name);
		mode = mode << 3 | (guint)(text[i] - '0');
	}
	if (text[6] || (!S_ISREG(mode) && !S_ISLNK(mode) && !S_ISDIR(mode) && !S_ISCHR(mode)))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'mode' is of no type that an initrd has", name);
	*ret = mode;
	return TRUE;
}

/* Takes a file into @files; they have to be in order. */
static gboolean get_file(const json_t *object, const char *name, GPtrArray *files, GError **error)
{
	static const char *const regular[] = { "path",    "mode",   "origin", "from",
					       "package", "sha256", "size",   NULL };
	static const char *const link[] = { "path", "mode", "target", NULL };
	static const char *const other[] = { "path", "mode", NULL };
	VarveBootFile *file = varve_boot_file_new("", 0);
	const VarveBootFile *before = files->len ? files->pdata[files->len - 1] : NULL;

	g_ptr_array_add(files, file);
	if (!json_is_object(object))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: not an object", name);
	if (!varve_members_text(object, "path", name, &file->path, error) ||
	    !get_mode(object, name, &file->mode, error) ||
	    !varve_members_check(object,
				 S_ISREG(file->mode)   ? regular
				 : S_ISLNK(file->mode) ? link
						       : other,
				 name, error))
		return FALSE;
	if (!*file->path || strlen(file->path) >= PATH_MAX || !varve_path_is_canonical(file->path))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'path' is no path relative to the root", name);
	if (before && strcmp(before->path, file->path) >= 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' is there twice or out of order", name, file->path);
	if (S_ISREG(file->mode))
		return get_part(object, name, &file->part, error);
	if (!S_ISLNK(file->mode))
		return TRUE;
	if (!varve_members_text(object, "target", name, &file->target, error))
		return FALSE;
	return (*file->target && strlen(file->target) < PATH_MAX) ||
	       varve_fail(error, VARVE_ERROR_CORRUPT, "%s: 'target' is empty or too long", name);
}

static gboolean get_files(const json_t *root, const char *name, GPtrArray *files, GError **error)
{
	const json_t *array = json_object_get(root, "files");

	if (!json_is_array(array))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'files' is missing or of another type, expected an array",
				  name);
	for (gsize i = 0; i < json_array_size(array); i++) {
		g_autofree char *where = g_strdup_printf("%s: file %" G_GSIZE_FORMAT, name, i);

		if (!get_file(json_array_get(array, i), where, files, error))
			return FALSE;
	}
	return TRUE;
}

static gint by_section(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const VarveBootSection *const *)a)->name,
		      (*(const VarveBootSection *const *)b)->name);
}

static gboolean get_sections(const json_t *stub, const char *name, GPtrArray *sections,
			     GError **error)
{
	const json_t *object = json_object_get(stub, "sections");
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'sections' is missing or of another type", name);
	json_object_foreach ((json_t *)object, key, value) {
		VarveDigest digest;

		if (!varve_members_made_of(key, "._$/"))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: 'sections' has a key that names none", name);
		if (!varve_members_digest(object, key, name, &digest, error))
			return FALSE;
		g_ptr_array_add(sections, varve_boot_section_new(key, &digest));
	}
	g_ptr_array_sort(sections, by_section);
	return TRUE;
}

static gboolean get_parts(const json_t *root, const char *name, VarveBootManifest *manifest,
			  GError **error)
{
	static const char *const known_parts[] = { "kernel", "os-release", "stub", "boot-loader",
						   NULL };
	static const char *const members[] = { "origin", "from", "package",        "sha256",
					       "size",   NULL,   /* more: */ NULL, NULL };
	const struct {
		const char *key, *more;
		VarveBootPart *part;
	} parts[] = {
		{ "kernel", NULL, &manifest->kernel },
		{ "os-release", NULL, &manifest->os_release },
		{ "stub", "sections", &manifest->stub },
		{ "boot-loader", "installed", &manifest->boot_loader },
	};
	const json_t *object = json_object_get(root, "parts");

	if (!json_is_object(object))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'parts' is missing or of another type", name);
	if (!varve_members_check(object, known_parts, name, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree char *where = g_strdup_printf("%s: %s", name, parts[i].key);
		const json_t *part = json_object_get(object, parts[i].key);
		const char *known[G_N_ELEMENTS(members)];

		memcpy(known, members, sizeof(members));
		known[5] = parts[i].more;
		if (!json_is_object(part))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: missing or of another type", where);
		if (!varve_members_check(part, known, where, error) ||
		    !get_part(part, where, parts[i].part, error))
			return FALSE;
	}
	return get_sections(json_object_get(object, "stub"), name, manifest->stub_sections,
			    error) &&
	       varve_members_digest(json_object_get(object, "boot-loader"), "installed", name,
				    &manifest->boot_loader_final, error);
}

static gboolean get_signer(const json_t *root, const char *name, VarveBootManifest *manifest,
			   GError **error)
{
	static const char *const known[] = { "subject", "fingerprint", "development", NULL };
	const json_t *signer = json_object_get(root, "signer");

	if (json_is_null(signer))
		return TRUE;
	if (!json_is_object(signer) || !json_is_boolean(json_object_get(signer, "development")))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'signer' is missing or of another type", name);
	manifest->is_signed = TRUE;
	manifest->signer_development = json_is_true(json_object_get(signer, "development"));
	return varve_members_check(signer, known, name, error) &&
	       varve_members_text(signer, "subject", name, &manifest->signer, error) &&
	       varve_members_digest(signer, "fingerprint", name, &manifest->signer_fingerprint,
				    error);
}

static gboolean get_base(const json_t *root, const char *name, VarveBootManifest *manifest,
			 GError **error)
{
	static const char *const known[] = { "name", "version", "root", NULL };
	const json_t *base = json_object_get(root, "base");

	if (!json_is_object(base))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'base' is missing or of another type", name);
	return varve_members_check(base, known, name, error) &&
	       varve_members_word(base, "name", ".+-", name, &manifest->base_name, error) &&
	       varve_members_word(base, "version", ".+~^-", name, &manifest->base_version, error) &&
	       varve_members_digest(base, "root", name, &manifest->base_root, error);
}

VarveBootManifest *varve_boot_manifest_parse(const char *text, size_t size, const char *name,
					     GError **error)
{
	static const char *const known[] = { "format",         "name",         "version", "arch",
					     "base",           "command-line", "signer",  "parts",
					     "kernel-version", "packages",     "files",   NULL };
	g_autoptr(VarveBootManifest) manifest = varve_boot_manifest_new();
	g_autoptr(json_t) root = varve_json_parse(text, size, name, error);

	if (!root || !varve_members_format(root, FORMAT, name, error) ||
	    !varve_members_check(root, known, name, error) ||
	    !varve_members_word(root, "name", ".+~^-", name, &manifest->name, error) ||
	    !varve_members_word(root, "version", ".+~^-", name, &manifest->version, error) ||
	    !varve_members_word(root, "arch", "-", name, &manifest->arch, error) ||
	    !varve_members_word(root, "kernel-version", "._+~-", name, &manifest->kernel_version,
				error) ||
	    !varve_members_text(root, "command-line", name, &manifest->command_line, error) ||
	    !get_base(root, name, manifest, error) || !get_signer(root, name, manifest, error) ||
	    !get_parts(root, name, manifest, error) ||
	    !varve_members_packages(root, name, manifest->packages, error) ||
	    !get_files(root, name, manifest->files, error))
		return NULL;
	return g_steal_pointer(&manifest);
}
