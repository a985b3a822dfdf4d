#include "image/permissive.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "crypt/authority.h"
#include "format/pe.h"
#include "image/disk.h"
#include "image/uki.h"
#include "layer-make.h"

#include <string.h>
#include <sys/stat.h>

#define MIB ((guint64)1024 * 1024)

typedef struct {
	char *dir;
	VarveTools *tools;
	char *stub;
} Fixture;

static void fixture_set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const char *const roots[] = { "/", NULL };

	fixture->dir = g_dir_make_tmp("varve-permissive-XXXXXX", NULL);
	fixture->tools = varve_tools_open(NULL);
	fixture->stub = varve_uki_find_efi(roots, varve_arch_find("x86-64"), VARVE_EFI_STUB, NULL);
	g_assert_true(varve_authority_make(fixture->dir, "development", NULL));
}

static void fixture_tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->dir, NULL));
	g_free(fixture->dir);
	g_free(fixture->stub);
	varve_tools_free(fixture->tools);
}

static gboolean lacks_programs(const Fixture *fixture)
{
	static const char *const programs[] = { "mkfs.erofs", "mkfs.vfat", "mkfs.ext4", "debugfs",
						"mcopy",      "mdir",      "openssl" };

	for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *path = g_find_program_in_path(programs[i]);
		g_autofree char *reason = g_strdup_printf("'%s' is not installed", programs[i]);

		if (!path)
			g_test_skip(reason);
		if (!path)
			return TRUE;
	}
	if (!fixture->stub)
		g_test_skip("systemd-boot-efi is not installed");
	return !fixture->stub;
}

/* A certificate without the mark: nothing of ours makes one. */
static void make_production(const Fixture *fixture)
{
	const char *const argv[] = { "openssl",  "req",
				     "-x509",    "-newkey",
				     "rsa:2048", "-nodes",
				     "-subj",    "/CN=production",
				     "-keyout",  "production.key",
				     "-out",     "production.crt",
				     NULL };
	g_autofree char *key = g_build_filename(fixture->dir, "production.key", NULL);
	g_autoptr(GError) error = NULL;

	varve_process_run(&(VarveProcess){ .argv = argv, .directory = fixture->dir }, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpint(chmod(key, 0600), ==, 0);
}

/* A base signed by @signer that carries the certificate @carried (nullable). */
static char *make_base(const Fixture *fixture, const char *signer, const char *carried)
{
	g_autofree char *tree = g_build_filename(fixture->dir, "tree", NULL);
	g_autofree char *trust = g_build_filename(tree, "usr/lib/verity.d", NULL);
	g_autofree char *key_path = g_strdup_printf("%s/%s.key", fixture->dir, signer);
	g_autofree char *certificate_path = g_strdup_printf("%s/%s.crt", fixture->dir, signer);
	g_autoptr(VarvePrivateKey) key = varve_private_key_load(key_path, NULL);
	g_autoptr(VarveCertificate) certificate = varve_certificate_load(certificate_path, NULL);
	g_autoptr(VarveManifest) manifest = layer_manifest("base", "1");
	char *path = g_build_filename(fixture->dir, "base_1_x86-64.raw", NULL);

	g_assert_true(varve_dir_remove(AT_FDCWD, tree, NULL));
	g_assert_true(varve_dir_make(tree, 0755, NULL));
	if (carried) {
		g_autofree char *from = g_strdup_printf("%s/%s.crt", fixture->dir, carried);
		g_autofree char *to = g_build_filename(trust, "base.crt", NULL);

		g_assert_true(varve_dir_make(trust, 0755, NULL));
		g_assert_true(varve_file_copy(from, to, 0644, NULL));
	}
	g_assert_true(layer_make(tree, manifest, key, certificate, path, NULL));
	return path;
}

/* The host's stub, made to say that it is of @version, with a command line. */
static GBytes *make_uki(const Fixture *fixture, const char *version, const char *command_line)
{
	g_autofree char *magic = g_strdup_printf("#### LoaderInfo: systemd-stub %s ####", version);
	g_autoptr(GBytes) magic_bytes = g_bytes_new(magic, strlen(magic) + 1);
	g_autoptr(GBytes) line = g_bytes_new(command_line, strlen(command_line));
	g_autoptr(GBytes) stub = NULL;
	g_autoptr(VarvePe) pe = NULL;
	g_autoptr(GError) error = NULL;
	char *data;
	gsize size;
	GBytes *uki;

	g_assert_true(g_file_get_contents(fixture->stub, &data, &size, NULL));
	stub = g_bytes_new_take(data, size);
	pe = varve_pe_open(stub, "stub", &error);
	g_assert_no_error(error);
	uki = varve_pe_append(
		pe, (const VarvePeAddition[]){ { ".sdmagic", magic_bytes }, { ".cmdline", line } },
		2, &error);
	g_assert_no_error(error);
	return uki;
}

static char *make_disk(const Fixture *fixture, const char *base, GBytes *uki)
{
	char *path = g_build_filename(fixture->dir, "disk.raw", NULL);
	const VarveDisk disk = { .arch = varve_arch_find("x86-64"),
				 .name = "container",
				 .version = "1",
				 .base = base,
				 .uki = uki,
				 .boot_loader = uki,
				 .esp_size = 64 * MIB,
				 .slot_size = 8 * MIB,
				 .state_size = 80 * MIB,
				 .epoch = 1700000000,
				 .tools = fixture->tools };
	g_autoptr(GError) error = NULL;

	unlink(path);
	varve_disk_build(&disk, path, NULL, &error);
	g_assert_no_error(error);
	return path;
}

static gboolean check(const Fixture *fixture, const char *signer, const char *carried,
		      const char *version, const char *command_line, GError **error)
{
	g_autofree char *base = make_base(fixture, signer, carried);
	g_autoptr(GBytes) uki = make_uki(fixture, version, command_line);
	g_autofree char *disk = make_disk(fixture, base, uki);

	return varve_permissive_check(fixture->tools, disk, varve_arch_find("x86-64"), fixture->dir,
				      error);
}

static void test_development(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *left = g_build_filename(fixture->dir, "uki.efi", NULL);
	g_autoptr(GError) error = NULL;

	if (lacks_programs(fixture))
		return;
	g_assert_true(check(fixture, "development", "development", "257.13-1~deb13u1",
			    "varve.roothash=ab no-enforcing=1 quiet", &error));
	g_assert_no_error(error);
	g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
}

static void refused(const Fixture *fixture, const char *signer, const char *carried,
		    const char *version, const char *command_line, VarveError code,
		    const char *text)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(check(fixture, signer, carried, version, command_line, &error));
	g_assert_error(error, VARVE_ERROR, (gint)code);
	if (!strstr(error->message, text))
		g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, text));
}

static void test_should_fail(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char new_stub[] = "257", line[] = "quiet";
	g_autofree char *certificate = NULL;
	g_autoptr(GError) error = NULL;

	if (lacks_programs(fixture))
		return;
	make_production(fixture);
	refused(fixture, "production", "production", new_stub, line, VARVE_ERROR_REFUSED,
		"signed by CN=production, whose certificate is not marked as development");
	/* It carries a development certificate, but that one did not sign it. */
	refused(fixture, "production", "development", new_stub, line, VARVE_ERROR_REFUSED,
		"signed by no certificate that it carries");
	refused(fixture, "development", NULL, new_stub, line, VARVE_ERROR_REFUSED,
		"signed by no certificate that it carries");
	refused(fixture, "development", "development", "252.39-1~deb12u2", line,
		VARVE_ERROR_UNSUPPORTED, "its stub is 252");
	refused(fixture, "development", "development", "none", line, VARVE_ERROR_UNSUPPORTED,
		"none of systemd's");
	refused(fixture, "development", "development", new_stub, "quiet enforcing=1",
		VARVE_ERROR_UNSUPPORTED, "'enforcing=1'");
	certificate = g_build_filename(fixture->dir, "production.crt", NULL);
	g_assert_false(varve_permissive_check(fixture->tools, certificate,
					      varve_arch_find("x86-64"), fixture->dir, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", TRUE);
	g_test_add("/permissive/development", Fixture, NULL, fixture_set_up, test_development,
		   fixture_tear_down);
	g_test_add("/permissive/should-fail", Fixture, NULL, fixture_set_up, test_should_fail,
		   fixture_tear_down);
	return g_test_run();
}
