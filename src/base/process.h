/* Running other programs: arguments as a vector, output captured, errors with what they said,
 * and where asked contained in namespaces of their own with another root. */
#pragma once

#include <glib.h>

typedef struct {
	const char *source; /* on the host */
	const char *target; /* inside, absolute; made if missing (source directory or file) */
	gboolean writable;
} VarveBind;

/** varve_proxy_variables: (static, ended by NULL) the environment's proxies, by the names that curl
 *  and git know. */
extern const char *const varve_proxy_variables[];

/** varve_environment_keep: adds "NAME=VALUE" (owned) to @list for each of @names that the caller's
 *  environment has. */
void varve_environment_keep(GPtrArray *list, const char *const *names);

/**
 * VarveProcess: how to run. Zero-initialise, fill what is needed; nothing is owned.
 */
typedef struct {
	const char *const *argv;
	const char *const *env; /* "NAME=VALUE" added to a minimal PATH, HOME, LC_ALL=C.UTF-8; */
	gboolean inherit_env;   /* ... or to the whole environment of the caller */
	const char *directory;  /* working directory (inside @root), or NULL */
	const char *input;      /* for standard input; NULL is /dev/null */
	size_t input_size;
	int input_fd;           /* used instead of @input where above 0 */
	int output_fd;          /* standard output goes here where above 0, and is not captured */
	gboolean inherit_stdio; /* a terminal program: all three streams are ours */
	guint timeout; /* seconds; then it is killed with all that it started. 0: none. Not with
			* @inherit_stdio */
	gboolean tied; /* it is ended (SIGTERM) where the calling thread ends: with @timeout it is
			* in a group of its own, which the terminal's Ctrl-C does not reach */
	/* Containment: where @root is set the program runs chrooted in new mount, pid, ipc, uts and
	 * (unless @network) network namespaces, with /proc, a minimal /dev, a tmpfs on /tmp and
	 * /run, and @binds. Needs root. */
	const char *root;
	const VarveBind *binds;
	size_t n_binds;
	gboolean read_only_root;
	gboolean network;
	/* Where @lowers is set, @root is an empty directory on which an overlay is mounted for this
	 * program alone: @lowers (NULL-terminated, the topmost first, only read) below @upper, to
	 * which goes what it writes; @upper_work is an empty directory on the same filesystem. */
	const char *const *lowers;
	const char *upper, *upper_work;
	guint user; /* where not 0: it runs as this uid and gid, and neither it nor what it starts
		     * has a capability or a way to one. With @root only */
} VarveProcess;

/**
 * varve_process_run:
 * Runs and waits. A status other than 0 is an error that carries the command and the last lines
 * of what it wrote to standard error. The program gets the three standard streams and no other
 * descriptor, also where one of ours is not close-on-exec.
 *
 * @ret_output: (nullable, caller frees with g_free) standard output, NUL-terminated.
 *
 * Errors: NOT_FOUND (no such program: the message says which package brings it where known),
 * SYSTEM (could not start, non-zero status, signal, out of time).
 */
gboolean varve_process_run(const VarveProcess *process, char **ret_output, GError **error);

/**
 * varve_process_status: the same, but a non-zero exit status is a result, not an error.
 *
 * @ret_errors: (nullable, caller frees) standard error.
 */
gboolean varve_process_status(const VarveProcess *process, char **ret_output, char **ret_errors,
			      int *ret_status, GError **error);

/** varve_run: varve_process_run() on the host with just an argument vector, ended by NULL. */
gboolean varve_run(GError **error, const char *program, ...) G_GNUC_NULL_TERMINATED;

/** VarveProcessLine: gets one line of standard output without its end; NUL-terminated, @size bytes
 *  long. FALSE with @error stops. */
typedef gboolean (*VarveProcessLine)(const char *line, gsize size, gpointer data, GError **error);

/**
 * varve_process_lines:
 * Runs a program whose output may be endless: each line is handed on as it comes and none is kept.
 * Where @visit stops, the program is ended; it also ends with the calling thread.
 *
 * @limit: lines with more bytes are left out.
 * @ret_left_out: (nullable) how many were.
 *
 * Errors: as varve_process_run(); @visit's.
 */
gboolean varve_process_lines(const VarveProcess *process, gsize limit, VarveProcessLine visit,
			     gpointer data, guint64 *ret_left_out, GError **error);
