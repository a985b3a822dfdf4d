/* Starting and ending swtpm(8). */
#include "image/software-tpm.h"

#include "base/error.h"
#include "base/file.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "swtpm"

gboolean varve_software_tpm_check(GError **error)
{
	g_autofree char *path = g_find_program_in_path(PROGRAM);

	return path ||
	       varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "'" PROGRAM "' is not installed: it is in " PROGRAM " (Debian, Fedora)");
}

/* Made here, so that nobody has to wait for it to appear. */
static int listen_at(const char *path, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	varve_autofd fd = -1;

	if (strlen(path) >= sizeof(address.sun_path)) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "%s: too long for a socket, of at most %zu characters: set TMPDIR to a "
			   "shorter path",
			   path, sizeof(address.sun_path) - 1);
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0) {
		varve_fail_errno(error, errno, "%s: no socket can be made", path);
		return -1;
	}
	return varve_fd_steal(&fd);
}

static G_GNUC_NORETURN void child(const char *state, int fd, pid_t parent)
{
	g_autofree char *control = g_strdup_printf("type=unixio,fd=%d", fd);
	const char *const argv[] = { PROGRAM,   "socket",        "--tpm2",      "--ctrl", control,
				     "--flags", "startup-clear", "--terminate", NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fcntl(fd, F_SETFD, 0);
	/* Unlike its option this may have commas in it. */
	g_setenv("TPM_PATH", state, TRUE);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent)
		execvp(argv[0], (char *const *)argv);
	_exit(127);
}

gboolean varve_software_tpm_start(const char *state, const char *socket, pid_t *ret_pid,
				  GError **error)
{
	varve_autofd fd = -1;
	pid_t parent = getpid(), pid;

	if (!varve_dir_make(state, 0700, error))
		return FALSE;
	fd = listen_at(socket, error);
	if (fd < 0)
		return FALSE;
	pid = fork();
	if (pid == 0)
		child(state, fd, parent);
	if (pid < 0)
		return varve_fail_errno(error, errno, "cannot start " PROGRAM);
	*ret_pid = pid;
	return TRUE;
}

void varve_software_tpm_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
