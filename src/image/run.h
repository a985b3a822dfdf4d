/* Booting an image in QEMU: the firmware, the accelerator that really works, a throwaway disk, the
 * console. */
#pragma once

#include "compose/tools.h"
#include "format/partition-types.h"
#include "image/enrolment.h"

#include <glib.h>

/** VarveRun: how to boot. Zero-initialise, fill; nothing is owned. */
typedef struct {
	const VarveArch *arch;
	const char *image;         /* raw disk image */
	const char *const *layers; /* (nullable) further layer files for the state partition */
	gboolean keep;             /* what the guest writes stays in @image, its UEFI variables in
				    * @image.variables.fd */
	guint memory;              /* MiB; 0: 2048 */
	guint cpus;                /* 0: those of the machine, 4 at most */
	guint ssh_port;            /* 0: none; else 127.0.0.1:PORT leads to the guest's port 22 */
	const char *ssh_key;    /* (nullable) private key that may log in; made with its .pub beside
				 * it if it does not exist. NULL: a throwaway one */
	const char *log;        /* (nullable) file that gets what the console shows */
	const char *report;     /* (nullable) file behind the second serial port */
	const char *log_writes; /* (nullable) file that gets every write and flush of the disk */
	const char *variables;  /* (nullable) UEFI variables to start from, with keys enrolled: then
				 * the firmware that enforces Secure Boot is taken */
	gboolean tpm; /* a TPM 2.0 made of software, with its state among the throwaway files */
	const char *tpm_state; /* (nullable) a directory that keeps that state, made if missing */
	const VarveEnrolment *enrolment; /* (nullable) Secure Boot with these keys */
	gboolean permissive;             /* SELinux does not enforce; development images only */
	gboolean network;                /* the guest may reach the outside */
	gboolean no_reboot;              /* a reboot (or a panic with panic=-1) ends QEMU */
	gboolean allow_kvm;              /* FALSE: always emulate */
	const VarveTools *tools;         /* debugfs, mtools */
} VarveRun;

typedef struct VarveMachine VarveMachine;

/**
 * varve_machine_prepare:
 * Finds QEMU and firmware, makes the throwaway disk with what is to be injected into its state
 * partition, and puts the command line together. With neither a key nor layers to inject the disk
 * is a qcow2 overlay, else a copy (reflinked or sparse); with @keep the injection is into @image.
 *
 * Errors: NOT_FOUND (QEMU, firmware, swtpm: names the package; the image), CORRUPT (no GPT, no
 * state partition where one is needed), BUSY (another QEMU has the image), REFUSED and others as
 * varve_permissive_check(), SYSTEM.
 */
VarveMachine *varve_machine_prepare(const VarveRun *run, GError **error);
/** Removes the throwaway files. */
void varve_machine_free(VarveMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveMachine, varve_machine_free)

/** (borrowed) QEMU's arguments, NULL-terminated. */
const char *const *varve_machine_command(const VarveMachine *machine);
/** (borrowed, nullable) the ssh command that logs in. */
const char *varve_machine_ssh_command(const VarveMachine *machine);
/** (borrowed) "KVM", or why it is not used: "emulated: /dev/kvm cannot run code (…)". */
const char *varve_machine_accelerator(const VarveMachine *machine);

/**
 * varve_machine_run:
 * Runs QEMU in the foreground on our own terminal until it ends, and its TPM beside it; SIGTERM,
 * SIGINT and SIGHUP end it. If this process dies both die with it.
 *
 * @ret_status: QEMU's exit status; 128 + N for signal N.
 */
gboolean varve_machine_run(VarveMachine *machine, int *ret_status, GError **error);

/**
 * varve_kvm_works: whether /dev/kvm can run code of @arch here, by running some: nested
 * hypervisors exist that make machines and processors and then cannot execute firmware.
 *
 * @ret_reason: (nullable, caller frees) why not, where FALSE.
 */
gboolean varve_kvm_works(const VarveArch *arch, char **ret_reason);
