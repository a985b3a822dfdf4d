/* stack/report.c: what a boot says is what `varvectl status` reads back. */
#include "base/error.h"
#include "base/file.h"
#include "stack/report.h"

#include <string.h>

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static VarveReport *make(void)
{
	VarveReport *report = varve_report_new();
	VarveReportLayer *layer = varve_report_layer_new();

	set(&report->base->name, "base");
	report->base->accepted = report->base->development = TRUE;
	set(&report->verification, "kernel");
	set(&report->verification_detail, "Secure Boot, platform keyring");
	set(&report->integrity_asked, "enforce");
	set(&report->integrity, "off");
	set(&report->integrity_detail, "the kernel has no IPE");
	set(&report->state, "ok");
	set(&report->state_detail, "/dev/vda8");
	set(&report->selection, "directory");
	report->generation = 7;
	set(&layer->file, "ssh_1_x86-64.raw");
	set(&layer->code, "kernel-refused");
	set(&layer->sentence, "why");
	set(&layer->next, "what to do");
	g_ptr_array_add(report->layers, layer);
	varve_report_warn(report, "NOT COMPLIANT: %s", "x");
	varve_report_warn(report, "NOT COMPLIANT: x");
	varve_report_time(report, "total", 0);
	return report;
}

static void test_round_trip(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-report-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "boot.json", NULL);
	g_autoptr(VarveReport) report = make(), again = NULL;
	g_autoptr(json_t) first = varve_report_to_json(report), second = NULL;
	g_autoptr(GError) error = NULL;

	varve_report_save(report, path, &error);
	g_assert_no_error(error);
	again = varve_report_load(path, &error);
	g_assert_no_error(error);
	second = varve_report_to_json(again);
	g_assert_true(json_equal(first, second));
	g_assert_true(varve_report_kernel_mode(again));
	g_assert_cmpstr(again->verification_detail, ==, "Secure Boot, platform keyring");
	g_assert_cmpstr(again->integrity_asked, ==, "enforce");
	g_assert_cmpstr(again->integrity, ==, "off");
	g_assert_cmpstr(again->integrity_detail, ==, "the kernel has no IPE");
	g_assert_cmpuint(varve_report_refused(again), ==, 1);
	g_assert_cmpuint(again->warnings->len, ==, 1);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

/* A report without who verified is none: nothing is assumed. */
static void test_should_fail(void)
{
	static const char *const keys[] = { "verification", "verification-detail", "code-integrity",
					    "code-integrity-asked", "base" };

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autoptr(VarveReport) report = make();
		g_autoptr(json_t) json = varve_report_to_json(report);
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(json_object_del(json, keys[i]), ==, 0);
		g_assert_null(varve_report_from_json(json, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/report/round-trip", test_round_trip);
	g_test_add_func("/report/should-fail-incomplete", test_should_fail);
	return g_test_run();
}
