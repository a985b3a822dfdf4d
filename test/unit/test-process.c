#include "base/error.h"
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_output_and_input(void)
{
	static const char *const argv[] = { "tr", "a-z", "A-Z", NULL };
	g_autofree char *big = g_strnfill(300000, 'x');
	g_autofree char *output = NULL;
	VarveProcess process = { .argv = argv, .input = big, .input_size = 300000 };
	GError *error = NULL;

	g_assert_true(varve_process_run(&process, &output, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(strlen(output), ==, 300000);
	g_assert_cmpint(output[299999], ==, 'X');
}

static void test_a_status_carries_what_was_said(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(
		varve_run(&error, "sh", "-c", "echo useless; echo broken >&2; exit 3", NULL));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_nonnull(strstr(error->message, "status 3"));
	g_assert_nonnull(strstr(error->message, "broken"));
}

static void test_no_such_program(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_run(&error, "varve-no-such-program", NULL));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

static void test_a_signal_is_named(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_run(&error, "sh", "-c", "kill -9 $$", NULL));
	g_assert_nonnull(strstr(error->message, "signal 9"));
}

typedef struct {
	GString *text;
	guint n, stop_at;
} Heard;

static gboolean hear(const char *line, gsize size, gpointer data, GError **error)
{
	Heard *heard = data;

	g_assert_cmpuint(strlen(line), ==, size);
	g_string_append_printf(heard->text, "<%.20s>", line);
	if (++heard->n == heard->stop_at)
		return varve_fail(error, VARVE_ERROR_CONFLICT, "enough");
	return TRUE;
}

static gboolean hear_all(const char *script, Heard *heard, guint64 *ret_left_out, GError **error)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const VarveProcess process = { .argv = argv };

	return varve_process_lines(&process, 1000, hear, heard, ret_left_out, error);
}

static void test_lines(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	Heard heard = { .text = text };
	guint64 left_out = 0;

	/* A line in pieces, an empty one, one that is too long, and one without an end. */
	g_assert_true(hear_all("printf 'a'; sleep 0.1; printf 'b\\n\\nc\\n'; "
			       "head -c 100000 /dev/zero | tr '\\0' x; printf '\\nlast'",
			       &heard, &left_out, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(text->str, ==, "<ab><><c><last>");
	g_assert_cmpuint(left_out, ==, 1);
}

static void test_lines_without_end(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	Heard heard = { .text = text, .stop_at = 3 };

	g_assert_false(hear_all("while :; do echo more; done", &heard, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_cmpstr(text->str, ==, "<more><more><more>");
}

static void test_lines_of_a_failure(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	Heard heard = { .text = text };

	g_assert_false(hear_all("echo first; echo broken >&2; exit 4", &heard, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_nonnull(strstr(error->message, "status 4"));
	g_assert_nonnull(strstr(error->message, "broken"));
	g_assert_cmpstr(text->str, ==, "<first>");
}

/* All that it started ends with it, whether it holds the outputs open or not. */
static void test_out_of_time(void)
{
	static const char *const scripts[] = { "sleep 60 & echo $$; sleep 60",
					       "exec >&- 2>&-; sleep 60" };
	gint64 since = g_get_monotonic_time();

	for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
		const char *argv[] = { "sh", "-c", scripts[i], NULL };
		const VarveProcess process = { .argv = argv, .timeout = 1 };
		g_autoptr(GError) error = NULL;

		g_assert_false(varve_process_run(&process, NULL, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
		g_assert_nonnull(strstr(error->message, "within 1 seconds"));
	}
	/* The sleeps were not waited for. */
	g_assert_cmpint(g_get_monotonic_time() - since, <, 50 * G_USEC_PER_SEC);
}

/* It is in a group of its own: nobody else would end it. */
static void test_ends_with_a_killed_caller(void)
{
	const char *argv[] = { "sh", "-c", "echo; exec sleep 60", NULL };
	char byte;
	int told[2];
	struct pollfd end = { .events = POLLIN };
	pid_t caller;

	g_assert_cmpint(pipe(told), ==, 0);
	caller = fork();
	g_assert_cmpint(caller, >=, 0);
	if (caller == 0) {
		const VarveProcess process = {
			.argv = argv, .timeout = 60, .tied = TRUE, .output_fd = told[1]
		};

		close(told[0]);
		varve_process_run(&process, NULL, NULL);
		_exit(0);
	}
	close(told[1]);
	end.fd = told[0];
	g_assert_cmpint(read(told[0], &byte, 1), ==, 1);
	g_assert_cmpint(kill(caller, SIGKILL), ==, 0);
	g_assert_cmpint(waitpid(caller, NULL, 0), ==, caller);
	/* The other end of the pipe is closed with the last who has it. */
	g_assert_cmpint(poll(&end, 1, 20000), ==, 1);
	g_assert_cmpint(read(told[0], &byte, 1), ==, 0);
	close(told[0]);
}

static void test_descriptors_stay_here(void)
{
	const char *argv[] = { "sh", "-c", "echo /proc/self/fd/*", NULL };
	const VarveProcess process = { .argv = argv };
	g_autofree char *output = NULL;
	int fd = open("/dev/null", O_RDONLY);
	int high = fcntl(fd, F_DUPFD, 77);

	g_assert_cmpint(high, >=, 77);
	g_assert_true(varve_process_run(&process, &output, NULL));
	g_assert_nonnull(strstr(output, "/proc/self/fd/2"));
	g_assert_null(strstr(output, "/proc/self/fd/77"));
	close(fd);
	close(high);
}

static void test_in_time(void)
{
	const char *argv[] = { "sh", "-c", "echo out; exit 3", NULL };
	const VarveProcess process = { .argv = argv, .timeout = 60 };
	g_autofree char *output = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	g_assert_true(varve_process_status(&process, &output, NULL, &status, &error));
	g_assert_cmpint(status, ==, 3);
	g_assert_cmpstr(output, ==, "out\n");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/process/output-and-input", test_output_and_input);
	g_test_add_func("/process/a-status-carries-what-was-said",
			test_a_status_carries_what_was_said);
	g_test_add_func("/process/no-such-program", test_no_such_program);
	g_test_add_func("/process/a-signal-is-named", test_a_signal_is_named);
	g_test_add_func("/process/lines", test_lines);
	g_test_add_func("/process/lines-without-end", test_lines_without_end);
	g_test_add_func("/process/lines-of-a-failure", test_lines_of_a_failure);
	g_test_add_func("/process/out-of-time", test_out_of_time);
	g_test_add_func("/process/ends-with-a-killed-caller", test_ends_with_a_killed_caller);
	g_test_add_func("/process/in-time", test_in_time);
	g_test_add_func("/process/descriptors-stay-here", test_descriptors_stay_here);
	return g_test_run();
}
