#include "audit/sbom.h"

#include "base/error.h"
#include "base/json.h"
#include "format/bom.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#define CREATED 1767225600 /* 2026-01-01 */

static void add_package(VarveManifest *manifest, const char *name, guint epoch, const char *license,
			const char *vendor)
{
	VarveManifestPackage *package = g_new0(VarveManifestPackage, 1);

	package->name = g_strdup(name);
	package->epoch = epoch;
	package->version = g_strdup("1.2~rc1+deb13u1");
	package->release = g_strdup("3^git");
	package->arch = g_strdup("x86_64");
	package->source = g_strdup_printf("%s-src-1.2~rc1+deb13u1-3^git.src.rpm", name);
	package->license = g_strdup(license);
	package->vendor = g_strdup(vendor);
	package->upstream = g_strdup("debian-trixie");
	memset(package->digest.bytes, 0x5a, sizeof package->digest.bytes);
	g_ptr_array_add(manifest->packages, package);
}

static VarveManifest *make_manifest(const char *name, VarveRole role)
{
	VarveManifest *manifest = varve_manifest_new();

	g_free(manifest->name);
	g_free(manifest->version);
	g_free(manifest->os_id);
	g_free(manifest->os_version_id);
	manifest->name = g_strdup(name);
	manifest->version = g_strdup("1.0");
	manifest->os_id = g_strdup("varve");
	manifest->os_version_id = g_strdup("1.0");
	manifest->role = role;
	return manifest;
}

static VarveManifest *make_base(void)
{
	VarveManifest *base = make_manifest("base", VARVE_ROLE_BASE);

	add_package(base, "glibc", 0, "LGPL-2.1-or-later", "Varve");
	add_package(base, "libstdc++6", 2, "GPL-3+ with GCC exception", "");
	add_package(base, "tzdata", 0, "LicenseRef-Fedora-Public-Domain", "Jos\xe9");
	add_package(base, "gpl_other", 0, "", "Varve");
	add_package(base, "again", 0, "GPL-3+ with GCC exception", "Varve");
	return base;
}

static VarveManifest *make_extension(void)
{
	VarveManifest *extension = make_manifest("ssh", VARVE_ROLE_EXTENSION);

	add_package(extension, "openssh", 1, "BSD-2-Clause", "Varve");
	return extension;
}

static json_t *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	json_t *document = varve_json_parse(text, strlen(text), "document", &error);

	g_assert_no_error(error);
	return document;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const json_t *package_at(const json_t *document, size_t index)
{
	return json_array_get(json_object_get(document, "packages"), index);
}

static void test_purl(void)
{
	g_autoptr(VarveManifest) base = make_base();
	g_autofree char *plain = varve_bom_purl(base, base->packages->pdata[0]);
	g_autofree char *epoch = varve_bom_purl(base, base->packages->pdata[1]);

	g_assert_cmpstr(plain, ==,
			"pkg:rpm/varve/glibc@1.2~rc1%2Bdeb13u1-3%5Egit?arch=x86_64&distro=varve-1.0"
			"&upstream=glibc-src-1.2~rc1%2Bdeb13u1-3%5Egit.src.rpm");
	g_assert_cmpstr(epoch, ==,
			"pkg:rpm/varve/libstdc%2B%2B6@1.2~rc1%2Bdeb13u1-3%5Egit?arch=x86_64"
			"&distro=varve-1.0&epoch=2"
			"&upstream=libstdc%2B%2B6-src-1.2~rc1%2Bdeb13u1-3%5Egit.src.rpm");
}

static void test_spdx(void)
{
	g_autoptr(VarveManifest) base = make_base();
	g_autofree char *text = varve_sbom_write(base, VARVE_SBOM_SPDX, CREATED);
	g_autoptr(json_t) document = parse(text);
	const json_t *package, *references, *licenses;

	g_assert_cmpstr(text_of(document, "spdxVersion"), ==, "SPDX-2.3");
	g_assert_cmpstr(text_of(json_object_get(document, "creationInfo"), "created"), ==,
			"2026-01-01T00:00:00Z");
	g_assert_cmpuint(json_array_size(json_object_get(document, "packages")), ==, 6);
	g_assert_cmpstr(text_of(package_at(document, 0), "SPDXID"), ==, "SPDXRef-DocumentRoot");
	package = package_at(document, 2);
	g_assert_cmpstr(text_of(package, "SPDXID"), ==, "SPDXRef-Package-1-libstdc--6");
	g_assert_cmpstr(text_of(package, "versionInfo"), ==, "2:1.2~rc1+deb13u1-3^git");
	g_assert_cmpstr(text_of(package, "supplier"), ==, "NOASSERTION");
	g_assert_true(g_str_has_prefix(text_of(package, "licenseDeclared"), "LicenseRef-varve-"));
	g_assert_cmpstr(text_of(package_at(document, 5), "licenseDeclared"), ==,
			text_of(package, "licenseDeclared"));
	g_assert_cmpstr(text_of(package_at(document, 1), "supplier"), ==, "Organization: Varve");
	g_assert_cmpstr(text_of(package_at(document, 1), "licenseDeclared"), ==,
			"LGPL-2.1-or-later");
	g_assert_cmpstr(text_of(package_at(document, 4), "licenseDeclared"), ==, "NOASSERTION");
	references = json_object_get(package, "externalRefs");
	g_assert_cmpstr(text_of(json_array_get(references, 0), "referenceType"), ==, "purl");
	g_assert_cmpstr(text_of(json_array_get(references, 1), "referenceLocator"), ==,
			"debian-trixie");
	/* The text of the licence that is no expression, and the one that an expression names. */
	licenses = json_object_get(document, "hasExtractedLicensingInfos");
	g_assert_cmpuint(json_array_size(licenses), ==, 2);
	g_assert_cmpstr(text_of(json_array_get(licenses, 0), "licenseId"), ==,
			"LicenseRef-Fedora-Public-Domain");
	g_assert_cmpstr(text_of(json_array_get(licenses, 1), "extractedText"), ==,
			"GPL-3+ with GCC exception");
}

static void test_cyclonedx(void)
{
	g_autoptr(VarveManifest) base = make_base();
	g_autofree char *text = varve_sbom_write(base, VARVE_SBOM_CYCLONEDX, CREATED);
	g_autoptr(json_t) document = parse(text);
	const json_t *components = json_object_get(document, "components");
	const json_t *package = json_array_get(components, 2), *licenses;

	g_assert_cmpuint(json_array_size(components), ==, 6);
	g_assert_cmpstr(text_of(json_array_get(components, 0), "type"), ==, "operating-system");
	g_assert_cmpstr(text_of(package, "name"), ==, "libstdc++6");
	g_assert_nonnull(strstr(text_of(package, "purl"), "&distro=varve-1.0&epoch=2"));
	licenses = json_object_get(package, "licenses");
	g_assert_cmpstr(text_of(json_object_get(json_array_get(licenses, 0), "license"), "name"),
			==, "GPL-3+ with GCC exception");
	licenses = json_object_get(json_array_get(components, 1), "licenses");
	g_assert_cmpstr(text_of(json_array_get(licenses, 0), "expression"), ==,
			"LGPL-2.1-or-later");
	g_assert_null(json_object_get(json_array_get(components, 4), "licenses"));
}

/* Of the bytes but for our own version. */
static void check_golden(VarveSbomFormat format, const char *expected)
{
	g_autoptr(VarveManifest) base = make_base();
	g_autofree char *text = varve_sbom_write(base, format, CREATED), *digest = NULL;
	g_autoptr(GString) without = g_string_new(text);

	g_assert_cmpuint(g_string_replace(without, VARVE_VERSION, "X", 1), ==, 1);
	digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, without->str, -1);
	g_assert_cmpstr(digest, ==, expected);
}

static void test_golden(void)
{
	check_golden(VARVE_SBOM_SPDX,
		     "142c593fc7633eab3b66f0fa5657ffc8ebba2d0e4c08d0d84709caa80f5a6e1c");
	check_golden(VARVE_SBOM_CYCLONEDX,
		     "65d6525dd310360385da0b0aad741eeb66f5516caeb66a7c109622c0ab374c49");
}

/* A document is a function of its arguments; its name changes with its content only. */
static void test_reproducible(void)
{
	for (int format = 0; format < 2; format++) {
		g_autoptr(VarveManifest) a = make_base(), b = make_base();
		g_autofree char *first = varve_sbom_write(a, (VarveSbomFormat)format, CREATED);
		g_autofree char *second = NULL, *third = NULL;

		memset(b->paths.bytes, 1, sizeof b->paths.bytes);
		second = varve_sbom_write(b, (VarveSbomFormat)format, CREATED);
		g_assert_cmpstr(first, ==, second);
		add_package(b, "more", 0, "MIT", "");
		third = varve_sbom_write(b, (VarveSbomFormat)format, CREATED);
		g_assert_cmpstr(first, !=, third);
	}
}

static void test_merge(void)
{
	g_autoptr(VarveManifest) base = make_base(), extension = make_extension(),
				 patch = make_manifest("fix", VARVE_ROLE_PATCH);
	const VarveManifest *layers[] = { base, extension, patch };
	g_autoptr(GError) error = NULL;
	g_autofree char *spdx = NULL, *cyclonedx = NULL;
	g_autoptr(json_t) document = NULL;

	add_package(patch, "openssh", 1, "BSD-2-Clause", "Varve");
	spdx = varve_sbom_merge("container", "2026.1", layers, 3, VARVE_SBOM_SPDX, CREATED, &error);
	g_assert_no_error(error);
	document = parse(spdx);
	/* The image, three layers, five packages, one, and one. */
	g_assert_cmpuint(json_array_size(json_object_get(document, "packages")), ==, 11);
	g_assert_nonnull(strstr(spdx, "\"SPDXRef-Layer-1-ssh\""));
	cyclonedx = varve_sbom_merge("container", "2026.1", layers, 3, VARVE_SBOM_CYCLONEDX,
				     CREATED, &error);
	g_assert_no_error(error);
	g_assert_nonnull(strstr(cyclonedx, "\"layer/ssh@1.0\""));
}

static void merge_refused(const VarveManifest *a, const VarveManifest *b, gsize n, VarveError code,
			  const char *what)
{
	const VarveManifest *layers[] = { a, b };
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_sbom_merge("image", "1", layers, n, VARVE_SBOM_SPDX, CREATED, &error));
	g_assert_error(error, VARVE_ERROR, (int)code);
	g_assert_nonnull(strstr(error->message, what));
}

static void test_should_fail_merge(void)
{
	g_autoptr(VarveManifest) base = make_base(), extension = make_extension();

	merge_refused(base, base, 2, VARVE_ERROR_CONFLICT, "'base'");
	merge_refused(base, base, 0, VARVE_ERROR_USAGE, "'image'");
	add_package(extension, "glibc", 0, "MIT", "");
	merge_refused(base, extension, 2, VARVE_ERROR_CONFLICT, "'glibc'");
}

static void test_names(void)
{
	g_autoptr(VarveManifest) base = make_base(), extension = make_extension();
	g_autofree char *base_path = varve_sbom_path(base, VARVE_SBOM_SPDX);
	g_autofree char *extension_path = varve_sbom_path(extension, VARVE_SBOM_CYCLONEDX);
	VarveSbomFormat format;

	g_assert_cmpstr(base_path, ==, "usr/share/os-manifests/package-manifest.spdx.json");
	g_assert_cmpstr(extension_path, ==, "usr/share/os-manifests/package-manifest.ssh.cdx.json");
	g_assert_true(varve_sbom_format_from_name("cyclonedx", &format));
	g_assert_cmpint(format, ==, VARVE_SBOM_CYCLONEDX);
	g_assert_false(varve_sbom_format_from_name("SPDX", &format));
}

/* Against the published schemas, where the shared corpus with its validator is. */
static char *find_validator(void)
{
	const char *corpus = g_getenv("VARVE_CORPUS");
	g_autofree char *path =
		corpus ? g_build_filename(corpus, "schemas", "validate.py", NULL)
		       : g_test_build_filename(G_TEST_DIST, "..", "..", "..", "shared", "corpus",
					       "schemas", "validate.py", NULL);

	return g_file_test(path, G_FILE_TEST_EXISTS) ? g_steal_pointer(&path) : NULL;
}

static void validate(const char *validator, const char *dir, const char *document)
{
	g_autofree char *path = g_build_filename(dir, "document.json", NULL), *output = NULL;
	const char *argv[] = { "python3", validator, path, NULL };
	int status;

	g_assert_true(g_file_set_contents(path, document, -1, NULL));
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
				   &output, NULL, &status, NULL));
	g_unlink(path);
	if (status != 0)
		g_error("not valid: %s", output);
	g_assert_nonnull(strstr(output, "1 passed, 0 failed"));
}

static void test_schemas(void)
{
	g_autofree char *validator = find_validator(), *dir = NULL;
	g_autoptr(VarveManifest) base = make_base(), extension = make_extension(),
				 empty = make_manifest("empty", VARVE_ROLE_EXTENSION);
	const VarveManifest *layers[] = { base, extension, empty };

	if (!validator) {
		g_test_skip("the corpus with the schemas is not there (VARVE_CORPUS)");
		return;
	}
	if (system("python3 -c 'import jsonschema' 2>/dev/null") != 0) {
		g_test_skip("python3-jsonschema is not installed");
		return;
	}
	dir = g_dir_make_tmp("varve-sbom-XXXXXX", NULL);
	for (int format = 0; format < 2; format++) {
		g_autofree char *one = varve_sbom_write(base, (VarveSbomFormat)format, CREATED);
		g_autofree char *none = varve_sbom_write(empty, (VarveSbomFormat)format, CREATED);
		g_autofree char *all = varve_sbom_merge("container", "1", layers, 3,
							(VarveSbomFormat)format, CREATED, NULL);

		validate(validator, dir, one);
		validate(validator, dir, none);
		validate(validator, dir, all);
	}
	g_rmdir(dir);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sbom/purl", test_purl);
	g_test_add_func("/sbom/spdx", test_spdx);
	g_test_add_func("/sbom/cyclonedx", test_cyclonedx);
	g_test_add_func("/sbom/golden", test_golden);
	g_test_add_func("/sbom/reproducible", test_reproducible);
	g_test_add_func("/sbom/merge", test_merge);
	g_test_add_func("/sbom/should-fail-merge", test_should_fail_merge);
	g_test_add_func("/sbom/names", test_names);
	g_test_add_func("/sbom/schemas", test_schemas);
	return g_test_run();
}
