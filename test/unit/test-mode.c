/* stack/mode.c and ground/secure-boot.c: who checks layers, by what a directory in the place of
 * /sys says. */
#include "base/error.h"
#include "base/file.h"
#include "ground/secure-boot.h"
#include "stack/mode.h"

#include <string.h>

#define GLOBAL "-8be4df61-93ca-11d2-aa0d-00e098032b8c"

typedef struct {
	char *sys;
} Fixture;

static void setup(Fixture *f, gconstpointer data)
{
	(void)data;
	f->sys = g_dir_make_tmp("varve-mode-XXXXXX", NULL);
}

static void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	g_assert_true(varve_dir_remove(AT_FDCWD, f->sys, NULL));
	g_free(f->sys);
}

static void put(const Fixture *f, const char *path, const void *data, gssize size)
{
	g_autofree char *whole = g_build_filename(f->sys, path, NULL);
	g_autofree char *parent = g_path_get_dirname(whole);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(whole, data, size, NULL));
}

static void put_variable(const Fixture *f, const char *name, char value)
{
	g_autofree char *path = g_strconcat("firmware/efi/efivars/", name, GLOBAL, NULL);
	const char bytes[5] = { 6, 0, 0, 0, value };

	put(f, path, bytes, sizeof(bytes));
}

static void put_required(const Fixture *f, const char *value)
{
	put(f, "module/dm_verity/parameters/require_signatures", value, -1);
}

static void check(const Fixture *f, gboolean kernel, const char *why)
{
	VarveMode mode = { .kernel = !kernel };
	g_autoptr(GError) error = NULL;

	varve_mode_find(f->sys, &mode, &error);
	g_assert_no_error(error);
	g_assert_cmpint(mode.kernel, ==, kernel);
	g_assert_cmpstr(mode.why, ==, why);
}

static void check_fails(const Fixture *f, VarveError code, const char *text)
{
	VarveMode mode = { .why = "untouched" };
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_mode_find(f->sys, &mode, &error));
	g_assert_error(error, VARVE_ERROR, (gint)code);
	if (!strstr(error->message, text))
		g_error("'%s' is not in: %s", text, error->message);
	g_assert_cmpstr(mode.why, ==, "untouched");
}

static void test_modes(Fixture *f, gconstpointer data)
{
	(void)data;
	put_required(f, "N\n");
	check(f, FALSE, "not started by UEFI firmware");
	put_variable(f, "BootCurrent", 1);
	check(f, FALSE, "Secure Boot is off");
	put_variable(f, "SecureBoot", 0);
	check(f, FALSE, "Secure Boot is off");
	/* Keys can be enrolled by anybody: the kernel does not call that on. */
	put_variable(f, "SecureBoot", 1);
	put_variable(f, "SetupMode", 1);
	check(f, FALSE, "Secure Boot is off");
	put_variable(f, "SetupMode", 0);
	put_required(f, "Y\n");
	check(f, TRUE, "Secure Boot, platform keyring");
}

static void test_contradictions(Fixture *f, gconstpointer data)
{
	(void)data;
	put_required(f, "Y\n");
	check_fails(f, VARVE_ERROR_UNTRUSTED, "Secure Boot is off");
	put_variable(f, "SecureBoot", 1);
	put_required(f, "N\n");
	check_fails(f, VARVE_ERROR_UNTRUSTED, "require_signatures is N");
}

static void test_cannot_be_told(Fixture *f, gconstpointer data)
{
	static const char path[] = "firmware/efi/efivars/SecureBoot" GLOBAL;
	g_autofree char *directory = g_build_filename(f->sys, "firmware/efi/efivars", NULL);

	(void)data;
	check_fails(f, VARVE_ERROR_UNSUPPORTED, "dm-verity");
	put_required(f, "N\n");
	/* UEFI, and efivarfs is not mounted. */
	g_assert_true(varve_dir_make(directory, 0755, NULL));
	check_fails(f, VARVE_ERROR_SYSTEM, "whether Secure Boot is on");
	put(f, path, "\6\0\0\0", 4);
	check_fails(f, VARVE_ERROR_SYSTEM, "whether Secure Boot is on");
	put(f, path, "\6\0\0\0\1\1", 6);
	check_fails(f, VARVE_ERROR_SYSTEM, "whether Secure Boot is on");
	put_variable(f, "SecureBoot", 2);
	check_fails(f, VARVE_ERROR_SYSTEM, "whether Secure Boot is on");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/mode/modes", Fixture, NULL, setup, test_modes, teardown);
	g_test_add("/mode/should-fail-contradictions", Fixture, NULL, setup, test_contradictions,
		   teardown);
	g_test_add("/mode/should-fail-cannot-be-told", Fixture, NULL, setup, test_cannot_be_told,
		   teardown);
	return g_test_run();
}
