/* Boots as JSON. */
#include "format/members.h"
#include "trace/answer.h"
#include "trace/boot.h"

#include <string.h>
#include <sys/stat.h>

static json_t *part_json(const VarveBootManifest *manifest, const VarveBootPart *part)
{
	const VarveManifestPackage *package = varve_boot_manifest_package(manifest, part->package);
	json_t *object = json_object();

	json_object_set_new(object, "origin", json_string(varve_boot_origin_name(part->origin)));
	json_object_set_new(object, "from", varve_json_escaped(part->from));
	json_object_set_new(object, "sha256", varve_members_of_digest(&part->digest));
	json_object_set_new(object, "size", json_integer((json_int_t)part->size));
	json_object_set_new(object, "package",
			    package ? varve_trace_package_json(package) : json_null());
	return object;
}

static json_t *certificate_json(const VarveCertificate *certificate)
{
	json_t *object = json_object();

	json_object_set_new(object, "subject", json_string(varve_certificate_subject(certificate)));
	json_object_set_new(object, "fingerprint",
			    varve_members_of_digest(varve_certificate_fingerprint(certificate)));
	json_object_set_new(object, "development",
			    json_boolean(varve_certificate_is_development(certificate)));
	return object;
}

static json_t *signature_json(const VarveEfiSignature *signature)
{
	return signature->certificate ? certificate_json(signature->certificate) : json_null();
}

/* What was found of the file; null where no image was looked at. */
static json_t *found_json(const VarveTraceBoot *boot, const char *path)
{
	const VarveUkiFile *file = boot->uki ? g_hash_table_lookup(boot->uki->files, path) : NULL;
	g_autofree char *mode = NULL;
	json_t *object;

	if (!file)
		return json_null();
	object = json_object();
	mode = g_strdup_printf("%06o", file->mode);
	json_object_set_new(object, "mode", json_string(mode));
	if (S_ISREG(file->mode)) {
		json_object_set_new(object, "size", json_integer((json_int_t)file->size));
		json_object_set_new(object, "sha256", varve_members_of_digest(&file->digest));
	}
	if (S_ISLNK(file->mode))
		json_object_set_new(object, "target", varve_json_escaped(file->target));
	return object;
}

json_t *varve_trace_boot_file_json(const VarveTraceBoot *boot, const VarveBootFile *file)
{
	json_t *object =
		S_ISREG(file->mode) ? part_json(boot->manifest, &file->part) : json_object();
	g_autofree char *path = g_strconcat("initrd:/", file->path, NULL);
	g_autofree char *mode = g_strdup_printf("%06o", file->mode);

	json_object_set_new(object, "path", varve_json_escaped(path));
	json_object_set_new(object, "mode", json_string(mode));
	if (S_ISLNK(file->mode))
		json_object_set_new(object, "target", varve_json_escaped(file->target));
	json_object_set_new(object, "found", found_json(boot, file->path));
	return object;
}

static json_t *uki_json(const VarveTraceUki *uki)
{
	json_t *object = json_object(), *sections = json_array();

	for (guint i = 0; i < uki->sections->len; i++) {
		const VarveUkiSection *section = uki->sections->pdata[i];
		json_t *item = json_object();

		json_object_set_new(item, "name", varve_json_escaped(section->name));
		json_object_set_new(item, "size", json_integer((json_int_t)section->size));
		json_object_set_new(item, "sha256", varve_members_of_digest(&section->digest));
		json_array_append_new(sections, item);
	}
	json_object_set_new(object, "sha256", varve_members_of_digest(&uki->digest));
	json_object_set_new(object, "size", json_integer((json_int_t)uki->size));
	json_object_set_new(object, "signed", json_boolean(uki->signature.is_signed));
	json_object_set_new(object, "signer", signature_json(&uki->signature));
	json_object_set_new(object, "sections", sections);
	return object;
}

static json_t *loaders_json(const VarveTraceBoot *boot)
{
	json_t *array = json_array();

	for (guint i = 0; i < boot->loaders->len; i++) {
		const VarveTraceLoader *loader = boot->loaders->pdata[i];
		json_t *object = json_object();

		json_object_set_new(object, "path", varve_json_escaped(loader->path));
		json_object_set_new(object, "sha256", varve_members_of_digest(&loader->digest));
		json_object_set_new(object, "size", json_integer((json_int_t)loader->size));
		json_object_set_new(object, "signer", signature_json(&loader->signature));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *parts_json(const VarveBootManifest *manifest)
{
	json_t *object = json_object(), *loader = part_json(manifest, &manifest->boot_loader);

	json_object_set_new(loader, "installed",
			    varve_members_of_digest(&manifest->boot_loader_final));
	json_object_set_new(object, "kernel", part_json(manifest, &manifest->kernel));
	json_object_set_new(object, "os-release", part_json(manifest, &manifest->os_release));
	json_object_set_new(object, "stub", part_json(manifest, &manifest->stub));
	json_object_set_new(object, "boot-loader", loader);
	return object;
}

json_t *varve_trace_boot_json(const VarveTraceBoot *boot)
{
	const VarveBootManifest *manifest = boot->manifest;
	json_t *object = json_object(), *problems = json_array(), *files = json_array();
	json_t *base = json_object();

	for (guint i = 0; i < boot->problems->len; i++)
		json_array_append_new(problems, varve_json_escaped(boot->problems->pdata[i]));
	for (guint i = 0; i < manifest->files->len; i++)
		json_array_append_new(files,
				      varve_trace_boot_file_json(boot, manifest->files->pdata[i]));
	json_object_set_new(base, "name", json_string(manifest->base_name));
	json_object_set_new(base, "version", json_string(manifest->base_version));
	json_object_set_new(base, "root", varve_members_of_digest(&manifest->base_root));
	json_object_set_new(object, "name", json_string(manifest->name));
	json_object_set_new(object, "version", json_string(manifest->version));
	json_object_set_new(object, "arch", json_string(manifest->arch));
	json_object_set_new(object, "base", base);
	json_object_set_new(object, "kernel-version", json_string(manifest->kernel_version));
	json_object_set_new(object, "command-line", varve_json_escaped(manifest->command_line));
	json_object_set_new(object, "parts", parts_json(manifest));
	json_object_set_new(object, "files", files);
	json_object_set_new(object, "where", varve_json_escaped(boot->where));
	json_object_set_new(object, "basis", varve_json_escaped(boot->basis));
	json_object_set_new(object, "verified", json_boolean(boot->verified));
	json_object_set_new(object, "secure-boot", json_string(boot->secure_boot));
	json_object_set_new(object, "uki", boot->uki ? uki_json(boot->uki) : json_null());
	json_object_set_new(object, "boot-loaders", loaders_json(boot));
	json_object_set_new(object, "problems", problems);
	return object;
}
