/* The record of an image's parts. */
#include "image/boot-record.h"

#include "base/error.h"
#include "crypt/sha256.h"
#include "format/pe.h"

#include <string.h>

struct VarveBootRecord {
	const VarveTools *tools;
	VarveManifest *base;   /* NULL where the base cannot be read */
	VarvePathTable *paths; /* with it */
	VarveBootManifest *manifest;
};

void varve_boot_record_free(VarveBootRecord *record)
{
	if (!record)
		return;
	varve_manifest_free(record->base);
	varve_path_table_free(record->paths);
	varve_boot_manifest_free(record->manifest);
	g_free(record);
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

VarveBootRecord *varve_boot_record_new(const VarveLayer *base, const VarveTools *tools,
				       GError **error)
{
	g_autoptr(VarveBootRecord) record = g_new0(VarveBootRecord, 1);
	g_autoptr(GError) local = NULL;

	record->tools = tools;
	record->manifest = varve_boot_manifest_new();
	record->manifest->base_root = *varve_layer_root(base);
	record->base = varve_layer_read_manifest(base, &local);
	if (record->base)
		record->paths = varve_layer_read_paths(base, record->base, &local);
	if (local && !g_error_matches(local, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	set(&record->manifest->base_name, record->base ? record->base->name : "unknown");
	set(&record->manifest->base_version, record->base ? record->base->version : "0");
	return g_steal_pointer(&record);
}

VarveBootManifest *varve_boot_record_manifest(VarveBootRecord *record)
{
	return record->manifest;
}

/* Names @package in the manifest, once. */
static void add_package(VarveBootRecord *record, const VarveManifestPackage *package,
			VarveBootPart *part)
{
	g_autofree char *nevra = varve_manifest_package_nevra(package);

	set(&part->package, nevra);
	if (!varve_boot_manifest_package(record->manifest, nevra))
		g_ptr_array_add(record->manifest->packages, varve_manifest_package_copy(package));
}

static const VarveManifestPackage *find_package(const VarveManifest *manifest, const char *nevra)
{
	for (guint i = 0; i < manifest->packages->len; i++) {
		const VarveManifestPackage *package = manifest->packages->pdata[i];
		g_autofree char *name = varve_manifest_package_nevra(package);

		if (strcmp(name, nevra) == 0)
			return package;
	}
	return NULL;
}

/* The tree may have been changed since the base was made of it: its bytes decide. */
static void attribute(VarveBootRecord *record, VarveBootPart *part)
{
	const VarveManifestPackage *package;
	VarvePath path;
	gsize index;

	if (!record->paths || !varve_path_table_find(record->paths, part->from, &index, NULL) ||
	    !varve_path_table_get(record->paths, index, &path, NULL) ||
	    !varve_digest_equal(&path.digest, &part->digest))
		return;
	part->origin = VARVE_BOOT_BASE;
	package = find_package(record->base, path.package);
	if (package)
		add_package(record, package, part);
}

void varve_boot_record_part(VarveBootRecord *record, VarveBootOrigin origin, const char *from,
			    GBytes *bytes, VarveBootPart *ret)
{
	gsize size;
	const void *data = g_bytes_get_data(bytes, &size);

	ret->origin = origin;
	ret->size = size;
	set(&ret->from, from);
	set(&ret->package, "");
	varve_sha256(data, size, &ret->digest);
	if (origin == VARVE_BOOT_TREE)
		attribute(record, ret);
	if (origin == VARVE_BOOT_TOOLS) {
		g_autoptr(VarveManifestPackage) package = varve_tools_owner(record->tools, from);

		if (package)
			add_package(record, package, ret);
	}
}

gboolean varve_boot_record_stub(VarveBootRecord *record, VarveBootOrigin origin, const char *from,
				GBytes *bytes, GError **error)
{
	g_autoptr(VarvePe) pe = varve_pe_open(bytes, from, error);
	GPtrArray *sections = record->manifest->stub_sections;

	if (!pe)
		return FALSE;
	varve_boot_record_part(record, origin, from, bytes, &record->manifest->stub);
	for (gsize i = 0; i < varve_pe_n_sections(pe); i++) {
		const VarvePeSection *section = varve_pe_section(pe, i);
		g_autoptr(GBytes) content = varve_pe_content(pe, section);
		VarveDigest digest;

		if (!*section->name || g_bytes_get_size(content) == 0)
			continue;
		varve_sha256(g_bytes_get_data(content, NULL), g_bytes_get_size(content), &digest);
		g_ptr_array_add(sections, varve_boot_section_new(section->name, &digest));
	}
	return TRUE;
}

void varve_boot_record_signer(VarveBootRecord *record, const VarveCertificate *certificate)
{
	VarveBootManifest *manifest = record->manifest;

	manifest->is_signed = certificate != NULL;
	if (!certificate)
		return;
	set(&manifest->signer, varve_certificate_subject(certificate));
	manifest->signer_fingerprint = *varve_certificate_fingerprint(certificate);
	manifest->signer_development = varve_certificate_is_development(certificate);
}
