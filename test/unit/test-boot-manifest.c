#include "format/boot-manifest.h"

#include "base/error.h"
#include "crypt/sha256.h"

#include <string.h>
#include <sys/stat.h>

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static VarveManifestPackage *package(const char *name)
{
	const VarveManifestPackage sample = { .name = (char *)name,
					      .epoch = 1,
					      .version = (char *)"2.0",
					      .release = (char *)"3",
					      .arch = (char *)"x86_64",
					      .source = (char *)"tool-2.0-3.src.rpm",
					      .license = (char *)"MIT",
					      .vendor = (char *)"Test",
					      .upstream = (char *)"test",
					      .digest = { { 9 } },
					      .size = 100 };

	return varve_manifest_package_copy(&sample);
}

static void fill(VarveBootPart *part, VarveBootOrigin origin, const char *from, const char *nevra,
		 guint8 digest)
{
	part->origin = origin;
	set(&part->from, from);
	set(&part->package, nevra);
	part->digest.bytes[0] = digest;
	part->size = digest * 10u;
}

/* One of each kind, files and packages not in order. */
static VarveBootManifest *sample(void)
{
	VarveBootManifest *manifest = varve_boot_manifest_new();
	const VarveDigest text = { { 5 } }, rodata = { { 6 } };
	VarveBootFile *file;

	set(&manifest->name, "container");
	set(&manifest->version, "1.2026");
	set(&manifest->arch, "x86-64");
	set(&manifest->base_name, "base");
	set(&manifest->base_version, "1.2026");
	set(&manifest->kernel_version, "6.12.1+deb13-cloud-amd64");
	set(&manifest->command_line, "varve.roothash=00 ro");
	set(&manifest->signer, "platform");
	manifest->is_signed = TRUE;
	manifest->signer_development = TRUE;
	manifest->signer_fingerprint.bytes[0] = 0xfe;
	manifest->base_root.bytes[0] = 0xba;
	fill(&manifest->kernel, VARVE_BOOT_BASE, "usr/lib/modules/6/vmlinuz", "b-1:2.0-3.x86_64",
	     1);
	fill(&manifest->os_release, VARVE_BOOT_TREE, "usr/lib/os-release", "", 2);
	fill(&manifest->stub, VARVE_BOOT_TOOLS, "usr/lib/stub", "a-1:2.0-3.x86_64", 3);
	fill(&manifest->boot_loader, VARVE_BOOT_HOST, "usr/lib/loader", "", 4);
	manifest->boot_loader_final.bytes[0] = 0x44;
	g_ptr_array_add(manifest->stub_sections, varve_boot_section_new(".text", &text));
	g_ptr_array_add(manifest->stub_sections, varve_boot_section_new(".rodata", &rodata));
	g_ptr_array_add(manifest->packages, package("b"));
	g_ptr_array_add(manifest->packages, package("a"));
	file = varve_boot_file_new("usr/bin/tool", S_IFREG | 0755);
	fill(&file->part, VARVE_BOOT_BASE, "usr/bin/tool", "a-1:2.0-3.x86_64", 7);
	g_ptr_array_add(manifest->files, file);
	file = varve_boot_file_new("bin", S_IFLNK | 0777);
	set(&file->target, "usr/bin");
	g_ptr_array_add(manifest->files, file);
	g_ptr_array_add(manifest->files, varve_boot_file_new("dev/console", S_IFCHR | 0600));
	g_ptr_array_add(manifest->files, varve_boot_file_new("dev", S_IFDIR | 0755));
	return manifest;
}

static void test_round_trip(void)
{
	g_autoptr(VarveBootManifest) manifest = sample();
	g_autofree char *text = varve_boot_manifest_write(manifest);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveBootManifest) again =
		varve_boot_manifest_parse(text, strlen(text), "manifest", &error);
	g_autofree char *repeated = NULL;
	const VarveBootFile *file;

	g_assert_no_error(error);
	repeated = varve_boot_manifest_write(again);
	g_assert_cmpstr(text, ==, repeated);
	g_assert_cmpuint(again->files->len, ==, 4);
	g_assert_cmpstr(((const VarveBootFile *)again->files->pdata[0])->path, ==, "bin");
	g_assert_cmpstr(again->signer, ==, "platform");
	g_assert_true(again->signer_development);
	g_assert_cmpint(again->boot_loader_final.bytes[0], ==, 0x44);
	g_assert_cmpuint(again->stub_sections->len, ==, 2);
	file = varve_boot_manifest_file(again, "usr/bin/tool");
	g_assert_cmpuint(file->part.size, ==, 70);
	g_assert_cmpstr(varve_boot_manifest_package(again, file->part.package)->name, ==, "a");
	g_assert_null(varve_boot_manifest_package(again, ""));
	g_assert_null(varve_boot_manifest_package(again, "c-1:2.0-3.x86_64"));
	g_assert_null(varve_boot_manifest_file(again, "usr/bin"));
	/* The bytes are part of what is signed. */
	g_assert_cmpstr(digest, ==,
			"0b72036481aad669fd6b55d292d6c75b732a8c2e11c0eb017b70acd926f45a20");
}

static void test_unsigned(void)
{
	g_autoptr(VarveBootManifest) manifest = sample();
	g_autoptr(VarveBootManifest) again = NULL;
	g_autofree char *text = NULL;

	manifest->is_signed = FALSE;
	text = varve_boot_manifest_write(manifest);
	again = varve_boot_manifest_parse(text, strlen(text), "manifest", NULL);
	g_assert_nonnull(again);
	g_assert_false(again->is_signed);
	g_assert_cmpstr(again->signer, ==, "");
}

/* @from in a good document replaced by @to. */
static void parse_fails(const char *from, const char *to, VarveError code)
{
	g_autoptr(VarveBootManifest) manifest = sample();
	g_autofree char *good = varve_boot_manifest_write(manifest);
	g_autoptr(GString) text = g_string_new(good);
	g_autoptr(GError) error = NULL;

	g_assert_cmpuint(g_string_replace(text, from, to, 1), ==, 1);
	g_assert_null(varve_boot_manifest_parse(text->str, text->len, "manifest", &error));
	g_assert_error(error, VARVE_ERROR, (int)code);
}

static void test_should_fail(void)
{
	static const struct {
		const char *from, *to;
	} corrupt[] = {
		{ "\"name\": \"container\"", "\"name\": \"../x\"" },
		{ "\"mode\": \"100755\"", "\"mode\": \"100955\"" },
		{ "\"mode\": \"100755\"", "\"mode\": \"1007550\"" },
		{ "\"mode\": \"020600\"", "\"mode\": \"060600\"" },
		{ "\"path\": \"usr/bin/tool\"", "\"path\": \"/usr/bin/tool\"" },
		{ "\"path\": \"usr/bin/tool\"", "\"path\": \"a\"" },
		{ "\"path\": \"usr/bin/tool\"", "\"path\": \"dev/console\"" },
		{ "\"path\": \"usr/bin/tool\"", "\"path\": \"\\u001b\"" },
		{ "\"from\": \"usr/bin/tool\"", "\"from\": \"../tool\"" },
		{ "\"origin\": \"host\"", "\"origin\": \"space\"" },
		{ "\"target\": \"usr/bin\"", "\"target\": \"\"" },
		{ "\"size\": 70", "\"size\": -1" },
		{ "\"signer\": {", "\"signer\": 7, \"x\": {" },
		{ "\"development\": true", "\"development\": 1" },
		{ "\"stub\": {", "\"stab\": {" },
		{ "\".text\"", "\"a b\"" },
		{ "\"root\": \"ba", "\"root\": \"zz" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(corrupt); i++) {
		VarveError code = strstr(corrupt[i].to, "stab") || strstr(corrupt[i].to, "\"x\"")
					  ? VARVE_ERROR_UNSUPPORTED
					  : VARVE_ERROR_CORRUPT;

		parse_fails(corrupt[i].from, corrupt[i].to, code);
	}
	parse_fails("\"format\": 1", "\"format\": 2", VARVE_ERROR_UNSUPPORTED);
	parse_fails("\"arch\": \"x86-64\"", "\"arch\": \"x86-64\", \"more\": 1",
		    VARVE_ERROR_UNSUPPORTED);
	/* A link has no content. */
	parse_fails("\"target\": \"usr/bin\"", "\"target\": \"usr/bin\", \"size\": 1",
		    VARVE_ERROR_UNSUPPORTED);
}

static void test_truncated(void)
{
	g_autoptr(VarveBootManifest) manifest = sample();
	g_autofree char *text = varve_boot_manifest_write(manifest);

	for (gsize size = 0; size < strlen(text) - 1; size++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_boot_manifest_parse(text, size, "manifest", &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/boot-manifest/round-trip", test_round_trip);
	g_test_add_func("/boot-manifest/unsigned", test_unsigned);
	g_test_add_func("/boot-manifest/should-fail", test_should_fail);
	g_test_add_func("/boot-manifest/truncated-is-corrupt", test_truncated);
	return g_test_run();
}
