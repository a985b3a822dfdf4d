/* The parts of varve-init: messages on the console, the move into the composed root, and the end.
 */
#pragma once

#include "ground/cmdline.h"

#define VARVE_INIT_SYSROOT "/sysroot"
#define VARVE_INIT_EXITRD "/run/initramfs"

/** varve_say: one line on the console. */
void varve_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * varve_give_up:
 * Prints one paragraph, folded at 78 columns, and powers off; a shell comes first where the command
 * line has the word varve.debug-shell, the initrd is a development one, and it has a /bin/sh.
 */
_Noreturn void varve_give_up(const char *cmdline, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * varve_leave_exitrd:
 * Puts this program at /run/initramfs/shutdown, where systemd-shutdown gives it the machine after
 * the last process, so that the root can be unmounted and its device removed. Returns 0, or -1 with
 * errno.
 */
int varve_leave_exitrd(void);

/**
 * varve_switch_root:
 * Moves /dev, /proc, /sys and /run below VARVE_INIT_SYSROOT, makes that the root, empties the
 * initramfs and executes @argv. Returns only on failure, -1 with errno and what was tried in
 * @ret_step.
 */
int varve_switch_root(char *const argv[], const char **ret_step);

/** varve_shutdown: PID 1 after systemd-shutdown; @verb as systemd names it ("poweroff", …). */
_Noreturn void varve_shutdown(const char *verb);
