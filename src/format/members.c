/* Members of manifests: read strictly, written in one way. */
#include "format/members.h"

#include "base/error.h"
#include "format/version.h"

#include <string.h>

#define WORD_MAX_BYTES 128

/* A total order: where RPM calls two versions equal their bytes decide. */
static int compare_packages(const VarveManifestPackage *a, const VarveManifestPackage *b)
{
	int order = strcmp(a->name, b->name);

	if (!order)
		order = (a->epoch > b->epoch) - (a->epoch < b->epoch);
	if (!order)
		order = varve_rpm_version_compare(a->version, b->version);
	if (!order)
		order = strcmp(a->version, b->version);
	if (!order)
		order = varve_rpm_version_compare(a->release, b->release);
	if (!order)
		order = strcmp(a->release, b->release);
	return order ? order : strcmp(a->arch, b->arch);
}

static gint sort_packages(gconstpointer a, gconstpointer b)
{
	return compare_packages(*(VarveManifestPackage *const *)a,
				*(VarveManifestPackage *const *)b);
}

void varve_members_sort_packages(GPtrArray *packages)
{
	g_ptr_array_sort(packages, sort_packages);
}

json_t *varve_members_of_digest(const VarveDigest *digest)
{
	char hex[VARVE_DIGEST_HEX_SIZE];

	varve_digest_to_hex(digest, hex);
	return json_string(hex);
}

json_t *varve_members_of_packages(const GPtrArray *packages)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	json_t *array = json_array();

	for (guint i = 0; i < packages->len; i++)
		g_ptr_array_add(sorted, packages->pdata[i]);
	g_ptr_array_sort(sorted, sort_packages);
	for (guint i = 0; i < sorted->len; i++) {
		const VarveManifestPackage *package = sorted->pdata[i];
		json_t *object = json_object();

		json_object_set_new(object, "name", varve_json_text(package->name));
		json_object_set_new(object, "epoch", json_integer(package->epoch));
		json_object_set_new(object, "version", varve_json_text(package->version));
		json_object_set_new(object, "release", varve_json_text(package->release));
		json_object_set_new(object, "arch", varve_json_text(package->arch));
		json_object_set_new(object, "source", varve_json_text(package->source));
		json_object_set_new(object, "license", varve_json_text(package->license));
		json_object_set_new(object, "vendor", varve_json_text(package->vendor));
		json_object_set_new(object, "upstream", varve_json_text(package->upstream));
		json_object_set_new(object, "sha256", varve_members_of_digest(&package->digest));
		json_object_set_new(object, "size", json_integer((json_int_t)package->size));
		if (package->component)
			json_object_set_new(object, "component",
					    varve_component_facts_to_json(package->component));
		json_array_append_new(array, object);
	}
	return array;
}

gboolean varve_members_format(const json_t *object, int expected, const char *name, GError **error)
{
	gint64 format;

	if (!varve_json_get_int(object, "format", name, 1, G_MAXINT64, &format, error))
		return FALSE;
	return format == expected || varve_fail(error, VARVE_ERROR_UNSUPPORTED,
						"%s: is of format %" G_GINT64_FORMAT
						", expected %d: it was made by a newer Varve",
						name, format, expected);
}

gboolean varve_members_made_of(const char *text, const char *others)
{
	if (!*text || strlen(text) > WORD_MAX_BYTES)
		return FALSE;
	for (; *text; text++)
		if (!g_ascii_isalnum(*text) && !strchr(others, *text))
			return FALSE;
	return TRUE;
}

gboolean varve_members_check(const json_t *object, const char *const *known, const char *name,
			     GError **error)
{
	const char *key;
	json_t *member;

	json_object_foreach ((json_t *)object, key, member) {
		if (!g_strv_contains(known, key))
			return varve_fail(
				error, VARVE_ERROR_UNSUPPORTED,
				"%s: does not know the member '%s': it was made by a newer "
				"Varve, or is not a manifest",
				name, key);
	}
	return TRUE;
}

/* Whether valid UTF-8 could make a terminal do something. jansson has checked that it is valid. */
gboolean varve_members_has_control(const char *text)
{
	for (; *text; text = g_utf8_next_char(text))
		if (g_unichar_iscntrl(g_utf8_get_char(text)))
			return TRUE;
	return FALSE;
}

/* A string that is safe to print. */
gboolean varve_members_text(const json_t *object, const char *key, const char *name, char **ret,
			    GError **error)
{
	const char *text;

	if (!varve_json_get_string(object, key, name, &text, error))
		return FALSE;
	if (varve_members_has_control(text))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' contains a control character", name, key);
	g_free(*ret);
	*ret = g_strdup(text);
	return TRUE;
}

/* The same, of ASCII letters, digits and @others, and not empty. */
gboolean varve_members_word(const json_t *object, const char *key, const char *others,
			    const char *name, char **ret, GError **error)
{
	if (!varve_members_text(object, key, name, ret, error))
		return FALSE;
	if (!varve_members_made_of(*ret, others))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' is '%s', expected 1 to %d letters, digits and '%s'",
				  name, key, *ret, WORD_MAX_BYTES, others);
	return TRUE;
}

gboolean varve_members_digest(const json_t *object, const char *key, const char *name,
			      VarveDigest *ret, GError **error)
{
	const char *text;

	if (!varve_json_get_string(object, key, name, &text, error))
		return FALSE;
	if (!varve_digest_from_hex(text, ret))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' is not a SHA-256 digest of 64 lowercase hex digits",
				  name, key);
	return TRUE;
}

static VarveManifestPackage *parse_package(const json_t *object, const char *name, GError **error)
{
	static const char *const known[] = { "name",      "epoch",    "version", "release",
					     "arch",      "source",   "license", "vendor",
					     "component", "upstream", "sha256",  "size",
					     NULL };
	const json_t *component;
	g_autoptr(VarveManifestPackage) package = g_new0(VarveManifestPackage, 1);
	gint64 epoch, size;

	if (!json_is_object(object)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: a package is not an object", name);
		return NULL;
	}
	if (!varve_members_check(object, known, name, error) ||
	    !varve_members_word(object, "name", "._+-", name, &package->name, error) ||
	    !varve_json_get_int(object, "epoch", name, 0, G_MAXUINT32, &epoch, error) ||
	    !varve_members_word(object, "version", "._+~^", name, &package->version, error) ||
	    !varve_members_word(object, "release", "._+~^", name, &package->release, error) ||
	    !varve_members_word(object, "arch", "_-", name, &package->arch, error) ||
	    !varve_members_text(object, "source", name, &package->source, error) ||
	    !varve_members_text(object, "license", name, &package->license, error) ||
	    !varve_members_text(object, "vendor", name, &package->vendor, error) ||
	    !varve_members_text(object, "upstream", name, &package->upstream, error) ||
	    !varve_members_digest(object, "sha256", name, &package->digest, error) ||
	    !varve_json_get_int(object, "size", name, 0, G_MAXINT64, &size, error))
		return NULL;
	component = json_object_get(object, "component");
	if (component) {
		package->component = varve_component_facts_from_json(component, name, error);
		if (!package->component)
			return NULL;
	}
	package->epoch = (guint)epoch;
	package->size = (guint64)size;
	return g_steal_pointer(&package);
}

gboolean varve_members_packages(const json_t *root, const char *name, GPtrArray *packages,
				GError **error)
{
	const json_t *array = json_object_get(root, "packages");

	if (!json_is_array(array))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'packages' is missing or of another type, expected an array",
				  name);
	for (gsize i = 0; i < json_array_size(array); i++) {
		g_autofree char *where = g_strdup_printf("%s: package %" G_GSIZE_FORMAT, name, i);
		VarveManifestPackage *package =
			parse_package(json_array_get(array, i), where, error);

		if (!package)
			return FALSE;
		g_ptr_array_add(packages, package);
		if (i > 0 && compare_packages(packages->pdata[i - 1], package) >= 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: '%s' is there twice or out of order", where,
					  package->name);
	}
	return TRUE;
}
