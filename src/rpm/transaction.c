/* The outer half of a transaction: forks the confined child and hears what it reports. */
#include "rpm/transaction.h"

#include "base/error.h"
#include "ground/fd.h"
#include "rpm/confine.h"
#include "rpm/context.h"
#include "rpm/transaction-internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define REPORT_LIMIT (1u << 20)

void varve_transaction_report(int report, VarveReport kind, const void *a, size_t a_size,
			      const void *b, size_t b_size)
{
	VarveReportHead head = { .kind = kind, .size = (guint32)(a_size + b_size) };

	if (varve_fd_write_full(report, &head, sizeof(head)) < 0 ||
	    varve_fd_write_full(report, a, a_size) < 0)
		return;
	if (b_size)
		varve_fd_write_full(report, b, b_size);
}

static int run_child(const VarveTransaction *transaction, int report)
{
	g_autoptr(GError) error = NULL;
	guint32 code = VARVE_ERROR_SYSTEM;

	if (varve_transaction_child(transaction, report, &error)) {
		varve_transaction_report(report, VARVE_REPORT_DONE, NULL, 0, NULL, 0);
		return 0;
	}
	if (error->domain == VARVE_ERROR)
		code = (guint32)error->code;
	varve_transaction_report(report, VARVE_REPORT_ERROR, &code, sizeof(code), error->message,
				 MIN(strlen(error->message), REPORT_LIMIT / 2));
	return 1;
}

static gboolean read_exactly(int fd, void *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)buffer + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return FALSE;
		done += (size_t)n;
	}
	return TRUE;
}

/* Takes one record in. Returns: FALSE for one that is malformed. */
static gboolean take_record(const VarveTransaction *transaction, guint32 kind, const char *data,
			    size_t size, GPtrArray *made, gboolean *done, GError **failure)
{
	guint64 bytes;
	guint32 code;

	switch (kind) {
	case VARVE_REPORT_PROGRESS:
		if (size < sizeof(bytes))
			return FALSE;
		memcpy(&bytes, data, sizeof(bytes));
		if (transaction->progress)
			transaction->progress(bytes, data + sizeof(bytes),
					      transaction->progress_data);
		return TRUE;
	case VARVE_REPORT_REMOVE:
		g_ptr_array_add(made, g_strdup(data));
		return TRUE;
	case VARVE_REPORT_ERROR:
		if (size < sizeof(code) || *failure)
			return FALSE;
		memcpy(&code, data, sizeof(code));
		varve_fail(failure, (VarveError)code, "%s", data + sizeof(code));
		return TRUE;
	case VARVE_REPORT_DONE:
		*done = TRUE;
		return TRUE;
	default:
		return FALSE;
	}
}

static void listen_to(const VarveTransaction *transaction, int fd, GPtrArray *made,
		      gboolean *ret_done, GError **ret_failure)
{
	VarveReportHead head;

	while (read_exactly(fd, &head, sizeof(head))) {
		g_autofree char *data = NULL;

		if (head.size > REPORT_LIMIT)
			return;
		data = g_malloc0((gsize)head.size + 1);
		if (!read_exactly(fd, data, head.size) ||
		    !take_record(transaction, head.kind, data, head.size, made, ret_done,
				 ret_failure))
			return;
	}
}

static gboolean explain_status(int status, GError **error)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	if (code == 255)
		return varve_fail(
			error, VARVE_ERROR_SYSTEM,
			"installing packages needs namespaces of its own, which this process may "
			"not make: run as root, in a container with CAP_SYS_ADMIN");
	return varve_fail(
		error, VARVE_ERROR_SYSTEM,
		"the process that installs packages ended with status %d before it was done%s",
		code, code == 128 + 9 ? " (killed)" : "");
}

gboolean varve_transaction_run(const VarveTransaction *transaction, GError **error)
{
	g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) failure = NULL;
	gboolean done = FALSE;
	int ends[2], status;
	pid_t pid;

	varve_rpm_init();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return varve_fail_errno(error, errno, "making a pipe");
	pid = varve_confine_fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(run_child(transaction, ends[1]));
	}
	close(ends[1]);
	if (pid < 0) {
		status = errno;
		close(ends[0]);
		return varve_fail_errno(error, status, "starting a process");
	}
	listen_to(transaction, ends[0], made, &done, &failure);
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return varve_fail_errno(error, errno, "waiting for the installing process");
	if (failure) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (!done || status != 0)
		return explain_status(status, error);
	for (guint i = 0; i < made->len; i++) {
		g_autofree char *path =
			g_build_filename(transaction->root, g_ptr_array_index(made, i), NULL);

		if (rmdir(path) < 0 && errno != ENOENT)
			return varve_fail_errno(error, errno, "%s", path);
	}
	return TRUE;
}
