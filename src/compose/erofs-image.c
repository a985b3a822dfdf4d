/* From a tree to an EROFS image: our tar through a pipe into mkfs.erofs of the tools tree. */
#include "compose/erofs-image.h"

#include "base/error.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#define INSIDE "/run/image" /* where the tool sees the directory of the image */
#define UUID_ZERO "-U00000000-0000-0000-0000-000000000000"

typedef struct {
	VarveTree *tree;
	int fd;
	gint64 epoch;
	GError *error;
} Writer;

static gpointer write_tar(gpointer pointer)
{
	Writer *writer = pointer;
	sigset_t pipe_signal;

	/* mkfs.erofs may die before it has read everything: that is an error, not our end. */
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
	varve_tree_write_tar(writer->tree, writer->fd, writer->epoch, &writer->error);
	close(writer->fd);
	return NULL;
}

static gboolean run_mkfs(const VarveTools *tools, const VarveErofsOptions *options, int input,
			 const char *path, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	g_autofree char *time = g_strdup_printf("-T%" G_GINT64_FORMAT, options->epoch);
	g_autofree char *compression =
		options->compression ? g_strconcat("-z", options->compression, NULL) : NULL;
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *inside =
		varve_tools_root(tools) ? g_build_filename(INSIDE, name, NULL) : g_strdup(path);
	const VarveBind bind = { .source = directory, .target = INSIDE, .writable = TRUE };
	VarveProcess process = {
		.input_fd = input,
		.root = varve_tools_root(tools),
		.binds = &bind,
		.n_binds = varve_tools_root(tools) ? 1 : 0,
		.read_only_root = TRUE,
	};

	g_ptr_array_add(argv, (gpointer) "mkfs.erofs");
	g_ptr_array_add(argv, (gpointer) "--quiet");
	g_ptr_array_add(argv, (gpointer) "--tar=f");
	g_ptr_array_add(argv, (gpointer) "--sort=none"); /* the tar has the order already */
	g_ptr_array_add(argv, (gpointer) "-b4096");
	g_ptr_array_add(argv, (gpointer)UUID_ZERO);
	g_ptr_array_add(argv, time);
	if (compression)
		g_ptr_array_add(argv, compression);
	g_ptr_array_add(argv, inside);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	return varve_process_run(&process, NULL, error);
}

gboolean varve_erofs_image_make(VarveTree *tree, const VarveTools *tools,
				const VarveErofsOptions *options, const char *path, GError **error)
{
	Writer writer = { .tree = tree, .epoch = options->epoch };
	g_autoptr(GError) tool_error = NULL;
	GThread *thread;
	gboolean ok;
	int ends[2];

	unlink(path);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return varve_fail_errno(error, errno, "cannot make a pipe");
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20); /* as large as an unprivileged pipe may be */
	writer.fd = ends[1];
	thread = g_thread_new("tar", write_tar, &writer);
	ok = run_mkfs(tools, options, ends[0], path, &tool_error);
	close(ends[0]);
	g_thread_join(thread);
	if (!ok || writer.error)
		unlink(path);
	/* What the tool says of a broken pipe is a consequence of our own error, and the reverse.
	 */
	if (!ok && writer.error &&
	    !g_error_matches(writer.error, VARVE_ERROR, VARVE_ERROR_SYSTEM)) {
		g_propagate_error(error, writer.error);
		return FALSE;
	}
	if (!ok) {
		g_clear_error(&writer.error);
		g_propagate_error(error, g_steal_pointer(&tool_error));
		return FALSE;
	}
	if (writer.error)
		g_propagate_error(error, writer.error);
	return !writer.error;
}
