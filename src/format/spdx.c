/* SPDX 2.3 documents, laid out as docs/formats.md says. */
#include "format/spdx.h"

#include "base/json.h"
#include "format/license.h"

#include <string.h>

#define DOCUMENT "SPDXRef-DOCUMENT"
#define ROOT "SPDXRef-DocumentRoot"

typedef struct {
	const VarveBom *bom;
	json_t *packages;
	json_t *relationships;
	GTree *licenses; /* reference → text: sorted, so that the document is the same every time */
	gsize n_packages;
} Writer;

static void set_text(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, varve_json_text(value));
}

/* The characters that an SPDX identifier may have. */
static char *make_id(const char *prefix, gsize index, const char *name)
{
	char *id = g_strdup_printf("SPDXRef-%s-%" G_GSIZE_FORMAT "-%s", prefix, index, name);

	for (char *c = id; *c; c++)
		if (!g_ascii_isalnum(*c) && *c != '.')
			*c = '-';
	return id;
}

static void relate(Writer *writer, const char *from, const char *how, const char *to)
{
	json_t *relationship = json_object();

	set_text(relationship, "spdxElementId", from);
	set_text(relationship, "relationshipType", how);
	set_text(relationship, "relatedSpdxElement", to);
	json_array_append_new(writer->relationships, relationship);
}

static json_t *add_package(Writer *writer, const char *id, const char *name, const char *version,
			   const char *supplier)
{
	g_autofree char *organization =
		*supplier ? g_strconcat("Organization: ", supplier, NULL) : g_strdup("NOASSERTION");
	json_t *package = json_object();

	set_text(package, "SPDXID", id);
	set_text(package, "name", name);
	set_text(package, "versionInfo", version);
	set_text(package, "supplier", organization);
	set_text(package, "downloadLocation", "NOASSERTION");
	set_text(package, "licenseConcluded", "NOASSERTION");
	set_text(package, "licenseDeclared", "NOASSERTION");
	set_text(package, "copyrightText", "NOASSERTION");
	json_object_set_new(package, "filesAnalyzed", json_false());
	json_array_append_new(writer->packages, package);
	return package;
}

static void add_reference(json_t *references, const char *category, const char *type,
			  const char *locator)
{
	json_t *reference = json_object();

	set_text(reference, "referenceCategory", category);
	set_text(reference, "referenceType", type);
	set_text(reference, "referenceLocator", locator);
	json_array_append_new(references, reference);
}

static void set_license(Writer *writer, json_t *package, const char *license)
{
	if (varve_license_is_expression(license)) {
		g_auto(GStrv) references = varve_license_references(license);

		set_text(package, "licenseDeclared", license);
		for (gsize i = 0; references[i]; i++)
			g_tree_insert(
				writer->licenses, g_strdup(references[i]),
				g_strdup("The package names this licence and brings its text."));
	} else if (*license) {
		char *reference = varve_license_reference(license);

		set_text(package, "licenseDeclared", reference);
		g_tree_insert(writer->licenses, reference, g_strdup(license));
	}
}

static void set_origin(json_t *package, const VarveManifestPackage *from)
{
	g_autoptr(GString) origin = g_string_new(NULL);

	if (*from->source)
		g_string_append_printf(origin, "built from %s", from->source);
	if (*from->upstream)
		g_string_append_printf(origin, "%supstream %s", origin->len ? "; " : "",
				       from->upstream);
	if (origin->len)
		set_text(package, "sourceInfo", origin->str);
}

static void write_package(Writer *writer, const char *parent, const VarveManifest *layer,
			  const VarveManifestPackage *from)
{
	g_autofree char *id = make_id("Package", writer->n_packages++, from->name);
	g_autofree char *evr = varve_manifest_package_evr(from);
	g_autofree char *purl = varve_bom_purl(layer, from);
	char digest[VARVE_DIGEST_HEX_SIZE];
	json_t *package = add_package(writer, id, from->name, evr, from->vendor);
	json_t *checksum = json_object(), *references = json_array();

	varve_digest_to_hex(&from->digest, digest);
	set_text(checksum, "algorithm", "SHA256");
	set_text(checksum, "checksumValue", digest);
	json_object_set_new(package, "checksums", json_pack("[o]", checksum));
	add_reference(references, "PACKAGE-MANAGER", "purl", purl);
	/* A locator has no spaces; a name with one is in sourceInfo only. */
	if (*from->upstream && !strpbrk(from->upstream, " \t"))
		add_reference(references, "OTHER", "upstream", from->upstream);
	json_object_set_new(package, "externalRefs", references);
	set_license(writer, package, from->license);
	set_origin(package, from);
	relate(writer, parent, "CONTAINS", id);
}

static void write_layers(Writer *writer)
{
	const VarveBom *bom = writer->bom;

	for (gsize i = 0; i < bom->n_layers; i++) {
		const VarveManifest *layer = bom->layers[i];
		g_autofree char *id = make_id("Layer", i, layer->name);
		const char *parent = ROOT;

		if (bom->n_layers > 1) {
			add_package(writer, id, layer->name, layer->version, bom->supplier);
			relate(writer, ROOT, "CONTAINS", id);
			parent = id;
		}
		for (guint j = 0; j < layer->packages->len; j++)
			write_package(writer, parent, layer, layer->packages->pdata[j]);
	}
}

static json_t *creation_info(const VarveBom *bom)
{
	g_autofree char *created = varve_bom_time(bom->created);
	json_t *info = json_object(), *creators = json_array();

	json_array_append_new(creators, json_string("Tool: varve-" VARVE_VERSION));
	set_text(info, "created", created);
	json_object_set_new(info, "creators", creators);
	return info;
}

static gboolean append_license(gpointer reference, gpointer text, gpointer array)
{
	json_t *license = json_object();

	set_text(license, "licenseId", reference);
	set_text(license, "name", reference);
	set_text(license, "extractedText", text);
	json_array_append_new(array, license);
	return FALSE;
}

static gint compare_keys(gconstpointer a, gconstpointer b, gpointer unused)
{
	(void)unused;
	return strcmp(a, b);
}

/* An address that nobody else can have: it need not lead anywhere. */
static char *document_namespace(const VarveBom *bom)
{
	g_autofree char *uuid = varve_bom_uuid(bom, "spdx-2.3");
	g_autofree char *name = g_uri_escape_string(bom->name, NULL, FALSE);
	g_autofree char *version = g_uri_escape_string(bom->version, NULL, FALSE);

	return g_strdup_printf("https://spdx.org/spdxdocs/%s-%s-%s", name, version, uuid);
}

char *varve_spdx_write(const VarveBom *bom)
{
	g_autoptr(json_t) root = json_object();
	g_autoptr(GTree) licenses = g_tree_new_full(compare_keys, NULL, g_free, g_free);
	g_autofree char *name = g_strconcat(bom->name, "-", bom->version, NULL);
	g_autofree char *address = document_namespace(bom);
	Writer writer = { .bom = bom,
			  .packages = json_array(),
			  .relationships = json_array(),
			  .licenses = licenses };
	json_t *subject, *extracted = json_array();

	set_text(root, "spdxVersion", "SPDX-2.3");
	set_text(root, "dataLicense", "CC0-1.0");
	set_text(root, "SPDXID", DOCUMENT);
	set_text(root, "name", name);
	set_text(root, "documentNamespace", address);
	json_object_set_new(root, "creationInfo", creation_info(bom));
	subject = add_package(&writer, ROOT, bom->name, bom->version, bom->supplier);
	set_text(subject, "primaryPackagePurpose",
		 varve_bom_is_system(bom) ? "OPERATING_SYSTEM" : "APPLICATION");
	relate(&writer, DOCUMENT, "DESCRIBES", ROOT);
	write_layers(&writer);
	json_object_set_new(root, "packages", writer.packages);
	json_object_set_new(root, "relationships", writer.relationships);
	g_tree_foreach(licenses, append_license, extracted);
	if (json_array_size(extracted) > 0)
		json_object_set(root, "hasExtractedLicensingInfos", extracted);
	json_decref(extracted);
	return varve_json_dump(root, FALSE);
}
