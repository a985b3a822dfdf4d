/* Messages of varve-init, and what it does when it cannot go on. */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define COLUMNS 78
/* Only in an initrd that trusts no certificate but development ones. */
#define DEVELOPMENT_MARK "/usr/lib/varve/initrd/development"

void varve_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("varve-init: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static void print_folded(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (length > COLUMNS) {
			length = COLUMNS;
			while (length > 0 && text[length] != ' ')
				length--;
			if (length == 0)
				length = COLUMNS;
		}
		fprintf(stderr, "  %.*s\n", (int)length, text);
		text += length;
		while (*text == ' ' || *text == '\n')
			text++;
	}
}

static void debug_shell(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		char *const argv[] = { (char *)"sh", NULL };
		int fd;

		setsid();
		fd = open("/dev/console", O_RDWR | O_CLOEXEC);
		if (fd >= 0) {
			ioctl(fd, TIOCSCTTY, 1);
			dup2(fd, 0);
			dup2(fd, 1);
			dup2(fd, 2);
		}
		execv("/bin/sh", argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

_Noreturn void varve_give_up(const char *cmdline, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	fputs("\n*** This machine cannot start. ***\n\n", stderr);
	print_folded(text);
	if (cmdline && varve_cmdline_get(cmdline, "varve.debug-shell", NULL, 0) &&
	    access(DEVELOPMENT_MARK, F_OK) == 0 && access("/bin/sh", X_OK) == 0) {
		fputs("\n  A shell follows; the machine powers off when it ends.\n\n", stderr);
		debug_shell();
	} else {
		fputs("\n  It powers off now.\n\n", stderr);
	}
	tcdrain(STDERR_FILENO);
	sync();
	reboot(RB_POWER_OFF);
	/* Where there is nothing that could switch the power off, PID 1 must still not end. */
	for (;;)
		pause();
}
