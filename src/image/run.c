/* Booting an image in QEMU: the command line, the throwaway files, and the process. */
#include "image/run.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "image/firmware.h"
#include "image/flash.h"
#include "image/permissive.h"
#include "image/software-tpm.h"
#include "image/throwaway.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define MEMORY_DEFAULT 2048
#define CPUS_MAX 4
#define LOG_SIZE ((off_t)16 * 1024 * 1024 * 1024)

struct VarveMachine {
	GPtrArray *argv; /* ends with NULL once prepared */
	char *directory; /* throwaway files */
	char *accelerator;
	char *ssh_command;
	char *tpm_state; /* NULL: it has no TPM */
	char *tpm_socket;
	gboolean kvm;
};

static void add(VarveMachine *machine, const char *option, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
static void add(VarveMachine *machine, const char *option, const char *format, ...)
{
	va_list list;

	g_ptr_array_add(machine->argv, g_strdup(option));
	va_start(list, format);
	g_ptr_array_add(machine->argv, g_strdup_vprintf(format, list));
	va_end(list);
}

/* In QEMU's option strings a comma in a value is written twice. */
static char *escape(const char *path)
{
	GString *escaped = g_string_new(path);

	g_string_replace(escaped, ",", ",,", 0);
	return g_string_free(escaped, FALSE);
}

static char *in_directory(const VarveMachine *machine, const char *name)
{
	return g_build_filename(machine->directory, name, NULL);
}

static gboolean is_x86(const VarveArch *arch)
{
	return strcmp(arch->name, "x86-64") == 0;
}

static gboolean is_secure(const VarveRun *run)
{
	return run->variables || run->enrolment;
}

static gboolean add_program(VarveMachine *machine, const VarveRun *run, GError **error)
{
	g_autofree char *name = g_strdup_printf("qemu-system-%s", run->arch->qemu);
	char *path = g_find_program_in_path(name);

	if (!path)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "'%s' is not installed: it is in qemu-system-%s (Debian) or "
				  "qemu-system-%s-core (Fedora)",
				  name, is_x86(run->arch) ? "x86" : "arm",
				  is_x86(run->arch) ? "x86" : "aarch64");
	g_ptr_array_add(machine->argv, path);
	return TRUE;
}

static void add_machine(VarveMachine *machine, const VarveRun *run)
{
	guint processors = MIN(g_get_num_processors(), CPUS_MAX);
	g_autofree char *reason = NULL;

	machine->kvm = run->allow_kvm && varve_kvm_works(run->arch, &reason);
	machine->accelerator = machine->kvm
				       ? g_strdup("KVM")
				       : g_strdup_printf("emulated, slowly (%s)",
							 reason ? reason : "KVM was not asked for");
	g_ptr_array_add(machine->argv, g_strdup("-nodefaults"));
	if (is_x86(run->arch))
		add(machine, "-machine", "q35%s", is_secure(run) ? ",smm=on" : "");
	else
		add(machine, "-machine", "virt");
	add(machine, "-accel", "%s", machine->kvm ? "kvm" : "tcg,thread=multi");
	/* Kernels use cmpxchg16b where there is one; under emulation it is not atomic enough for
	 * them and they panic. Five-level paging only costs time. */
	add(machine, "-cpu", "%s",
	    machine->kvm        ? "host"
	    : is_x86(run->arch) ? "max,-cx16,-la57"
				: "max");
	add(machine, "-smp", "%u", run->cpus ? run->cpus : processors);
	add(machine, "-m", "%u", run->memory ? run->memory : MEMORY_DEFAULT);
	add(machine, "-display", "none");
	add(machine, "-device", "virtio-rng-pci");
	if (run->no_reboot)
		g_ptr_array_add(machine->argv, g_strdup("-no-reboot"));
}

static gboolean add_firmware(VarveMachine *machine, const VarveRun *run, GError **error)
{
	gboolean keep = run->keep && !run->variables;
	g_autofree char *image = g_canonicalize_filename(run->image, NULL);
	g_autofree char *variables = keep ? g_strconcat(image, ".variables.fd", NULL)
					  : in_directory(machine, "variables.fd");
	g_autofree char *escaped = escape(variables);
	VarveFirmware firmware;

	if (!varve_firmware_find(run->arch, is_secure(run), NULL, &firmware, error) ||
	    !varve_flash_make(run->variables ? run->variables : firmware.variables, run->enrolment,
			      variables, keep, error))
		return FALSE;
	if (is_secure(run) && is_x86(run->arch)) {
		add(machine, "-global", "driver=cfi.pflash01,property=secure,value=on");
		add(machine, "-global", "ICH9-LPC.disable_s3=1");
	}
	add(machine, "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=%s", firmware.code);
	add(machine, "-drive", "if=pflash,unit=1,format=raw,file=%s", escaped);
	return TRUE;
}

static gboolean make_key(VarveMachine *machine, const VarveRun *run, char **ret_public,
			 GError **error)
{
	g_autofree char *key = run->ssh_key ? g_canonicalize_filename(run->ssh_key, NULL)
					    : in_directory(machine, "ssh-key");

	if (!g_file_test(key, G_FILE_TEST_EXISTS) &&
	    !varve_run(error, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "varve-run",
		       "-f", key, NULL))
		return FALSE;
	*ret_public = g_strdup_printf("%s.pub", key);
	machine->ssh_command = g_strdup_printf(
		"ssh -i '%s' -p %u -o IdentitiesOnly=yes -o StrictHostKeyChecking=no "
		"-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@127.0.0.1",
		key, run->ssh_port);
	return TRUE;
}

static gboolean check_image(const VarveRun *run, GError **error)
{
	g_autofree char *image = g_canonicalize_filename(run->image, NULL);

	return g_file_test(image, G_FILE_TEST_IS_REGULAR) ||
	       varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: no such disk image", image);
}

/* All that the guest writes goes through a recorder (QEMU's blklogwrites; the format is that of
 * Linux' dm-log-writes). The file does not grow by itself; what is not written of it takes no room.
 */
static gboolean add_recorded(VarveMachine *machine, const VarveRun *run, const char *format,
			     const char *disk, GError **error)
{
	g_autofree char *log = escape(run->log_writes);
	varve_autofd fd = open(run->log_writes, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, LOG_SIZE) < 0)
		return varve_fail_errno(error, errno, "%s", run->log_writes);
	add(machine, "-blockdev", "driver=file,node-name=disk-file,discard=unmap,filename=%s",
	    disk);
	add(machine, "-blockdev", "driver=%s,node-name=disk-format,discard=unmap,file=disk-file",
	    format);
	add(machine, "-blockdev", "driver=file,node-name=disk-log,filename=%s", log);
	add(machine, "-blockdev",
	    "driver=blklogwrites,node-name=disk,file=disk-format,log=disk-log,log-sector-size=512,"
	    "log-super-update-interval=1");
	return TRUE;
}

/* Chooses and makes the disk; what has to be in it is put into it. */
static gboolean add_disk(VarveMachine *machine, const VarveRun *run, GError **error)
{
	g_autofree char *image = g_canonicalize_filename(run->image, NULL);
	g_autofree char *disk = NULL;
	g_autofree char *escaped = NULL;
	g_autofree char *public_key = NULL;
	VarveInjection injection = { .layers = run->layers };
	gboolean overlay;

	if (run->ssh_port && !make_key(machine, run, &public_key, error))
		return FALSE;
	injection.authorized_key = public_key;
	overlay = !run->keep && varve_injection_is_empty(&injection);
	if (run->keep)
		disk = g_steal_pointer(&image);
	else
		disk = in_directory(machine, overlay ? "disk.qcow2" : "disk.raw");
	if (overlay ? !varve_throwaway_overlay(image, disk, error)
		    : !run->keep && !varve_throwaway_copy(image, disk, error))
		return FALSE;
	if (!varve_injection_is_empty(&injection) &&
	    !varve_throwaway_inject(run->tools, disk, &injection, error))
		return FALSE;
	escaped = escape(disk);
	if (run->log_writes) {
		if (!add_recorded(machine, run, overlay ? "qcow2" : "raw", escaped, error))
			return FALSE;
	} else {
		add(machine, "-drive", "if=none,id=disk,format=%s,discard=unmap,cache=%s,file=%s",
		    overlay ? "qcow2" : "raw", run->keep ? "writeback" : "unsafe", escaped);
	}
	/* The recorder of QEMU before 9.0 spoils its log where zeroes are written by a request of
	 * their own. */
	add(machine, "-device", "virtio-blk-pci,drive=disk,bootindex=0%s",
	    run->log_writes ? ",write-zeroes=off" : "");
	return TRUE;
}

static gboolean add_permissive(VarveMachine *machine, const VarveRun *run, GError **error)
{
	if (!run->permissive)
		return TRUE;
	if (!varve_permissive_check(run->tools, run->image, run->arch, machine->directory, error))
		return FALSE;
	add(machine, "-smbios", "type=11,value=" VARVE_PERMISSIVE_SMBIOS);
	return TRUE;
}

static void add_consoles(VarveMachine *machine, const VarveRun *run)
{
	g_autoptr(GString) console = g_string_new("stdio,id=console,mux=on,signal=off");

	if (run->log) {
		g_autofree char *log = escape(run->log);

		g_string_append_printf(console, ",logfile=%s,logappend=off", log);
	}
	add(machine, "-chardev", "%s", console->str);
	add(machine, "-serial", "chardev:console");
	add(machine, "-mon", "chardev=console,mode=readline");
	if (run->report) {
		g_autofree char *report = escape(run->report);

		add(machine, "-chardev", "file,id=report,path=%s", report);
		/* The virt machine has one serial port of its own. */
		if (is_x86(run->arch))
			add(machine, "-serial", "chardev:report");
		else
			add(machine, "-device", "pci-serial,chardev=report");
	}
}

static void add_network(VarveMachine *machine, const VarveRun *run)
{
	g_autoptr(GString) network = g_string_new("user,id=net0");

	if (!run->network)
		g_string_append(network, ",restrict=on");
	if (run->ssh_port)
		g_string_append_printf(network, ",hostfwd=tcp:127.0.0.1:%u-:22", run->ssh_port);
	add(machine, "-netdev", "%s", network->str);
	/* Without its ROM: nothing boots from the network. */
	add(machine, "-device", "virtio-net-pci,netdev=net0,romfile=");
}

static gboolean add_tpm(VarveMachine *machine, const VarveRun *run, GError **error)
{
	g_autofree char *escaped = NULL;

	if (!run->tpm)
		return TRUE;
	if (!varve_software_tpm_check(error))
		return FALSE;
	machine->tpm_state = run->tpm_state ? g_canonicalize_filename(run->tpm_state, NULL)
					    : in_directory(machine, "tpm");
	machine->tpm_socket = in_directory(machine, "tpm.socket");
	escaped = escape(machine->tpm_socket);
	add(machine, "-chardev", "socket,id=tpm,path=%s", escaped);
	add(machine, "-tpmdev", "emulator,id=tpm0,chardev=tpm");
	add(machine, "-device", "%s,tpmdev=tpm0", is_x86(run->arch) ? "tpm-crb" : "tpm-tis-device");
	return TRUE;
}

/* TMPDIR is often small and in memory; a disk is neither. */
static gboolean make_directory(VarveMachine *machine, GError **error)
{
	const char *parent = g_getenv("TMPDIR");
	g_autofree char *path =
		g_build_filename(parent && *parent ? parent : "/var/tmp", "varve-run.XXXXXX", NULL);

	if (!g_mkdtemp(path))
		return varve_fail_errno(error, errno, "%s: cannot make a directory", path);
	machine->directory = g_canonicalize_filename(path, NULL);
	return TRUE;
}

VarveMachine *varve_machine_prepare(const VarveRun *run, GError **error)
{
	g_autoptr(VarveMachine) machine = g_new0(VarveMachine, 1);

	machine->argv = g_ptr_array_new_with_free_func(g_free);
	if (!make_directory(machine, error) || !add_program(machine, run, error))
		return NULL;
	add_machine(machine, run);
	if (!check_image(run, error) || !add_permissive(machine, run, error) ||
	    !add_firmware(machine, run, error) || !add_disk(machine, run, error) ||
	    !add_tpm(machine, run, error))
		return NULL;
	add_consoles(machine, run);
	add_network(machine, run);
	g_ptr_array_add(machine->argv, NULL);
	return g_steal_pointer(&machine);
}

void varve_machine_free(VarveMachine *machine)
{
	if (!machine)
		return;
	if (machine->directory)
		varve_dir_remove(AT_FDCWD, machine->directory, NULL);
	g_ptr_array_unref(machine->argv);
	g_free(machine->directory);
	g_free(machine->accelerator);
	g_free(machine->ssh_command);
	g_free(machine->tpm_state);
	g_free(machine->tpm_socket);
	g_free(machine);
}

const char *const *varve_machine_command(const VarveMachine *machine)
{
	return (const char *const *)machine->argv->pdata;
}

const char *varve_machine_ssh_command(const VarveMachine *machine)
{
	return machine->ssh_command;
}

const char *varve_machine_accelerator(const VarveMachine *machine)
{
	return machine->accelerator;
}

static G_GNUC_NORETURN void child(const VarveMachine *machine, pid_t parent, const sigset_t *mask)
{
	sigprocmask(SIG_SETMASK, mask, NULL);
	/* Set before the check: a parent that ends in between is noticed one way or the other. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent)
		execv(machine->argv->pdata[0], (char *const *)machine->argv->pdata);
	_exit(127);
}

/* Hands on what should end us to QEMU, until it has ended. */
static gboolean wait_for(pid_t pid, int signals, int *ret_status, GError **error)
{
	for (;;) {
		struct signalfd_siginfo info;
		int status;
		ssize_t n = read(signals, &info, sizeof(info));

		if (n < 0 && errno != EINTR)
			return varve_fail_errno(error, errno, "cannot wait for QEMU");
		if (n == (ssize_t)sizeof(info) && info.ssi_signo != SIGCHLD)
			kill(pid, SIGTERM);
		if (waitpid(pid, &status, WNOHANG) == pid) {
			*ret_status =
				WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			return TRUE;
		}
	}
}

gboolean varve_machine_run(VarveMachine *machine, int *ret_status, GError **error)
{
	pid_t parent = getpid(), pid;
	varve_autofd signals = -1;
	pid_t tpm = 0;
	sigset_t mask, before;
	gboolean ended;

	if (machine->tpm_state &&
	    !varve_software_tpm_start(machine->tpm_state, machine->tpm_socket, &tpm, error))
		return FALSE;
	sigemptyset(&mask);
	for (const int *number = (const int[]){ SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0 }; *number;
	     number++)
		sigaddset(&mask, *number);
	sigprocmask(SIG_BLOCK, &mask, &before);
	signals = signalfd(-1, &mask, SFD_CLOEXEC);
	pid = signals < 0 ? -1 : fork();
	if (pid == 0)
		child(machine, parent, &before);
	if (pid < 0)
		ended = varve_fail_errno(error, errno, "cannot start QEMU");
	else
		ended = wait_for(pid, signals, ret_status, error);
	if (tpm > 0)
		varve_software_tpm_stop(tpm);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ended;
}
