#include "image/uki.h"

#include "base/error.h"
#include "base/file.h"
#include "format/pe.h"

#include <string.h>

static VarveDigest root(void)
{
	VarveDigest digest;

	memset(digest.bytes, 0xab, sizeof(digest.bytes));
	return digest;
}

static void test_command_line(void)
{
	const VarveDigest digest = root();
	g_autoptr(GError) error = NULL;
	g_autofree char *line = varve_uki_command_line(
		&digest, (const char *const[]){ "console=ttyS0", "quiet", NULL }, &error);
	g_autofree char *alone = varve_uki_command_line(&digest, NULL, NULL);

	g_assert_no_error(error);
	g_assert_true(g_str_has_prefix(line, "varve.roothash=abababab"));
	g_assert_true(g_str_has_suffix(line, " console=ttyS0 quiet"));
	g_assert_nonnull(strstr(line, " systemd.import_credentials=no "));
	g_assert_true(g_str_has_prefix(line, alone));
	/* A plain roothash= would start a generator of systemd's. */
	g_assert_null(strstr(line, " roothash="));
}

static void test_should_fail_command_line(void)
{
	static const char *const bad[] = { "varve.roothash=0", "systemd.import_credentials=yes",
					   "systemd.gpt_auto", "a=b\nc=d" };
	const VarveDigest digest = root();

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_uki_command_line(&digest, (const char *const[]){ bad[i], NULL },
						     &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	}
}

static void put(const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(path, "x", 1, NULL));
}

static void test_find(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-uki-XXXXXX", NULL);
	g_autofree char *boot = g_build_filename(dir, "boot/vmlinuz-6.12", NULL);
	g_autofree char *modules = g_build_filename(dir, "usr/lib/modules/6.12/vmlinuz", NULL);
	g_autofree char *stub =
		g_build_filename(dir, "usr/lib/systemd/boot/efi/linuxaa64.efi.stub", NULL);
	const char *const roots[] = { "/nonexistent", dir, NULL };
	const VarveArch *arm = varve_arch_find("arm64");
	g_autoptr(GError) error = NULL;
	char *path;

	g_assert_null(varve_uki_find_kernel(dir, "6.12", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	put(boot);
	path = varve_uki_find_kernel(dir, "6.12", NULL);
	g_assert_cmpstr(path, ==, boot);
	g_free(path);
	put(modules);
	path = varve_uki_find_kernel(dir, "6.12", NULL);
	g_assert_cmpstr(path, ==, modules);
	g_free(path);
	put(stub);
	path = varve_uki_find_efi(roots, arm, VARVE_EFI_STUB, NULL);
	g_assert_cmpstr(path, ==, stub);
	g_free(path);
	g_assert_null(varve_uki_find_efi(roots, arm, VARVE_EFI_LOADER, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "systemd-bootaa64.efi"));
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

static void check_section(const VarvePe *pe, const char *name, GBytes *content)
{
	const VarvePeSection *section = varve_pe_find(pe, name);
	g_autoptr(GBytes) found = NULL;

	g_assert_nonnull(section);
	found = varve_pe_content(pe, section);
	g_assert_true(g_bytes_equal(found, content));
}

/* With systemd's own stub, which also serves as the kernel: to a UKI that is one more EFI program.
 */
static void test_build(void)
{
	const char *const roots[] = { "/", NULL };
	const VarveArch *arch = varve_arch_native();
	g_autofree char *stub = varve_uki_find_efi(roots, arch, VARVE_EFI_STUB, NULL);
	g_autoptr(GBytes) initrd = g_bytes_new_static("the initrd", 10);
	g_autoptr(GBytes) command_line = g_bytes_new_static("quiet", 5);
	VarveUki uki = { .arch = arch,
			 .stub = stub,
			 .kernel = stub,
			 .initrd = initrd,
			 .os_release = "ID=varve\n",
			 .command_line = "quiet",
			 .kernel_version = "6.12" };
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) image = NULL, again = NULL, kernel = NULL;
	g_autoptr(VarvePe) pe = NULL;
	g_autofree char *data = NULL;
	gsize size;

	if (!stub) {
		g_test_skip("systemd-boot-efi is not installed");
		return;
	}
	image = varve_uki_build(&uki, &error);
	g_assert_no_error(error);
	again = varve_uki_build(&uki, NULL);
	g_assert_true(g_bytes_equal(image, again));
	pe = varve_pe_open(image, "uki", &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(stub, &data, &size, NULL));
	kernel = g_bytes_new(data, size);
	check_section(pe, ".linux", kernel);
	check_section(pe, ".initrd", initrd);
	check_section(pe, ".cmdline", command_line);
	g_assert_nonnull(varve_pe_find(pe, ".osrel"));
	g_assert_nonnull(varve_pe_find(pe, ".uname"));
	g_assert_false(varve_pe_is_signed(pe));
	/* Another machine's parts, and what is no EFI program at all. */
	uki.arch = varve_arch_find(strcmp(arch->name, "arm64") == 0 ? "x86-64" : "arm64");
	g_assert_null(varve_uki_build(&uki, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	uki.arch = arch;
	uki.kernel = "/proc/self/exe";
	g_assert_null(varve_uki_build(&uki, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/uki/command-line", test_command_line);
	g_test_add_func("/uki/should-fail-command-line", test_should_fail_command_line);
	g_test_add_func("/uki/find", test_find);
	g_test_add_func("/uki/build", test_build);
	return g_test_run();
}
