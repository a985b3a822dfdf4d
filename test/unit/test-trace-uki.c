/* Unified kernel images beside their manifests, good ones and such that were changed. */
#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "crypt/sha256.h"
#include "format/cpio.h"
#include "format/pe.h"
#include "trace/boot.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define CMDLINE "varve.roothash=00 ro"
#define UNAME "6.12"

typedef struct {
	char *dir;
	VarvePrivateKey *key;
	VarveCertificate *certificate;
	GBytes *stub;
} Fixture;

/* What differs from a good image. */
typedef struct {
	const char *kernel, *cmdline, *tool; /* contents; NULL: as the manifest has them */
	gboolean no_manifest, no_tool, extra, unsigned_image, tool_mode;
	const char *version; /* of the image, in the manifest */
} Change;

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static void digest_of(const char *text, VarveDigest *ret)
{
	varve_sha256(text, strlen(text), ret);
}

static VarveBootManifest *make_manifest(const Fixture *fixture, const Change *change)
{
	VarveBootManifest *manifest = varve_boot_manifest_new();
	g_autoptr(VarvePe) stub = varve_pe_open(fixture->stub, "stub", NULL);
	VarveBootFile *file = varve_boot_file_new("usr/bin/tool", S_IFREG | 0755);

	set(&manifest->name, "container");
	set(&manifest->version, change->version ? change->version : "1");
	set(&manifest->arch, "x86-64");
	set(&manifest->base_name, "base");
	set(&manifest->base_version, "1");
	set(&manifest->kernel_version, UNAME);
	set(&manifest->command_line, CMDLINE);
	set(&manifest->signer, "platform");
	manifest->is_signed = TRUE;
	manifest->signer_fingerprint = *varve_certificate_fingerprint(fixture->certificate);
	digest_of("kernel", &manifest->kernel.digest);
	digest_of("os", &manifest->os_release.digest);
	varve_sha256(g_bytes_get_data(fixture->stub, NULL), g_bytes_get_size(fixture->stub),
		     &manifest->boot_loader_final);
	for (gsize i = 0; i < varve_pe_n_sections(stub); i++) {
		const VarvePeSection *section = varve_pe_section(stub, i);
		g_autoptr(GBytes) content = varve_pe_content(stub, section);
		VarveDigest digest;

		varve_sha256(g_bytes_get_data(content, NULL), g_bytes_get_size(content), &digest);
		g_ptr_array_add(manifest->stub_sections,
				varve_boot_section_new(section->name, &digest));
	}
	digest_of("tool", &file->part.digest);
	file->part.size = 4;
	g_ptr_array_add(manifest->files, file);
	g_ptr_array_add(manifest->files, varve_boot_file_new("usr", S_IFDIR | 0755));
	file = varve_boot_file_new("bin", S_IFLNK | 0777);
	set(&file->target, "usr/bin");
	g_ptr_array_add(manifest->files, file);
	return manifest;
}

static GBytes *make_initrd(const Fixture *fixture, const Change *change)
{
	g_autoptr(VarveBootManifest) manifest = make_manifest(fixture, change);
	g_autofree char *text = varve_boot_manifest_write(manifest);
	const char *tool = change->tool ? change->tool : "tool";
	int fd = memfd_create("initrd", MFD_CLOEXEC);
	g_autoptr(VarveCpio) cpio = varve_cpio_new(fd, VARVE_CPIO_ZSTD, 1, 0, NULL);
	guint64 size = 0;
	char *data;

	g_assert_true(varve_cpio_add_link(cpio, "bin", "usr/bin", NULL));
	if (!change->no_tool)
		g_assert_true(varve_cpio_add_file(cpio, "usr/bin/tool",
						  change->tool_mode ? 0700 : 0755, tool,
						  strlen(tool), NULL));
	if (change->extra)
		g_assert_true(varve_cpio_add_file(cpio, "usr/bin/evil", 0755, "x", 1, NULL));
	if (!change->no_manifest)
		g_assert_true(varve_cpio_add_file(cpio, VARVE_BOOT_MANIFEST, 0644, text,
						  strlen(text), NULL));
	g_assert_true(varve_cpio_end(cpio, &size, NULL));
	data = g_malloc(size);
	g_assert_cmpint(varve_fd_read_full(fd, data, size, 0), ==, (gssize)size);
	close(fd);
	return g_bytes_new_take(data, size);
}

static GBytes *text_bytes(const char *text, const char *otherwise)
{
	const char *value = text ? text : otherwise;

	return g_bytes_new(value, strlen(value));
}

static GBytes *make_image(const Fixture *fixture, const Change *change)
{
	g_autoptr(VarvePe) stub = varve_pe_open(fixture->stub, "stub", NULL);
	g_autoptr(GBytes) os = text_bytes("os", NULL);
	g_autoptr(GBytes) cmdline = text_bytes(change->cmdline, CMDLINE);
	g_autoptr(GBytes) uname = text_bytes(UNAME, NULL);
	g_autoptr(GBytes) kernel = text_bytes(change->kernel, "kernel");
	g_autoptr(GBytes) initrd = make_initrd(fixture, change);
	const VarvePeAddition additions[] = { { ".osrel", os },
					      { ".cmdline", cmdline },
					      { ".uname", uname },
					      { ".initrd", initrd },
					      { ".linux", kernel } };
	g_autoptr(GError) error = NULL;
	g_autoptr(VarvePe) pe = NULL;
	GBytes *image = varve_pe_append(stub, additions, 5, &error);
	GBytes *signed_image;

	g_assert_no_error(error);
	if (change->unsigned_image)
		return image;
	pe = varve_pe_open(image, "image", NULL);
	signed_image = varve_pe_sign(pe, fixture->key, fixture->certificate, &error);
	g_assert_no_error(error);
	g_bytes_unref(image);
	return signed_image;
}

static void test_good(gconstpointer data)
{
	const Change none = { NULL };
	g_autoptr(GBytes) image = make_image(data, &none);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveTraceUki) uki = varve_trace_uki_open(image, "image", &error);
	const VarveUkiFile *tool;

	g_assert_no_error(error);
	if (uki->problems->len > 0)
		g_error("%s", (const char *)uki->problems->pdata[0]);
	g_assert_cmpstr(varve_certificate_subject(uki->signature.certificate), ==, "platform");
	g_assert_cmpuint(g_hash_table_size(uki->files), ==, 3);
	tool = g_hash_table_lookup(uki->files, "usr/bin/tool");
	g_assert_cmpuint(tool->size, ==, 4);
	g_assert_cmpuint(varve_trace_uki_section(uki, ".linux")->size, ==, 6);
	g_assert_null(varve_trace_uki_section(uki, ".none"));
}

static void test_changed(gconstpointer data)
{
	static const struct {
		Change change;
		const char *told;
	} cases[] = {
		{ { .kernel = "Kernel" }, ".linux is not what the manifest says" },
		{ { .cmdline = "init=/bin/sh" }, ".cmdline is not what the manifest says" },
		{ { .tool = "evil" }, "initrd:/usr/bin/tool is not what the manifest says" },
		{ { .tool_mode = TRUE }, "initrd:/usr/bin/tool has mode 100700" },
		{ { .no_tool = TRUE }, "the manifest has initrd:/usr/bin/tool" },
		{ { .extra = TRUE }, "the initrd has /usr/bin/evil, its manifest has not" },
		{ { .no_manifest = TRUE }, "there is no manifest in its initrd" },
		{ { .unsigned_image = TRUE }, "the image is not signed" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) image = make_image(data, &cases[i].change);
		g_autoptr(VarveTraceUki) uki = varve_trace_uki_open(image, "image", NULL);

		g_assert_cmpuint(uki->problems->len, ==, 1);
		if (!strstr(uki->problems->pdata[0], cases[i].told))
			g_error("%s, expected %s", (const char *)uki->problems->pdata[0],
				cases[i].told);
	}
}

/* One byte of a signed image. */
static void test_changed_after_signing(gconstpointer data)
{
	const Change none = { NULL };
	g_autoptr(GBytes) image = make_image(data, &none);
	gsize size = g_bytes_get_size(image);
	guint8 *bytes = g_memdup2(g_bytes_get_data(image, NULL), size);
	g_autoptr(GBytes) changed = g_bytes_new_take(bytes, size);
	g_autoptr(VarveTraceUki) uki = NULL;
	guint8 *at = memmem(bytes, size, "kernel", 6);

	g_assert_nonnull(at);
	*at = 'K';
	uki = varve_trace_uki_open(changed, "image", NULL);
	g_assert_cmpuint(uki->problems->len, ==, 2);
	g_assert_nonnull(strstr(uki->problems->pdata[0], "changed after it was signed"));
	g_assert_null(uki->signature.certificate);
}

static void test_should_fail(gconstpointer data)
{
	const Fixture *fixture = data;
	g_autoptr(GBytes) nothing = g_bytes_new_static("x", 1);
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_trace_uki_open(nothing, "image", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_null(varve_trace_uki_open(fixture->stub, "stub", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
}

static void add(GPtrArray *files, const char *path, gboolean image, GBytes *bytes)
{
	g_ptr_array_add(files, varve_esp_file_new(path, image, bytes));
}

static void test_esp(gconstpointer data)
{
	const Fixture *fixture = data;
	const Change first = { .version = "9" }, second = { .version = "10" };
	g_autoptr(GBytes) old = make_image(data, &first), new = make_image(data, &second);
	g_autoptr(GPtrArray) files =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_esp_file_free);
	g_autoptr(VarveTraceBoot) newest = NULL, named = NULL, none = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *copy = NULL;

	g_assert_null(varve_trace_boot_of(files, NULL, "disk", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	add(files, "EFI/Linux/container_10+2-1.efi", TRUE, new);
	add(files, "EFI/Linux/container_9.efi", TRUE, old);
	add(files, "EFI/BOOT/BOOTX64.EFI", FALSE, fixture->stub);
	newest = varve_trace_boot_of(files, NULL, "disk", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(newest->manifest->version, ==, "10");
	g_assert_cmpstr(newest->where, ==, "EFI/Linux/container_10+2-1.efi on disk");
	g_assert_cmpuint(newest->problems->len, ==, 0);
	/* The image that a node booted is the one with its manifest. */
	copy = g_strdup(newest->uki->manifest_text);
	{
		g_autoptr(GString) other = g_string_new(copy);

		g_string_replace(other, "\"version\": \"10\"", "\"version\": \"9\"", 1);
		named = varve_trace_boot_of(files, other->str, "disk", &error);
		g_assert_no_error(error);
		g_assert_cmpstr(named->where, ==, "EFI/Linux/container_9.efi on disk");
		g_string_replace(other, "\"version\": \"9\"", "\"version\": \"8\"", 1);
		none = varve_trace_boot_of(files, other->str, "disk", &error);
		g_assert_null(none);
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
	/* Another boot loader than the image was made with. */
	varve_trace_boot_free(g_steal_pointer(&newest));
	add(files, "EFI/systemd/systemd-bootx64.efi", FALSE, new);
	newest = varve_trace_boot_of(files, NULL, "disk", NULL);
	g_assert_cmpuint(newest->problems->len, ==, 1);
	g_assert_cmpuint(newest->loaders->len, ==, 2);
}

static void test_follow(gconstpointer data)
{
	const Change none = { NULL };
	g_autoptr(GBytes) image = make_image(data, &none);
	g_autoptr(GPtrArray) files =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_esp_file_free);
	g_autoptr(VarveTraceBoot) boot = NULL;
	g_autoptr(GPtrArray) steps = NULL;
	g_autoptr(GError) error = NULL;
	const char *path;
	VarveBootAsk ask;

	add(files, "a.efi", TRUE, image);
	boot = varve_trace_boot_of(files, NULL, "here", NULL);
	g_assert_true(varve_trace_boot_ask("initrd:/bin/tool", &ask, &path));
	g_assert_cmpint((int)ask, ==, (int)VARVE_BOOT_ASK_FILE);
	g_assert_cmpstr(path, ==, "bin/tool");
	steps = varve_trace_boot_follow(boot, path, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(steps->len, ==, 2);
	g_assert_cmpstr(steps->pdata[0], ==, "bin");
	g_assert_cmpstr(steps->pdata[1], ==, "usr/bin/tool");
	g_assert_null(varve_trace_boot_follow(boot, "bin/none", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_true(varve_trace_boot_ask("uki", &ask, &path));
	g_assert_false(varve_trace_boot_ask("/uki", &ask, &path));
	g_assert_false(varve_trace_boot_ask("ukis", &ask, &path));
}

static void set_up(Fixture *fixture)
{
	g_autofree char *stub = g_test_build_filename(G_TEST_DIST, "../fuzz/corpus/pe/stub", NULL);
	g_autofree char *key = NULL, *certificate = NULL;
	char *data;
	gsize size;

	fixture->dir = g_dir_make_tmp("varve-uki-XXXXXX", NULL);
	key = g_build_filename(fixture->dir, "platform.key", NULL);
	certificate = g_build_filename(fixture->dir, "platform.crt", NULL);
	g_assert_true(g_file_get_contents(stub, &data, &size, NULL));
	fixture->stub = g_bytes_new_take(data, size);
	g_assert_true(varve_authority_make(fixture->dir, "platform", NULL));
	fixture->key = varve_private_key_load(key, NULL);
	fixture->certificate = varve_certificate_load(certificate, NULL);
}

int main(int argc, char **argv)
{
	Fixture fixture;
	int result;

	g_test_init(&argc, &argv, NULL);
	set_up(&fixture);
	g_test_add_data_func("/trace-uki/good", &fixture, test_good);
	g_test_add_data_func("/trace-uki/changed", &fixture, test_changed);
	g_test_add_data_func("/trace-uki/changed-after-signing", &fixture,
			     test_changed_after_signing);
	g_test_add_data_func("/trace-uki/should-fail", &fixture, test_should_fail);
	g_test_add_data_func("/trace-uki/esp", &fixture, test_esp);
	g_test_add_data_func("/trace-uki/follow", &fixture, test_follow);
	result = g_test_run();
	varve_private_key_free(fixture.key);
	varve_certificate_free(fixture.certificate);
	g_bytes_unref(fixture.stub);
	varve_dir_remove(AT_FDCWD, fixture.dir, NULL);
	g_free(fixture.dir);
	return result;
}
