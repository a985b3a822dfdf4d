/* varve-init: PID 1 of the initrd, and, as /run/initramfs/shutdown, of the last moments. It mounts
 * what every program needs, loads the modules, waits for the base's partition, lets `varvectl boot`
 * compose the root, and goes there. Everything about trust is varvectl's. libc only. */
#include "ground/block.h"
#include "ground/fd.h"
#include "ground/module.h"
#include "ground/mount.h"
#include "ground/secure-boot.h"
#include "init/init.h"

#include <limits.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define MODULE_LIST "/usr/lib/varve/initrd/modules"
#define EFIVARFS_MODULE "efivarfs."
#define VERITY_MODULE "dm-verity."
#define VARVECTL "/usr/bin/varvectl"
#define SYSTEMD "/usr/lib/systemd/systemd"
#define DEVICE_TIMEOUT 30 /* seconds; varve.device-timeout= */
#define QUIET_WAIT_MS 2000
#define POLL_MS 200
/* OPENSSL_ia32cap(3): without SSSE3, AVX and AVX2. */
#define OPENSSL_PLAIN "OPENSSL_ia32cap=~0x1000020000000000:~0x20"
#define EXIT_REFUSED 3 /* varvectl: the root is there, but a layer was refused */

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int mount_one(const char *type, const char *where, unsigned attributes,
		     const VarveMountOption *options)
{
	if (varve_make_dirs(where) < 0)
		return -1;
	if (varve_mount_at(type, options, attributes, where) < 0 && errno != EBUSY)
		return -1;
	return 0;
}

static void mount_kernel_filesystems(void)
{
	static const VarveMountOption dev[] = { { "source", "devtmpfs" }, { "mode", "0755" }, {} };
	static const VarveMountOption proc[] = { { "source", "proc" }, {} };
	static const VarveMountOption sys[] = { { "source", "sysfs" }, {} };
	static const VarveMountOption run[] = {
		{ "source", "tmpfs" }, { "mode", "0755" }, { "size", "20%" }, {}
	};
	const unsigned strict = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	int console;

	if (mount_one("devtmpfs", "/dev", MOUNT_ATTR_NOSUID, dev) < 0)
		varve_give_up(NULL, "/dev cannot be mounted: %m.");
	/* An initrd without a /dev/console node starts us with no streams at all. */
	console = open("/dev/console", O_RDWR | O_NOCTTY);
	for (int fd = 0; console >= 0 && fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			dup2(console, fd);
	}
	if (console > 2)
		close(console);
	if (mount_one("proc", "/proc", strict, proc) < 0)
		varve_give_up(NULL, "/proc cannot be mounted: %m.");
	if (mount_one("sysfs", "/sys", strict, sys) < 0)
		varve_give_up(NULL, "/sys cannot be mounted: %m.");
	/* Executable: systemd-shutdown enters /run/initramfs at the end. */
	if (mount_one("tmpfs", "/run", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, run) < 0)
		varve_give_up(NULL, "/run cannot be mounted: %m.");
}

/* Audit records go through the kernel's log here, which drops most of a burst: what SELinux and IPE
 * deny must reach the journal. */
static void keep_every_message(void)
{
	varve_autofd fd = open("/proc/sys/kernel/printk_ratelimit", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		varve_say("the kernel's log stays limited: %m; denials can be missing in it");
}

static void module_failed(const char *path, int errnum, void *data)
{
	(void)data;
	/* The list is for every machine: a driver of another one finds no device, or lacks a module
	 * that found none. */
	if (errnum == ENODEV || (errnum == ENOENT && access(path, F_OK) == 0))
		return;
	varve_say("module %s is not loaded: %s", path, strerror(errnum));
}

/* Under QEMU without KVM the vector instructions of SHA-256 take five times as long as plain code,
 * and most of a boot is hashing: there the kernel and OpenSSL are kept from using them. */
static int is_emulated(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];
	int found = 0;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, "QEMU TCG CPU") != NULL;
	if (file)
		fclose(file);
	return found;
}

/* What the modules are loaded for. */
typedef struct {
	int emulated;
	VarveSecureBoot secure_boot;
} Machine;

static int begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const char *only_efivarfs(const char *name, void *data)
{
	(void)data;
	return begins_with(name, EFIVARFS_MODULE) ? "" : NULL;
}

/* A parameter and not a word of the command line: those are the kernel's for what is built in. */
static const char *choose_module(const char *name, void *data)
{
	const Machine *machine = data;

	if (machine->emulated && begins_with(name, "sha256-"))
		return NULL;
	if (machine->secure_boot == VARVE_SECURE_BOOT_ON && begins_with(name, VERITY_MODULE))
		return "require_signatures=1";
	return "";
}

static void load_modules(VarveModuleChoice choice, Machine *machine)
{
	if (varve_modules_load(MODULE_LIST, choice, module_failed, machine) < 0 && errno != ENOENT)
		varve_say(MODULE_LIST " cannot be read: %m");
}

/* Under Secure Boot the kernel checks every layer too, and that is settled before dm-verity is
 * there: what cannot be told must not become the weaker answer. */
static void find_secure_boot(const char *cmdline, Machine *machine)
{
	static const VarveMountOption options[] = { { "source", "efivarfs" }, {} };
	const unsigned strict = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	if (access("/sys/firmware/efi", F_OK) == 0) {
		load_modules(only_efivarfs, machine);
		if (varve_mount_at("efivarfs", options, strict, "/sys" VARVE_EFIVARS) < 0 &&
		    errno != EBUSY)
			varve_give_up(cmdline,
				      "Whether Secure Boot is on cannot be told: efivarfs "
				      "cannot be mounted: %m. The module 'efivarfs' belongs "
				      "into the initrd, and the firmware's runtime services "
				      "must not be switched off (efi=noruntime).");
	}
	if (varve_secure_boot_read("/sys", &machine->secure_boot) < 0)
		varve_give_up(cmdline, "Whether Secure Boot is on cannot be told: the firmware's "
				       "variables cannot be read: %m. Look at its setup, or reset "
				       "it to its defaults.");
}

/* A socket that becomes readable when the kernel announces a device; -1 only costs latency. */
static int uevent_socket(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* PARTUUID of the base's data, from the command line. */
static void base_uuid(const char *cmdline, char ret_uuid[37])
{
	char hash[80];

	if (!varve_cmdline_get(cmdline, "varve.roothash", hash, sizeof(hash)))
		varve_give_up(cmdline, "The kernel's command line does not say which base layer to "
				       "start: varve.roothash=HEX is missing. Start another boot "
				       "entry, or build the image again.");
	if (varve_uuid_from_hash(hash, 0, ret_uuid) < 0)
		varve_give_up(cmdline,
			      "varve.roothash=%s on the kernel's command line is not 64 "
			      "hexadecimal digits. Start another boot entry, or build the image "
			      "again.",
			      hash);
}

_Noreturn static void give_up_waiting(const char *cmdline, const char *uuid, long long limit)
{
	char devices[1024];

	varve_block_list(devices, sizeof(devices));
	varve_give_up(
		cmdline,
		"No disk with the base layer appeared within %lld seconds: a partition with "
		"PARTUUID %s was expected. These block devices are there: %s. Either the disk "
		"is not attached, or the initrd lacks the module for it, or this boot entry "
		"belongs to a base that is no longer there. A slow disk can be given more time "
		"with varve.device-timeout=SECONDS.",
		limit, uuid, devices);
}

static void wait_for_base(const char *cmdline)
{
	char uuid[37], device[VARVE_DEVICE_PATH_SIZE], value[16], drain[4096];
	varve_autofd uevents = uevent_socket();
	long long start = now_ms(), limit = DEVICE_TIMEOUT;
	int told = 0;

	base_uuid(cmdline, uuid);
	if (varve_cmdline_get(cmdline, "varve.device-timeout", value, sizeof(value)) &&
	    atoi(value) > 0)
		limit = atoi(value);
	while (varve_block_find(uuid, device) != 1) {
		struct pollfd pfd = { .fd = uevents, .events = POLLIN };
		long long waited = now_ms() - start;

		if (waited >= limit * 1000)
			give_up_waiting(cmdline, uuid, limit);
		if (waited >= QUIET_WAIT_MS && !told) {
			varve_say(
				"waiting for the base's partition, PARTUUID %s, %lld more seconds",
				uuid, limit - waited / 1000);
			told = 1;
		}
		poll(&pfd, uevents >= 0, POLL_MS);
		while (uevents >= 0 && recv(uevents, drain, sizeof(drain), 0) > 0)
			continue;
	}
	if (told)
		varve_say("%s is there after %lld ms", device, now_ms() - start);
}

/* Returns the exit status of varvectl, or 128 and the signal that ended it. */
static int run_varvectl(int emulated)
{
	char *const argv[] = { (char *)VARVECTL, (char *)"boot", NULL };
	char *env[] = { (char *)"PATH=/usr/sbin:/usr/bin", (char *)"HOME=/",
			(char *)"LC_ALL=C.UTF-8", NULL, NULL };
	pid_t pid;
	int status;

	if (emulated)
		env[3] = (char *)OPENSSL_PLAIN;
	pid = fork();
	if (pid < 0)
		return 127;
	if (pid == 0) {
		execve(VARVECTL, argv, env);
		varve_say(VARVECTL " cannot be started: %m");
		_exit(127);
	}
	for (;;) {
		/* PID 1 also gets the orphans. */
		pid_t ended = waitpid(-1, &status, 0);

		if (ended == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (ended < 0 && errno != EINTR)
			return 127;
	}
}

_Noreturn static void boot(int argc, char **argv)
{
	char cmdline[VARVE_CMDLINE_SIZE], init[PATH_MAX] = SYSTEMD;
	const char *step = "";
	char **next;
	Machine machine = { 0 };
	int status;

	umask(022);
	mount_kernel_filesystems();
	keep_every_message();
	if (varve_cmdline_read(cmdline) < 0)
		varve_give_up(NULL, "/proc/cmdline cannot be read: %m.");
	machine.emulated = is_emulated();
	find_secure_boot(cmdline, &machine);
	load_modules(choose_module, &machine);
	wait_for_base(cmdline);
	if (varve_make_dirs(VARVE_INIT_SYSROOT) < 0)
		varve_give_up(cmdline, VARVE_INIT_SYSROOT " cannot be made: %m.");
	status = run_varvectl(machine.emulated);
	if ((status != 0 && status != EXIT_REFUSED) || !varve_mount_is(VARVE_INIT_SYSROOT "/usr"))
		varve_give_up(
			cmdline,
			"The root filesystem was not composed: 'varvectl boot' ended with "
			"status %d. Its message above says what was expected and what was found. "
			"Where the boot menu has an entry for the other slot or an older "
			"version, start that; else write the image again.",
			status);
	if (status == EXIT_REFUSED)
		varve_say("the root is there, but a layer was refused ('varvectl boot' ended with "
			  "status %d): 'varvectl status' says which and why",
			  status);
	/* Where code integrity may be in force `varvectl boot` has put the signed one there. */
	if (!varve_mount_is(VARVE_INIT_EXITRD) && varve_leave_exitrd() < 0)
		varve_say(VARVE_INIT_EXITRD "/shutdown cannot be written: %m; the power-off will "
					    "complain about the root's device");
	varve_cmdline_get(cmdline, "init", init, sizeof(init));
	next = calloc((size_t)argc + 1, sizeof(*next));
	if (!next)
		varve_give_up(cmdline, "There is no memory left.");
	next[0] = init;
	for (int i = 1; i < argc; i++)
		next[i] = argv[i];
	varve_switch_root(next, &step);
	varve_give_up(cmdline, "The composed root cannot be entered: %s: %m.", step);
}

int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : (argc > 0 ? argv[0] : "");

	if (getpid() != 1) {
		fputs("varve-init is started by the kernel as PID 1 of the initrd; it is "
		      "of no use "
		      "otherwise\n",
		      stderr);
		return 2;
	}
	setvbuf(stderr, NULL, _IOLBF, 0);
	if (strcmp(name, "shutdown") == 0)
		varve_shutdown(argc > 1 ? argv[1] : "poweroff");
	boot(argc, argv);
}
