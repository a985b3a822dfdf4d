/* Running other programs. */
#include "base/process.h"

#include "base/contain.h"
#include "base/error.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define OUTPUT_LIMIT (64 << 20)
#define ERRORS_LIMIT (1 << 20)

const char *const varve_proxy_variables[] = { "http_proxy", "https_proxy", "HTTPS_PROXY",
					      "all_proxy",  "ALL_PROXY",   "no_proxy",
					      "NO_PROXY",   NULL };

void varve_environment_keep(GPtrArray *list, const char *const *names)
{
	for (; *names; names++)
		if (g_getenv(*names))
			g_ptr_array_add(list, g_strconcat(*names, "=", g_getenv(*names), NULL));
}

typedef struct {
	int fd; /* our end, non-blocking, or -1 */
	GString *text;
	size_t limit;
} Capture;

static char **environment(const VarveProcess *process)
{
	char **env = process->inherit_env ? g_get_environ() : NULL;

	if (!env) {
		env = g_environ_setenv(env, "PATH", "/usr/sbin:/usr/bin:/sbin:/bin", TRUE);
		env = g_environ_setenv(env, "HOME", "/root", TRUE);
		env = g_environ_setenv(env, "LC_ALL", "C.UTF-8", TRUE);
		env = g_environ_setenv(env, "TZ", "UTC", TRUE);
	}
	for (size_t i = 0; process->env && process->env[i]; i++) {
		g_auto(GStrv) pair = g_strsplit(process->env[i], "=", 2);

		if (pair[0] && pair[1])
			env = g_environ_setenv(env, pair[0], pair[1], TRUE);
	}
	return env;
}

static void drain(Capture *capture)
{
	char buffer[16384];
	ssize_t n = read(capture->fd, buffer, sizeof(buffer));

	if (n > 0 && capture->text->len + (size_t)n <= capture->limit) {
		g_string_append_len(capture->text, buffer, n);
	} else if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
		close(capture->fd);
		capture->fd = -1;
	}
}

/* Milliseconds until @deadline (monotonic µs); -1 where there is none. */
static int left(gint64 deadline)
{
	gint64 now = g_get_monotonic_time();

	if (deadline == 0)
		return -1;
	return deadline > now ? (int)((deadline - now) / 1000 + 1) : 0;
}

/* Feeds @input to @in and collects both outputs until all three are closed; FALSE where that was
 * not before @deadline. */
static gboolean talk(int in, const char *input, size_t input_size, Capture *out, Capture *err,
		     gint64 deadline)
{
	while (in >= 0 || out->fd >= 0 || err->fd >= 0) {
		struct pollfd fds[3] = { { .fd = in, .events = POLLOUT },
					 { .fd = out->fd, .events = POLLIN },
					 { .fd = err->fd, .events = POLLIN } };
		int wait = left(deadline);

		if (wait == 0) {
			varve_autofd_close(&in);
			varve_autofd_close(&out->fd);
			varve_autofd_close(&err->fd);
			return FALSE;
		}
		if (poll(fds, 3, wait) <= 0)
			continue;
		if (in >= 0 && fds[0].revents) {
			ssize_t n = write(in, input, input_size);

			if (n > 0) {
				input += n;
				input_size -= (size_t)n;
			}
			if (input_size == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
				close(in);
				in = -1;
			}
		}
		if (fds[1].revents)
			drain(out);
		if (fds[2].revents)
			drain(err);
	}
	return TRUE;
}

typedef struct {
	char **argv, **env;
	const VarveProcess *process;
	int in, out, err; /* the child's ends; -1: inherited */
	int failure;      /* write end of the pipe that tells why exec was not reached */
	gboolean tied;    /* ends with us: its output has no end */
} Child;

/* Everything between fork and exec; returns only on failure. */
static gboolean become(const Child *child, VarveContainFailure *failure)
{
	const VarveProcess *process = child->process;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (child->tied || process->tied)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* Libraries open what is nobody else's, not always close-on-exec: a program in another
	 * SELinux domain would be denied it, loudly. */
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	/* A group of its own, to be killed whole. */
	if (process->timeout > 0)
		setpgid(0, 0);
	if ((child->in >= 0 && dup2(child->in, 0) < 0) ||
	    (child->out >= 0 && dup2(child->out, 1) < 0) ||
	    (child->err >= 0 && dup2(child->err, 2) < 0)) {
		failure->errnum = errno;
		return FALSE;
	}
	if (process->root && !varve_contain(process, failure))
		return FALSE;
	if (process->directory && chdir(process->directory) < 0) {
		failure->errnum = errno;
		g_strlcpy(failure->what, process->directory, sizeof(failure->what));
		return FALSE;
	}
	execvpe(child->argv[0], child->argv, child->env);
	failure->errnum = errno;
	failure->exec = TRUE;
	g_strlcpy(failure->what, child->argv[0], sizeof(failure->what));
	return FALSE;
}

static G_NORETURN void run_child(const Child *child)
{
	VarveContainFailure failure = { 0 };

	if (!become(child, &failure) && write(child->failure, &failure, sizeof(failure)) < 0)
		_exit(126);
	_exit(127);
}

static gboolean explain_failure(const VarveContainFailure *failure, const VarveProcess *process,
				GError **error)
{
	if (failure->exec && failure->errnum == ENOENT)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "%s: no such program%s%s; install the package that brings it",
				  process->argv[0], process->root ? " in " : "",
				  process->root ? process->root : "");
	return varve_fail_errno(error, failure->errnum, "%s: cannot start (%s)", process->argv[0],
				failure->what);
}

static gboolean make_pipe(int ends[2], GError **error)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return varve_fail_errno(error, errno, "cannot make a pipe");
	return TRUE;
}

static gboolean start(const VarveProcess *process, Child *child, pid_t *ret_pid, GError **error)
{
	g_auto(GStrv) env = environment(process);
	VarveContainFailure failure;
	int failed[2];
	ssize_t n;

	if (!make_pipe(failed, error))
		return FALSE;
	child->argv = (char **)process->argv;
	child->env = env;
	child->process = process;
	child->failure = failed[1];
	*ret_pid = process->root ? varve_contain_fork(process) : fork();
	if (*ret_pid == 0)
		run_child(child);
	close(failed[1]);
	if (*ret_pid < 0) {
		int saved = errno;

		close(failed[0]);
		if (saved == EPERM)
			return varve_fail(error, VARVE_ERROR_SYSTEM,
					  "%s: running inside '%s' needs root: use sudo",
					  process->argv[0], process->root);
		return varve_fail_errno(error, saved, "%s: cannot fork", process->argv[0]);
	}
	do
		n = read(failed[0], &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	close(failed[0]);
	if (n == (ssize_t)sizeof(failure)) {
		waitpid(*ret_pid, NULL, 0);
		return explain_failure(&failure, process, error);
	}
	return TRUE;
}

static gboolean wait_for(pid_t pid, const char *program, int *ret_status, GError **error)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return varve_fail_errno(error, errno, "%s: cannot wait for it", program);
	if (WIFSIGNALED(status))
		return varve_fail(error, VARVE_ERROR_SYSTEM, "%s: ended by signal %d (%s)", program,
				  WTERMSIG(status), g_strsignal(WTERMSIG(status)));
	*ret_status = WEXITSTATUS(status);
	return TRUE;
}

/* The same for one that may take its time until @deadline only. A program can close its outputs and
 * go on, so its end is waited for too. */
static gboolean wait_until(pid_t pid, const VarveProcess *process, gint64 deadline, gboolean late,
			   int *ret_status, GError **error)
{
	varve_autofd pidfd = deadline > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };

	while (!late && pidfd >= 0 && poll(&fd, 1, left(deadline)) <= 0)
		late = left(deadline) == 0;
	if (!late)
		return wait_for(pid, process->argv[0], ret_status, error);
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return varve_fail(error, VARVE_ERROR_SYSTEM, "'%s' did not end within %u seconds",
			  process->argv[0], process->timeout);
}

gboolean varve_process_status(const VarveProcess *process, char **ret_output, char **ret_errors,
			      int *ret_status, GError **error)
{
	g_autoptr(GString) output = g_string_new(NULL), errors = g_string_new(NULL);
	gboolean feed = !process->inherit_stdio && process->input && process->input_fd <= 0;
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	varve_autofd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	Child child = { .in = -1, .out = -1, .err = -1 };
	Capture capture_out, capture_err;
	pid_t pid = -1;
	gint64 deadline = 0;
	gboolean started, late;

	if (null < 0)
		return varve_fail_errno(error, errno, "/dev/null");
	if (process->timeout > 0 && !process->inherit_stdio)
		deadline = g_get_monotonic_time() + (gint64)process->timeout * G_USEC_PER_SEC;
	if ((feed && !make_pipe(in, error)) ||
	    (!process->inherit_stdio && (!make_pipe(out, error) || !make_pipe(err, error))))
		return FALSE;
	if (!process->inherit_stdio) {
		child.in = process->input_fd > 0 ? process->input_fd : feed ? in[0] : null;
		child.out = process->output_fd > 0 ? process->output_fd : out[1];
		child.err = err[1];
	}
	started = start(process, &child, &pid, error);
	varve_autofd_close(&in[0]);
	varve_autofd_close(&out[1]);
	varve_autofd_close(&err[1]);
	capture_out = (Capture){ .fd = out[0], .text = output, .limit = OUTPUT_LIMIT };
	capture_err = (Capture){ .fd = err[0], .text = errors, .limit = ERRORS_LIMIT };
	if (!started) {
		varve_autofd_close(&in[1]);
		varve_autofd_close(&out[0]);
		varve_autofd_close(&err[0]);
		return FALSE;
	}
	if (in[1] >= 0)
		g_unix_set_fd_nonblocking(in[1], TRUE, NULL);
	late = !talk(in[1], process->input, process->input_size, &capture_out, &capture_err,
		     deadline);
	if (!wait_until(pid, process, deadline, late, ret_status, error))
		return FALSE;
	if (ret_output)
		*ret_output = g_string_free(g_steal_pointer(&output), FALSE);
	if (ret_errors)
		*ret_errors = g_string_free(g_steal_pointer(&errors), FALSE);
	return TRUE;
}

/* The last few lines of what a program complained. */
static const char *last_lines(const char *text, guint lines)
{
	const char *p = text + strlen(text);

	while (p > text && p[-1] == '\n')
		p--;
	for (; p > text; p--)
		if (p[-1] == '\n' && --lines == 0)
			break;
	return p;
}

/* What a status other than 0 means, with what the program said. */
static gboolean fail_status(const VarveProcess *process, int status, const char *said,
			    GError **error)
{
	g_autofree char *command = g_strjoinv(" ", (char **)process->argv);

	return varve_fail(error, VARVE_ERROR_SYSTEM, "'%.400s' ended with status %d%s%s", command,
			  status, *said ? ":\n" : "", last_lines(said, 12));
}

gboolean varve_process_run(const VarveProcess *process, char **ret_output, GError **error)
{
	g_autofree char *errors = NULL, *output = NULL;
	int status;

	if (!varve_process_status(process, &output, &errors, &status, error))
		return FALSE;
	if (status != 0) {
		g_strchomp(errors);
		return fail_status(process, status, *errors ? errors : output, error);
	}
	if (ret_output)
		*ret_output = g_steal_pointer(&output);
	return TRUE;
}

/* A program's output on its way to the lines of it. */
typedef struct {
	GString *pending; /* the beginning of a line */
	gsize limit;
	gboolean skipping; /* the rest of a line that is too long */
	guint64 left_out;
	VarveProcessLine visit;
	gpointer data;
} Lines;

static gboolean take_piece(Lines *lines, const char *piece, gsize size, gboolean ends,
			   GError **error)
{
	gboolean ok = TRUE;

	if (!lines->skipping && lines->pending->len + size > lines->limit) {
		lines->skipping = TRUE;
		lines->left_out++;
		g_string_truncate(lines->pending, 0);
	}
	if (!lines->skipping)
		g_string_append_len(lines->pending, piece, (gssize)size);
	if (!ends)
		return TRUE;
	if (!lines->skipping)
		ok = lines->visit(lines->pending->str, lines->pending->len, lines->data, error);
	lines->skipping = FALSE;
	g_string_truncate(lines->pending, 0);
	return ok;
}

/* Reads what is there; *@fd becomes -1 at the end. */
static gboolean read_lines(Lines *lines, int *fd, GError **error)
{
	char buffer[16384];
	ssize_t n = read(*fd, buffer, sizeof(buffer));
	const char *at = buffer;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return TRUE;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
		return lines->pending->len == 0 || take_piece(lines, "", 0, TRUE, error);
	}
	while (at < buffer + n) {
		const char *end = memchr(at, '\n', (gsize)(buffer + n - at));
		gsize size = (gsize)((end ? end : buffer + n) - at);

		if (!take_piece(lines, at, size, end != NULL, error))
			return FALSE;
		at += size + (end != NULL);
	}
	return TRUE;
}

/* Until the program has closed both, or a line was one too many. */
static gboolean listen_to(Lines *lines, int *out, Capture *err, GError **error)
{
	while (*out >= 0 || err->fd >= 0) {
		struct pollfd fds[2] = { { .fd = *out, .events = POLLIN },
					 { .fd = err->fd, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			drain(err);
		if (fds[0].revents && !read_lines(lines, out, error))
			return FALSE;
	}
	return TRUE;
}

gboolean varve_process_lines(const VarveProcess *process, gsize limit, VarveProcessLine visit,
			     gpointer data, guint64 *ret_left_out, GError **error)
{
	g_autoptr(GString) errors = g_string_new(NULL), pending = g_string_new(NULL);
	Lines lines = { .pending = pending, .limit = limit, .visit = visit, .data = data };
	varve_autofd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	varve_autofd read_end = -1;
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	Capture capture;
	gboolean started, heard;
	pid_t pid = -1;
	int status;

	if (null < 0)
		return varve_fail_errno(error, errno, "/dev/null");
	if (!make_pipe(out, error))
		return FALSE;
	read_end = out[0];
	if (make_pipe(err, error)) {
		Child child = { .in = null, .out = out[1], .err = err[1], .tied = TRUE };

		started = start(process, &child, &pid, error);
	} else {
		started = FALSE;
	}
	varve_autofd_close(&out[1]);
	varve_autofd_close(&err[1]);
	if (!started) {
		varve_autofd_close(&err[0]);
		return FALSE;
	}
	capture = (Capture){ .fd = err[0], .text = errors, .limit = ERRORS_LIMIT };
	heard = listen_to(&lines, &read_end, &capture, error);
	varve_autofd_close(&capture.fd);
	if (!heard)
		kill(pid, SIGTERM);
	if (!wait_for(pid, process->argv[0], &status, heard ? error : NULL) || !heard)
		return FALSE;
	if (status != 0)
		return fail_status(process, status, g_strchomp(errors->str), error);
	if (ret_left_out)
		*ret_left_out = lines.left_out;
	return TRUE;
}

gboolean varve_run(GError **error, const char *program, ...)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	VarveProcess process = { 0 };
	va_list args;

	va_start(args, program);
	for (const char *word = program; word; word = va_arg(args, const char *))
		g_ptr_array_add(argv, (gpointer)word);
	va_end(args);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	return varve_process_run(&process, NULL, error);
}
