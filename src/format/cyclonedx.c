/* CycloneDX 1.5 documents, the twins of the SPDX ones. */
#include "format/cyclonedx.h"

#include "base/json.h"
#include "format/license.h"

#include <string.h>

static void set_text(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, varve_json_text(value));
}

static json_t *make_component(const char *type, const char *reference, const char *name,
			      const char *version)
{
	json_t *component = json_object();

	set_text(component, "type", type);
	set_text(component, "bom-ref", reference);
	set_text(component, "name", name);
	set_text(component, "version", version);
	return component;
}

static void add_property(json_t *properties, const char *name, const char *value)
{
	json_t *property;

	if (!*value)
		return;
	property = json_object();
	set_text(property, "name", name);
	set_text(property, "value", value);
	json_array_append_new(properties, property);
}

/* One expression, or one licence by the name that the package gives it. */
static void set_license(json_t *component, const char *license)
{
	json_t *choice, *named;

	if (!*license)
		return;
	choice = json_object();
	if (varve_license_is_expression(license)) {
		set_text(choice, "expression", license);
	} else {
		named = json_object();
		set_text(named, "name", license);
		json_object_set_new(choice, "license", named);
	}
	json_object_set_new(component, "licenses", json_pack("[o]", choice));
}

/* The package's own reference: its URL, and where it is: two layers may bring the same package. */
static char *package_reference(const VarveManifest *layer, const char *purl)
{
	return g_strconcat(layer->name, "/", purl, NULL);
}

static json_t *package_component(const VarveManifest *layer, const VarveManifestPackage *package)
{
	g_autofree char *purl = varve_bom_purl(layer, package);
	g_autofree char *reference = package_reference(layer, purl);
	g_autofree char *evr = varve_manifest_package_evr(package);
	json_t *component = make_component("library", reference, package->name, evr);
	json_t *hash = json_object(), *properties = json_array(), *supplier;
	char digest[VARVE_DIGEST_HEX_SIZE];

	varve_digest_to_hex(&package->digest, digest);
	set_text(hash, "alg", "SHA-256");
	set_text(hash, "content", digest);
	json_object_set_new(component, "hashes", json_pack("[o]", hash));
	set_text(component, "purl", purl);
	set_license(component, package->license);
	if (*package->vendor) {
		supplier = json_object();
		set_text(supplier, "name", package->vendor);
		json_object_set_new(component, "supplier", supplier);
	}
	add_property(properties, "varve:layer", layer->name);
	add_property(properties, "varve:source-rpm", package->source);
	add_property(properties, "varve:upstream", package->upstream);
	json_object_set_new(component, "properties", properties);
	return component;
}

/* What @reference consists of: @parts is consumed. */
static void add_dependency(json_t *dependencies, const char *reference, json_t *parts)
{
	json_t *dependency = json_object();

	set_text(dependency, "ref", reference);
	json_object_set_new(dependency, "dependsOn", parts);
	json_array_append_new(dependencies, dependency);
}

/* The packages of one layer; returns their references. */
static json_t *write_packages(const VarveManifest *layer, json_t *components)
{
	json_t *parts = json_array();

	for (guint i = 0; i < layer->packages->len; i++) {
		json_t *component = package_component(layer, layer->packages->pdata[i]);

		json_array_append(parts, json_object_get(component, "bom-ref"));
		json_array_append_new(components, component);
	}
	return parts;
}

static json_t *layer_component(const VarveManifest *layer, const char *reference)
{
	json_t *component = make_component("application", reference, layer->name, layer->version);
	json_t *properties = json_array();

	add_property(properties, "varve:role", varve_role_name(layer->role));
	json_object_set_new(component, "properties", properties);
	return component;
}

static void write_layers(const VarveBom *bom, const char *subject, json_t *components,
			 json_t *dependencies)
{
	json_t *layers = json_array();

	for (gsize i = 0; i < bom->n_layers; i++) {
		const VarveManifest *layer = bom->layers[i];
		g_autofree char *reference =
			g_strdup_printf("layer/%s@%s", layer->name, layer->version);

		json_array_append_new(layers, varve_json_text(reference));
		json_array_append_new(components, layer_component(layer, reference));
		add_dependency(dependencies, reference, write_packages(layer, components));
	}
	add_dependency(dependencies, subject, layers);
}

/* What scanners take the distribution from. */
static json_t *os_component(const VarveManifest *layer)
{
	g_autofree char *reference =
		g_strdup_printf("os/%s@%s", layer->os_id, layer->os_version_id);

	return make_component("operating-system", reference, layer->os_id, layer->os_version_id);
}

static json_t *metadata(const VarveBom *bom, json_t *subject)
{
	g_autofree char *created = varve_bom_time(bom->created);
	json_t *object = json_object(), *supplier;

	set_text(object, "timestamp", created);
	json_object_set_new(
		object, "tools",
		json_pack("{s:[o]}", "components",
			  make_component("application", "tool/varve", "varve", VARVE_VERSION)));
	json_object_set_new(object, "component", subject);
	if (*bom->supplier) {
		supplier = json_object();
		set_text(supplier, "name", bom->supplier);
		json_object_set_new(object, "supplier", supplier);
	}
	return object;
}

char *varve_cyclonedx_write(const VarveBom *bom)
{
	g_autoptr(json_t) root = json_object();
	g_autofree char *uuid = varve_bom_uuid(bom, "cyclonedx-1.5");
	g_autofree char *serial = g_strconcat("urn:uuid:", uuid, NULL);
	json_t *components = json_array(), *dependencies = json_array();
	g_autofree char *reference = g_strdup_printf("subject/%s@%s", bom->name, bom->version);
	json_t *subject;

	set_text(root, "bomFormat", "CycloneDX");
	set_text(root, "specVersion", "1.5");
	set_text(root, "serialNumber", serial);
	json_object_set_new(root, "version", json_integer(1));
	subject = make_component(varve_bom_is_system(bom) ? "operating-system" : "application",
				 reference, bom->name, bom->version);
	json_object_set_new(root, "metadata", metadata(bom, subject));
	if (bom->n_layers > 0)
		json_array_append_new(components, os_component(bom->layers[0]));
	if (bom->n_layers == 1)
		add_dependency(dependencies, reference, write_packages(bom->layers[0], components));
	else
		write_layers(bom, reference, components, dependencies);
	json_object_set_new(root, "components", components);
	json_object_set_new(root, "dependencies", dependencies);
	return varve_json_dump(root, FALSE);
}
