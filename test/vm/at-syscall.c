/* Runs a program and does something right before it makes a certain system call: what an attacker
 * who is fast enough could do, and what a power cut does. Static, libc only: tests copy it into a
 * guest. Other calls are not slowed down: the kernel's filter picks those that are meant.
 *
 *   at-syscall [-c] {-s CALL [-n K] [-r COMMAND] [-k SIGNAL] [-e ERROR]}… -- PROGRAM [ARG…]
 *
 * -s CALL: name or number of a system call; ioctl=REQUEST (name or number) for one ioctl; any. Each
 *     -s begins a trigger, which what follows belongs to
 * -n K: at the K-th such call (1) of PROGRAM and all its threads and children together
 * -r COMMAND: /bin/sh -c COMMAND runs while the caller stands still; AT_PID is the caller
 * -k SIGNAL: then the caller gets that signal: KILL, and the call is never made
 * -e ERROR: then the call is not made and fails: EIO, ENOSPC, …, or a number
 * -c: says at the end how often each call was made
 *
 * Ends as PROGRAM does (128 + signal), with 125 where a trigger was never reached. ptrace(2),
 * seccomp(2). */
#include <elf.h>
#include <errno.h>
#include <linux/dm-ioctl.h>
#include <linux/filter.h>
#include <linux/loop.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIGGERS_MAX 16
#define ANY (-1L)
#define ENDS_UNREACHED 125

typedef struct {
	const char *name;
	long number;
} Name;

static const Name calls[] = {
	{ "any", ANY },
	{ "close", SYS_close },
	{ "copy_file_range", SYS_copy_file_range },
	{ "execve", SYS_execve },
	{ "exit_group", SYS_exit_group },
	{ "fdatasync", SYS_fdatasync },
	{ "fsconfig", SYS_fsconfig },
	{ "fsmount", SYS_fsmount },
	{ "fsopen", SYS_fsopen },
	{ "fsync", SYS_fsync },
	{ "ftruncate", SYS_ftruncate },
	{ "ioctl", SYS_ioctl },
	{ "linkat", SYS_linkat },
	{ "mkdirat", SYS_mkdirat },
	{ "mount", SYS_mount },
	{ "move_mount", SYS_move_mount },
	{ "open_tree", SYS_open_tree },
	{ "openat", SYS_openat },
	{ "openat2", SYS_openat2 },
	{ "pread64", SYS_pread64 },
	{ "pwrite64", SYS_pwrite64 },
	{ "read", SYS_read },
	{ "renameat", SYS_renameat },
	{ "renameat2", SYS_renameat2 },
	{ "symlinkat", SYS_symlinkat },
	{ "umount2", SYS_umount2 },
	{ "unlinkat", SYS_unlinkat },
	{ "write", SYS_write },
#ifdef SYS_mkdir
	{ "mkdir", SYS_mkdir },
	{ "rename", SYS_rename },
	{ "rmdir", SYS_rmdir },
	{ "symlink", SYS_symlink },
	{ "unlink", SYS_unlink },
#endif
	{ NULL, 0 },
};

static const Name requests[] = {
	{ "DM_DEV_CREATE", (long)DM_DEV_CREATE },
	{ "DM_DEV_REMOVE", (long)DM_DEV_REMOVE },
	{ "DM_DEV_SUSPEND", (long)DM_DEV_SUSPEND },
	{ "DM_TABLE_LOAD", (long)DM_TABLE_LOAD },
	{ "LOOP_CONFIGURE", LOOP_CONFIGURE },
	{ "LOOP_CTL_GET_FREE", LOOP_CTL_GET_FREE },
	{ NULL, 0 },
};

typedef struct {
	const char *text;
	long call;
	int has_request;
	uint32_t request;
	unsigned long at, seen;
	const char *command;
	int signal;
	int error;
	int done;
} Trigger;

typedef struct {
	Trigger triggers[TRIGGERS_MAX];
	size_t n_triggers;
	pid_t program;
	int running; /* whether the program was reached: what comes before it is ours */
	int status;
} Tracer;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("at-syscall: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

static long look_up(const Name *names, const char *text, const char *what)
{
	char *end;
	long number;

	for (; names->name; names++) {
		if (strcmp(names->name, text) == 0)
			return names->number;
	}
	number = strtol(text, &end, 0);
	if (!*text || *end)
		die("'%s' is no %s that is known here", text, what);
	return number;
}

static int signal_number(const char *text)
{
	static const Name signals[] = { { "KILL", SIGKILL },
					{ "TERM", SIGTERM },
					{ "STOP", SIGSTOP },
					{ "ABRT", SIGABRT },
					{ NULL, 0 } };

	return (int)look_up(signals, text, "signal");
}

static int error_number(const char *text)
{
	static const Name errors[] = { { "EBUSY", EBUSY },   { "EINVAL", EINVAL },
				       { "EIO", EIO },       { "ENOMEM", ENOMEM },
				       { "ENOSPC", ENOSPC }, { "EPERM", EPERM },
				       { NULL, 0 } };

	return (int)look_up(errors, text, "error");
}

static void add_trigger(Tracer *tracer, char *text)
{
	Trigger *trigger = &tracer->triggers[tracer->n_triggers++];
	char *request;

	if (tracer->n_triggers > TRIGGERS_MAX)
		die("more than %d triggers", TRIGGERS_MAX);
	trigger->text = strdup(text);
	request = strchr(text, '=');
	if (request) {
		*request++ = '\0';
		trigger->has_request = 1;
		trigger->request = (uint32_t)look_up(requests, request, "ioctl");
	}
	trigger->call = look_up(calls, text, "system call");
	trigger->at = 1;
}

static void run_command(const Trigger *trigger, pid_t caller)
{
	char pid[16];
	int status;
	pid_t child = fork();

	if (child < 0)
		die("fork: %s", strerror(errno));
	if (child == 0) {
		snprintf(pid, sizeof(pid), "%d", (int)caller);
		setenv("AT_PID", pid, 1);
		execl("/bin/sh", "sh", "-c", trigger->command, (char *)NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			die("waitpid: %s", strerror(errno));
	}
	if (status != 0)
		fprintf(stderr, "at-syscall: '%s' ended with status 0x%x\n", trigger->command,
			status);
}

/* The call that @pid is about to make is not made: number -1. seccomp(2), ptrace(2). */
static void fail_call(pid_t pid, int error)
{
	long result;
#if defined(__x86_64__)
	struct user_regs_struct registers;
	struct iovec all = { &registers, sizeof(registers) };

	result = ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all);
	registers.orig_rax = (unsigned long long)-1;
	registers.rax = (unsigned long long)-error;
#elif defined(__aarch64__)
	struct user_regs_struct registers;
	struct iovec all = { &registers, sizeof(registers) };
	int none = -1;
	struct iovec number = { &none, sizeof(none) };

	result = ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all);
	registers.regs[0] = (unsigned long long)-error;
	result |= ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &number);
#else
#error "where this architecture keeps a system call's number and result is not known here"
#endif
	result |= ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &all);
	if (result != 0)
		die("ptrace: %s", strerror(errno));
}

static int matches(const Trigger *trigger, const struct __ptrace_syscall_info *info)
{
	if (trigger->call == ANY)
		return 1;
	return info->seccomp.nr == (uint64_t)trigger->call &&
	       (!trigger->has_request || (uint32_t)info->seccomp.args[1] == trigger->request);
}

static void at_call(Tracer *tracer, pid_t caller, const struct __ptrace_syscall_info *info)
{
	for (size_t i = 0; i < tracer->n_triggers; i++) {
		Trigger *trigger = &tracer->triggers[i];

		if (!matches(trigger, info) || ++trigger->seen != trigger->at)
			continue;
		trigger->done = 1;
		if (trigger->command)
			run_command(trigger, caller);
		if (trigger->signal)
			kill(caller, trigger->signal);
		if (trigger->error)
			fail_call(caller, trigger->error);
	}
}

static void at_stop(Tracer *tracer, pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (tracer->running && ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
	    info.op == PTRACE_SYSCALL_INFO_SECCOMP)
		at_call(tracer, pid, &info);
}

/* One event of one of the threads that are traced; it is let go on afterwards. */
static void handle(Tracer *tracer, pid_t pid, int status)
{
	int number = WSTOPSIG(status), event = status >> 16, deliver = 0;

	if (!WIFSTOPPED(status)) {
		if (pid == tracer->program)
			tracer->status = status;
		return;
	}
	if (event == PTRACE_EVENT_SECCOMP) {
		at_stop(tracer, pid);
	} else if (event == PTRACE_EVENT_EXEC) {
		tracer->running = 1;
	} else if (event == PTRACE_EVENT_STOP && number != SIGTRAP) {
		/* A stop as by a shell: it stays stopped until somebody else lets it go. */
		ptrace(PTRACE_LISTEN, pid, 0, 0);
		return;
	} else if (event == 0) {
		deliver = number;
	}
	ptrace(PTRACE_CONT, pid, 0, (void *)(intptr_t)deliver);
}

/* The calls that triggers wait for stop, in the program and in all that it starts. */
static void install_filter(const Tracer *tracer)
{
	struct sock_filter code[2 * TRIGGERS_MAX + 2];
	struct sock_fprog program = { .filter = code };

	code[program.len++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < tracer->n_triggers; i++) {
		long call = tracer->triggers[i].call;

		if (call != ANY)
			code[program.len++] = (struct sock_filter)BPF_JUMP(
				BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1);
		code[program.len++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if ((geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) {
		fprintf(stderr, "at-syscall: seccomp: %s\n", strerror(errno));
		_exit(127);
	}
}

static void start(Tracer *tracer, char **argv)
{
	const intptr_t options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL |
				 PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
	int gate[2];
	char byte;

	if (pipe(gate) < 0)
		die("pipe: %s", strerror(errno));
	tracer->program = fork();
	if (tracer->program < 0)
		die("fork: %s", strerror(errno));
	if (tracer->program == 0) {
		close(gate[1]);
		/* Opens when the tracer is there. */
		if (read(gate[0], &byte, 1) < 0)
			_exit(127);
		close(gate[0]);
		install_filter(tracer);
		execvp(argv[0], argv);
		fprintf(stderr, "at-syscall: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(gate[0]);
	if (ptrace(PTRACE_SEIZE, tracer->program, 0, (void *)options) < 0)
		die("ptrace: %s", strerror(errno));
	close(gate[1]);
}

static int finish(const Tracer *tracer, int count)
{
	int unreached = 0;

	for (size_t i = 0; i < tracer->n_triggers; i++) {
		const Trigger *trigger = &tracer->triggers[i];

		if (count)
			fprintf(stderr, "at-syscall: %s: %lu times\n", trigger->text,
				trigger->seen);
		if (!count && !trigger->done)
			fprintf(stderr, "at-syscall: %s was made %lu times, not %lu\n",
				trigger->text, trigger->seen, trigger->at);
		unreached |= !count && !trigger->done;
	}
	if (unreached)
		return ENDS_UNREACHED;
	return WIFSIGNALED(tracer->status) ? 128 + WTERMSIG(tracer->status)
					   : WEXITSTATUS(tracer->status);
}

int main(int argc, char **argv)
{
	static Tracer tracer;
	Trigger *last = NULL;
	int option, count = 0, status;
	pid_t pid;

	while ((option = getopt(argc, argv, "+cs:n:r:k:e:")) != -1) {
		if (option == 's') {
			add_trigger(&tracer, optarg);
			last = &tracer.triggers[tracer.n_triggers - 1];
			continue;
		}
		if (option == 'c')
			count = 1;
		else if (!last || option == '?')
			die("usage: at-syscall [-c] {-s CALL [-n K] [-r COMMAND] [-k SIGNAL] "
			    "[-e ERROR]}… -- PROGRAM [ARG…]");
		else if (option == 'n')
			last->at = strtoul(optarg, NULL, 10);
		else if (option == 'r')
			last->command = optarg;
		else if (option == 'e')
			last->error = error_number(optarg);
		else
			last->signal = signal_number(optarg);
	}
	if (optind == argc)
		die("no program was given");
	start(&tracer, argv + optind);
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid > 0)
			handle(&tracer, pid, status);
	}
	return finish(&tracer, count);
}
