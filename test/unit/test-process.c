#include "base/error.h"
#include "base/process.h"

#include <string.h>

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

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/process/output-and-input", test_output_and_input);
	g_test_add_func("/process/a-status-carries-what-was-said",
			test_a_status_carries_what_was_said);
	g_test_add_func("/process/no-such-program", test_no_such_program);
	g_test_add_func("/process/a-signal-is-named", test_a_signal_is_named);
	return g_test_run();
}
