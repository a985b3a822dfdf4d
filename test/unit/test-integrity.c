/* stack/integrity.c: what is written where, and what is told, with directories in the place of
 * /sys and of the initrd. test/vm/kernel-mode asks the real kernel. */
#include "base/file.h"
#include "stack/integrity.h"

#include <string.h>

#define IPE "sys/kernel/security/ipe"
#define ACTIVE IPE "/policies/varve/active"

typedef struct {
	char *dir, *sys;
	int initrd;
	VarveReport *report;
} Fixture;

static void put(const Fixture *f, const char *path, const char *text)
{
	g_autofree char *whole = g_build_filename(f->dir, path, NULL);
	g_autofree char *parent = g_path_get_dirname(whole);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(whole, text, -1, NULL));
}

static void check_file(const Fixture *f, const char *path, const char *expected)
{
	g_autofree char *whole = g_build_filename(f->dir, path, NULL);
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(whole, &text, NULL, NULL));
	g_assert_cmpstr(text, ==, expected);
}

/* A kernel with IPE that has no policy yet, and an initrd that has one. */
static void setup(Fixture *f, gconstpointer data)
{
	g_autofree char *initrd = NULL;

	f->dir = g_dir_make_tmp("varve-integrity-XXXXXX", NULL);
	f->sys = g_build_filename(f->dir, "sys", NULL);
	put(f, IPE "/new_policy", "");
	put(f, IPE "/enforce", "1");
	put(f, ACTIVE, "0");
	if (data) {
		put(f, "initrd/" VARVE_INTEGRITY_ASKED, data);
		put(f, "initrd/" VARVE_INTEGRITY_POLICY, "signed policy");
	} else {
		put(f, "initrd/init", "");
	}
	initrd = g_build_filename(f->dir, "initrd", NULL);
	f->initrd = varve_dir_open(AT_FDCWD, initrd, NULL);
	f->report = varve_report_new();
	g_free(f->report->verification_detail);
	f->report->verification_detail = g_strdup("Secure Boot is off");
}

static void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	close(f->initrd);
	varve_report_free(f->report);
	g_assert_true(varve_dir_remove(AT_FDCWD, f->dir, NULL));
	g_free(f->sys);
	g_free(f->dir);
}

static void check_report(const Fixture *f, const char *asked, const char *in_force, const char *why)
{
	g_assert_cmpstr(f->report->integrity_asked, ==, asked);
	g_assert_cmpstr(f->report->integrity, ==, in_force);
	g_assert_cmpuint(f->report->warnings->len, ==, 0);
	g_assert_cmpuint(f->report->complaints->len, ==, why ? 1 : 0);
	if (why) {
		const VarveComplaint *complaint = f->report->complaints->pdata[0];

		g_assert_cmpstr(complaint->code, ==, "code-integrity");
		g_assert_true(
			g_str_has_prefix(complaint->sentence, "CODE INTEGRITY IS NOT IN FORCE: "));
		if (!strstr(complaint->sentence, why))
			g_error("'%s' is not in: %s", why, complaint->sentence);
	}
}

static void test_not_asked(Fixture *f, gconstpointer data)
{
	(void)data;
	varve_integrity_start(f->initrd, f->sys, TRUE, f->report);
	check_report(f, "off", "off", NULL);
	check_file(f, IPE "/new_policy", "");
}

static void test_enforce(Fixture *f, gconstpointer data)
{
	(void)data;
	put(f, IPE "/enforce", "0");
	varve_integrity_start(f->initrd, f->sys, TRUE, f->report);
	check_report(f, "enforce", "enforce", NULL);
	g_assert_cmpstr(f->report->integrity_detail, ==, "");
	check_file(f, IPE "/new_policy", "signed policy");
	check_file(f, IPE "/enforce", "1");
	check_file(f, ACTIVE, "1");
}

static void test_audit(Fixture *f, gconstpointer data)
{
	(void)data;
	varve_integrity_start(f->initrd, f->sys, TRUE, f->report);
	check_report(f, "audit", "audit", NULL);
	check_file(f, IPE "/enforce", "0");
	check_file(f, ACTIVE, "1");
}

static void test_userspace_mode(Fixture *f, gconstpointer data)
{
	(void)data;
	varve_integrity_start(f->initrd, f->sys, FALSE, f->report);
	check_report(f, "enforce", "off", NULL);
	g_assert_true(g_str_has_prefix(f->report->integrity_detail, "Secure Boot is off"));
	check_file(f, IPE "/new_policy", "");
	check_file(f, ACTIVE, "0");
}

/* A kernel that takes everything and says nothing of it is not believed. */
static void test_not_active(Fixture *f, gconstpointer data)
{
	g_autofree char *active = g_build_filename(f->dir, ACTIVE, NULL);

	(void)data;
	g_assert_cmpint(unlink(active), ==, 0);
	g_assert_cmpint(symlink("/dev/null", active), ==, 0);
	varve_integrity_start(f->initrd, f->sys, TRUE, f->report);
	check_report(f, "enforce", "off", "/policies/varve/active");
}

static void test_no_policy(Fixture *f, gconstpointer data)
{
	(void)data;
	g_assert_cmpint(unlinkat(f->initrd, VARVE_INTEGRITY_POLICY, 0), ==, 0);
	varve_integrity_start(f->initrd, f->sys, TRUE, f->report);
	check_report(f, "enforce", "off", VARVE_INTEGRITY_POLICY);
}

static void test_unknown_word(Fixture *f, gconstpointer data)
{
	(void)data;
	varve_integrity_start(f->initrd, f->sys, TRUE, f->report);
	check_report(f, "sometimes", "off", "'sometimes'");
	check_file(f, ACTIVE, "0");
}

/* What root does to it later is told by who asks. */
static void test_switched_off(Fixture *f, gconstpointer data)
{
	(void)data;
	varve_integrity_start(f->initrd, f->sys, TRUE, f->report);
	varve_integrity_check(f->sys, f->report);
	check_report(f, "enforce", "enforce", NULL);
	put(f, IPE "/enforce", "0");
	varve_integrity_check(f->sys, f->report);
	check_report(f, "enforce", "audit", "changed it to 'audit'");
	varve_integrity_check("/nowhere", f->report);
	g_assert_cmpuint(f->report->complaints->len, ==, 1);
}

/* More than the edition asks for is no reason to complain. */
static void test_switched_on(Fixture *f, gconstpointer data)
{
	(void)data;
	varve_integrity_start(f->initrd, f->sys, TRUE, f->report);
	put(f, IPE "/enforce", "1");
	varve_integrity_check(f->sys, f->report);
	check_report(f, "audit", "audit", NULL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path, *asked;
		void (*run)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/integrity/not-asked", NULL, test_not_asked },
		{ "/integrity/enforce", "enforce", test_enforce },
		{ "/integrity/audit", "audit\n", test_audit },
		{ "/integrity/userspace-mode", "enforce", test_userspace_mode },
		{ "/integrity/should-fail-not-active", "enforce", test_not_active },
		{ "/integrity/should-fail-no-policy", "enforce", test_no_policy },
		{ "/integrity/should-fail-unknown-word", "sometimes", test_unknown_word },
		{ "/integrity/switched-off", "enforce", test_switched_off },
		{ "/integrity/switched-on", "audit", test_switched_on },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, tests[i].asked, setup, tests[i].run, teardown);
	return g_test_run();
}
