#include "image/run.h"

#include "base/error.h"
#include "base/file.h"
#include "fixed-certificate.h"
#include "image/firmware.h"
#include "image/software-tpm.h"

#include <signal.h>
#include <string.h>

static void touch(const char *root, const char *path)
{
	g_autofree char *full = g_build_filename(root, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(full, "", 0, NULL));
}

static void test_firmware(void)
{
	const VarveArch *x86 = varve_arch_find("x86-64"), *arm = varve_arch_find("arm64");
	g_autofree char *root = g_dir_make_tmp("varve-firmware-XXXXXX", NULL);
	VarveFirmware firmware = { 0 };
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_firmware_find(x86, FALSE, root, &firmware, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "'ovmf' (Debian)"));
	g_clear_error(&error);
	/* Code without the variables that belong to it is not enough. */
	touch(root, "usr/share/OVMF/OVMF_CODE_4M.fd");
	g_assert_false(varve_firmware_find(x86, FALSE, root, &firmware, NULL));
	touch(root, "usr/share/OVMF/OVMF_VARS_4M.fd");
	g_assert_true(varve_firmware_find(x86, FALSE, root, &firmware, NULL));
	g_assert_cmpstr(firmware.code, ==, "/usr/share/OVMF/OVMF_CODE_4M.fd");
	g_assert_false(varve_firmware_find(x86, TRUE, root, &firmware, NULL));
	touch(root, "usr/share/OVMF/OVMF_CODE_4M.secboot.fd");
	g_assert_true(varve_firmware_find(x86, TRUE, root, &firmware, NULL));
	g_assert_cmpstr(firmware.code, ==, "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd");
	g_assert_false(varve_firmware_find(arm, FALSE, root, &firmware, &error));
	g_assert_nonnull(strstr(error->message, "qemu-efi-aarch64"));
	touch(root, "usr/share/AAVMF/AAVMF_CODE.fd");
	touch(root, "usr/share/AAVMF/AAVMF_VARS.fd");
	g_assert_true(varve_firmware_find(arm, FALSE, root, &firmware, NULL));
	g_assert_false(varve_firmware_find(arm, TRUE, root, &firmware, NULL));
	touch(root, "usr/share/AAVMF/AAVMF_CODE.ms.fd");
	g_assert_true(varve_firmware_find(arm, TRUE, root, &firmware, NULL));
	g_assert_cmpstr(firmware.variables, ==, "/usr/share/AAVMF/AAVMF_VARS.fd");
	g_assert_true(varve_dir_remove(AT_FDCWD, root, NULL));
}

static void test_kvm(void)
{
	const VarveArch *native = varve_arch_native();
	const VarveArch *other =
		varve_arch_find(strcmp(native->name, "arm64") == 0 ? "x86-64" : "arm64");
	g_autofree char *reason = NULL;
	g_autofree char *here = NULL;

	g_assert_false(varve_kvm_works(other, &reason));
	g_assert_nonnull(strstr(reason, "architecture"));
	if (!varve_kvm_works(native, &here))
		g_assert_true(g_str_has_prefix(here, "/dev/kvm: "));
	else
		g_assert_null(here);
}

static gboolean has(const VarveMachine *machine, const char *option, const char *value)
{
	for (const char *const *word = varve_machine_command(machine); word[0] && word[1]; word++) {
		if (strcmp(word[0], option) == 0 && strstr(word[1], value))
			return TRUE;
	}
	return FALSE;
}

/* QEMU's command line, where QEMU and its firmware are there. */
static void test_command(void)
{
	g_autoptr(VarveTools) tools = varve_tools_open(NULL);
	g_autofree char *dir = g_dir_make_tmp("varve-run,XXXXXX", NULL);
	g_autofree char *image = g_build_filename(dir, "x.raw", NULL);
	g_autofree char *log = g_build_filename(dir, "console.log", NULL);
	VarveRun run = { .arch = varve_arch_native(),
			 .image = image,
			 .log = log,
			 .no_reboot = TRUE,
			 .tools = tools };
	g_autoptr(GError) error = NULL;
	VarveMachine *machine;

	g_setenv("TMPDIR", dir, TRUE);
	g_assert_null(varve_machine_prepare(&run, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_true(g_file_set_contents(image, "disk", 4, NULL));
	if (!strstr(error->message, image)) {
		g_test_skip(error->message);
		g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
		return;
	}
	g_clear_error(&error);
	machine = varve_machine_prepare(&run, &error);
	if (!machine) { /* no qemu-img */
		g_test_skip(error->message);
		g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
		return;
	}
	g_assert_true(has(machine, "-netdev", "restrict=on"));
	g_assert_false(has(machine, "-netdev", "hostfwd"));
	g_assert_true(has(machine, "-drive", "disk.qcow2"));
	/* A comma in a path is not one of QEMU's own. */
	g_assert_true(has(machine, "-chardev", "varve-run,,"));
	g_assert_true(g_str_has_prefix(varve_machine_accelerator(machine), "emulated"));
	g_assert_null(varve_machine_ssh_command(machine));
	varve_machine_free(machine);
	run.keep = TRUE;
	run.network = TRUE;
	machine = varve_machine_prepare(&run, &error);
	g_assert_no_error(error);
	g_assert_false(has(machine, "-netdev", "restrict"));
	g_assert_true(has(machine, "-drive", "x.raw"));
	g_assert_false(has(machine, "-device", "tpmdev"));
	varve_machine_free(machine);
	run.tpm = TRUE;
	machine = varve_machine_prepare(&run, &error);
	if (machine) {
		g_assert_true(has(machine, "-tpmdev", "emulator,id=tpm0,chardev=tpm"));
		g_assert_true(has(machine, "-chardev", "tpm.socket"));
		g_assert_true(has(machine, "-device", "tpm-"));
		varve_machine_free(machine);
	} else {
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
		g_assert_nonnull(strstr(error->message, "'swtpm' is not installed"));
		g_clear_error(&error);
	}
	run.tpm = FALSE;
	/* Where the image is no disk, nothing is left of the attempt. */
	run.keep = FALSE;
	run.layers = (const char *const[]){ log, NULL };
	g_assert_null(varve_machine_prepare(&run, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	{
		g_auto(GStrv) names = NULL;

		g_assert_true(varve_dir_list(AT_FDCWD, dir, &names, NULL));
		/* The image, and what --keep kept. */
		g_assert_cmpuint(g_strv_length(names), ==, 2);
		g_assert_cmpstr(names[1], ==, "x.raw.variables.fd");
	}
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

static VarveEnrolment *make_enrolment(const char *dir)
{
	static const char *const names[] = { "PK", "KEK", "platform" };
	g_autoptr(GError) error = NULL;
	VarveEnrolment *enrolment;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_strdup_printf("%s/%s.crt", dir, names[i]);

		g_assert_true(g_file_set_contents(path, fixed_certificate, -1, NULL));
	}
	enrolment = varve_enrolment_open(dir, &error);
	g_assert_no_error(error);
	return enrolment;
}

static gboolean holds_keys(const char *path)
{
	g_autofree char *data = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(path, &data, &size, NULL));
	return memmem(data, size, "K\0E\0K\0\0", 8) != NULL;
}

/* The enforcing firmware with keys in its variables; kept beside the image where that is kept. */
static void test_secure_boot(void)
{
	g_autoptr(VarveTools) tools = varve_tools_open(NULL);
	g_autofree char *dir = g_dir_make_tmp("varve-run-XXXXXX", NULL);
	g_autofree char *image = g_build_filename(dir, "x.raw", NULL);
	g_autofree char *kept = g_strconcat(image, ".variables.fd", NULL);
	g_autoptr(VarveEnrolment) enrolment = make_enrolment(dir);
	VarveRun run = { .arch = varve_arch_native(),
			 .image = image,
			 .keep = TRUE,
			 .enrolment = enrolment,
			 .tools = tools };
	g_autoptr(GError) error = NULL;
	VarveMachine *machine;

	g_setenv("TMPDIR", dir, TRUE);
	g_assert_true(g_file_set_contents(image, "disk", 4, NULL));
	machine = varve_machine_prepare(&run, &error);
	if (!machine) { /* no QEMU, or no such firmware */
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
		g_test_skip(error->message);
		g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
		return;
	}
	g_assert_true(has(machine, "-drive", "x.raw.variables.fd"));
	g_assert_true(has(machine, "-drive", "secboot") || has(machine, "-drive", ".ms.fd"));
	if (strcmp(run.arch->name, "x86-64") == 0) {
		g_assert_true(has(machine, "-machine", "smm=on"));
		g_assert_true(has(machine, "-global", "property=secure,value=on"));
	}
	g_assert_false(has(machine, "-smbios", ""));
	varve_machine_free(machine);
	g_assert_true(holds_keys(kept));
	/* Throwaway: nothing beside the image. */
	g_assert_cmpint(unlink(kept), ==, 0);
	run.keep = FALSE;
	machine = varve_machine_prepare(&run, &error);
	g_assert_no_error(error);
	g_assert_true(has(machine, "-drive", "/variables.fd"));
	varve_machine_free(machine);
	g_assert_false(g_file_test(kept, G_FILE_TEST_EXISTS));
	/* Only what is a disk of ours may be permissive. */
	run.permissive = TRUE;
	g_assert_null(varve_machine_prepare(&run, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

/* The socket is there at once, and the process goes when it is told to. */
static void test_software_tpm(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-run,XXXXXX", NULL);
	g_autofree char *state = g_build_filename(dir, "state", NULL);
	g_autofree char *path = g_build_filename(dir, "socket", NULL);
	g_autofree char *name = g_strnfill(200, 'x');
	g_autofree char *long_path = g_build_filename(dir, name, NULL);
	g_autoptr(GError) error = NULL;
	pid_t pid = 0;

	g_assert_false(varve_software_tpm_start(state, long_path, &pid, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	g_clear_error(&error);
	if (!varve_software_tpm_check(&error)) {
		g_test_skip(error->message);
		varve_dir_remove(AT_FDCWD, dir, NULL);
		return;
	}
	varve_software_tpm_start(state, path, &pid, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
	varve_software_tpm_stop(pid);
	g_assert_cmpint(kill(pid, 0), ==, -1);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/run/firmware", test_firmware);
	g_test_add_func("/run/kvm", test_kvm);
	g_test_add_func("/run/command", test_command);
	g_test_add_func("/run/secure-boot", test_secure_boot);
	g_test_add_func("/run/software-tpm", test_software_tpm);
	return g_test_run();
}
