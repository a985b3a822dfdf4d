/* stack/compliance.c: a base that is too old or past its end, layers that are missing, what `good`
 * is to record; and that a report keeps it. Also the union of all who set a floor. */
#include "stack/compliance.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "stack/effective.h"

#include <string.h>

#define TODAY 20000 /* 2024-10-04 */

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static VarveReport *report_of(guint64 index, const char *support_end)
{
	VarveReport *report = varve_report_new();

	set(&report->base->name, "base");
	set(&report->base->version, "1.5");
	set(&report->base->support_end, support_end);
	report->base->rollback_index = index;
	return report;
}

static VarveReportLayer *add_layer(VarveReport *report, const char *name, guint64 index,
				   gboolean accepted)
{
	VarveReportLayer *layer = varve_report_layer_new();

	set(&layer->name, name);
	layer->rollback_index = index;
	layer->accepted = accepted;
	g_ptr_array_add(report->layers, layer);
	return layer;
}

static VarvePolicy *policy_of(const char *text)
{
	VarvePolicy *policy = varve_policy_parse(text, strlen(text), "policy.toml", NULL);

	g_assert_nonnull(policy);
	return policy;
}

static void test_base_floor(void)
{
	g_autoptr(VarvePolicy) policy = policy_of("[rollback-floors]\nbase = 2\n");
	g_autoptr(VarveReport) good = report_of(2, ""), old = report_of(1, "");
	g_autoptr(VarveRefusal) none = varve_compliance_base(policy, good, TODAY);
	g_autoptr(VarveRefusal) refusal = varve_compliance_base(policy, old, TODAY);

	g_assert_null(none);
	g_assert_cmpuint(good->complaints->len, ==, 0);
	g_assert_cmpstr(refusal->code, ==, "base-rollback");
	g_assert_cmpstr(
		refusal->sentence, ==,
		"the base's rollback index is 1, the lowest acceptable is 2, says the base");
	g_assert_true(varve_report_has_complaint(old, "base-rollback"));
}

/* support-end decides whether extensions are refused; it is told in any case. */
static void test_support_end(void)
{
	g_autoptr(VarvePolicy) refuse = policy_of(""),
			       warn = policy_of("[defaults]\nsupport-end = \"warn\"\n");
	g_autoptr(VarveReport) first = report_of(1, "2024-10-03"),
			       second = report_of(1, "2024-10-03"),
			       last_day = report_of(1, "2024-10-04"),
			       no_clock = report_of(1, "2024-10-03");
	g_autoptr(VarveRefusal) refused = varve_compliance_base(refuse, first, TODAY);

	g_assert_cmpstr(refused->code, ==, "base-support-ended");
	g_assert_cmpstr(((VarveComplaint *)first->complaints->pdata[0])->sentence, ==,
			"SUPPORT ENDED: the support of base 'base' 1.5 ended on 2024-10-03");
	g_assert_null(varve_compliance_base(warn, second, TODAY));
	g_assert_true(varve_report_has_complaint(second, "base-support-ended"));
	/* Asked again, by status, it is told once. */
	g_assert_null(varve_compliance_base(NULL, second, TODAY));
	g_assert_cmpuint(second->complaints->len, ==, 1);
	g_assert_null(varve_compliance_base(refuse, last_day, TODAY));
	g_assert_cmpuint(last_day->complaints->len, ==, 0);
	g_assert_null(varve_compliance_base(refuse, no_clock, 0));
	g_assert_cmpuint(no_clock->complaints->len, ==, 0);
}

static void add_ended(VarveReport *report, const char *name, const char *support_end,
		      gboolean accepted)
{
	VarveReportLayer *layer = add_layer(report, name, 1, accepted);

	set(&layer->version, "2.0");
	set(&layer->support_end, support_end);
}

/* Of what is merged: where that is refused, or the day is not known, there is nothing to tell. */
static void test_layers_support_end(void)
{
	g_autoptr(VarveReport) report = report_of(1, "");
	const VarveComplaint *complaint;

	add_ended(report, "old", "2024-10-03", TRUE);
	add_ended(report, "last-day", "2024-10-04", TRUE);
	add_ended(report, "for-ever", "", TRUE);
	add_ended(report, "refused", "2024-10-03", FALSE);
	varve_compliance_layers(report, 0);
	g_assert_cmpuint(report->complaints->len, ==, 0);
	varve_compliance_layers(report, TODAY);
	/* Asked again, by status, it is told once. */
	varve_compliance_layers(report, TODAY);
	g_assert_cmpuint(report->complaints->len, ==, 1);
	complaint = report->complaints->pdata[0];
	g_assert_cmpstr(complaint->code, ==, "support-ended");
	g_assert_cmpstr(complaint->sentence, ==,
			"SUPPORT ENDED: the support of layer 'old' 2.0 ended on 2024-10-03");
	g_assert_cmpstr(complaint->next, ==, "put a newer version in its place");
	varve_compliance_layers(report, TODAY + 1);
	g_assert_cmpuint(report->complaints->len, ==, 2);
}

/* The older base is the worse of the two. */
static void test_both(void)
{
	g_autoptr(VarvePolicy) policy = policy_of("[rollback-floors]\nbase = 2\n");
	g_autoptr(VarveReport) report = report_of(1, "2024-10-03");
	g_autoptr(VarveRefusal) refusal = varve_compliance_base(policy, report, TODAY);

	g_assert_cmpstr(refusal->code, ==, "base-rollback");
	g_assert_cmpuint(report->complaints->len, ==, 2);
}

static void test_required(void)
{
	g_autoptr(VarvePolicy) policy =
		policy_of("[defaults]\nrequired-layers = [\"ssh\", \"audit\", \"web\"]\n");
	g_autoptr(VarveReport) report = report_of(1, "");
	const VarveComplaint *complaint;

	add_layer(report, "ssh", 1, TRUE);
	add_layer(report, "audit", 1, FALSE);
	varve_compliance_required(policy, report);
	g_assert_cmpuint(report->complaints->len, ==, 2);
	complaint = report->complaints->pdata[0];
	g_assert_cmpstr(complaint->code, ==, "required-layer");
	g_assert_cmpstr(complaint->sentence, ==,
			"the layer 'audit' is required, says the base, and it is not merged");
}

static void test_to_record(void)
{
	g_autoptr(VarveReport) report = report_of(4, "");
	const guint64 *floor;

	add_layer(report, "ssh", 6, TRUE);
	add_layer(report, "audit", 9, FALSE);
	varve_compliance_to_record(report);
	g_assert_cmpuint(g_hash_table_size(report->to_record->floors), ==, 2);
	floor = g_hash_table_lookup(report->to_record->floors, "base");
	g_assert_cmpuint(*floor, ==, 4);
	floor = g_hash_table_lookup(report->to_record->floors, "ssh");
	g_assert_cmpuint(*floor, ==, 6);
}

/* A base that cannot be judged by says nothing that could be recorded. */
static void test_unjudged(void)
{
	g_autoptr(VarveReport) report = varve_report_new();
	const VarveComplaint *complaint;

	varve_compliance_unjudged("policy-invalid", "policy.toml:3:1: unknown key", report);
	varve_compliance_to_record(report);
	g_assert_cmpuint(report->complaints->len, ==, 1);
	complaint = report->complaints->pdata[0];
	g_assert_cmpstr(complaint->code, ==, "policy-invalid");
	g_assert_cmpstr(complaint->sentence, ==,
			"no extension is merged, and nothing says which are required: "
			"policy.toml:3:1: unknown key");
	g_assert_cmpuint(g_hash_table_size(report->to_record->floors), ==, 0);
}

static void test_report_keeps_it(void)
{
	g_autoptr(VarveReport) report = report_of(4, "2024-10-03");
	g_autoptr(VarveReport) back = NULL;
	g_autoptr(json_t) json = NULL;
	g_autoptr(GError) error = NULL;

	set(&report->protection, "words");
	set(&report->protection_code, "anchored");
	add_layer(report, "ssh", 6, TRUE);
	varve_compliance_to_record(report);
	json = varve_report_to_json(report);
	g_assert_true(json_is_true(json_object_get(json, "compliant")));
	json_decref(json);
	varve_compliance_base(NULL, report, TODAY);
	json = varve_report_to_json(report);
	g_assert_true(json_is_false(json_object_get(json, "compliant")));
	back = varve_report_from_json(json, &error);
	g_assert_no_error(error);
	g_assert_true(varve_report_has_complaint(back, "base-support-ended"));
	g_assert_cmpstr(back->protection, ==, "words");
	g_assert_cmpstr(back->protection_code, ==, "anchored");
	g_assert_cmpuint(back->base->rollback_index, ==, 4);
	g_assert_cmpuint(g_hash_table_size(back->to_record->floors), ==, 2);
	varve_report_withdraw(back, "base-");
	g_assert_cmpuint(back->complaints->len, ==, 0);
}

static VarveAnchorState no_anchor(VarveAnchor *anchor, VarveAnchored *ret, GError **error)
{
	(void)anchor;
	(void)ret;
	varve_fail(error, VARVE_ERROR_NOT_FOUND, "no TPM");
	return VARVE_ANCHOR_NONE;
}

static void put(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, NULL));
}

static void assert_floor(const VarvePolicy *policy, const char *layer, guint64 index,
			 const char *origin)
{
	const VarveFloor *floor = g_hash_table_lookup(policy->floors, layer);

	g_assert_nonnull(floor);
	g_assert_cmpuint(floor->index, ==, index);
	g_assert_cmpstr(floor->origin, ==, origin);
}

/* Base, record and the node's own files: the highest floor holds and says whose it is; all
 * revocations hold. */
static void test_union(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-compliance-XXXXXX", NULL);
	g_autofree char *certificates = g_build_filename(dir, "usr/lib/verity.d", NULL);
	VarveAnchor anchor = { .read = no_anchor };
	g_autoptr(VarveReport) report = varve_report_new();
	g_autoptr(VarveRecord) record = varve_record_new();
	g_autoptr(VarvePolicy) policy = NULL;
	g_autoptr(VarveFloors) floors = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	varve_autofd fd = -1;

	if (geteuid() != 0) {
		g_test_skip("files that belong to root need root");
		varve_dir_remove(AT_FDCWD, dir, NULL);
		return;
	}
	g_assert_true(varve_dir_make(certificates, 0755, NULL));
	put(dir, "usr/lib/varve/policy.toml",
	    "[rollback-floors]\na = 5\nb = 1\nc = 1\n[revoked]\nlayers = "
	    "[\"00000000000000000000000000000000000000000000000000000000000000b1\"]\n");
	put(dir, "varve/policy.d/site.toml",
	    "[rollback-floors]\nb = 6\nd = 2\n[revoked]\nlayers = "
	    "[\"00000000000000000000000000000000000000000000000000000000000000e1\"]\n");
	record->number = 1;
	varve_record_floor(record, "a", 4);
	varve_record_floor(record, "c", 7);
	g_hash_table_add(
		record->layers,
		g_strdup("00000000000000000000000000000000000000000000000000000000000000c1"));
	text = varve_record_write(record, NULL);
	put(dir, VARVE_FLOORS_FILE, text);
	fd = varve_dir_open(AT_FDCWD, dir, NULL);
	floors = varve_floors_open(fd, &anchor);
	policy = varve_effective_policy(fd, fd, floors, report, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(report->complaints->len, ==, 0);
	assert_floor(policy, "a", 5, VARVE_ORIGIN_BASE);
	assert_floor(policy, "b", 6, "/etc/varve/policy.d/site.toml:2");
	assert_floor(policy, "c", 7, VARVE_ORIGIN_RECORD);
	assert_floor(policy, "d", 2, "/etc/varve/policy.d/site.toml:3");
	g_assert_cmpuint(g_hash_table_size(policy->revoked_layers), ==, 3);
	/* To be recorded is what base and files say: what is recorded is it already. */
	g_assert_cmpuint(g_hash_table_size(report->to_record->layers), ==, 2);
	g_assert_cmpstr(report->protection_code, ==, "record");
	varve_dir_remove(AT_FDCWD, dir, NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/compliance/base-floor", test_base_floor);
	g_test_add_func("/compliance/support-end", test_support_end);
	g_test_add_func("/compliance/layers-support-end", test_layers_support_end);
	g_test_add_func("/compliance/both", test_both);
	g_test_add_func("/compliance/required", test_required);
	g_test_add_func("/compliance/to-record", test_to_record);
	g_test_add_func("/compliance/unjudged", test_unjudged);
	g_test_add_func("/compliance/report-keeps-it", test_report_keeps_it);
	g_test_add_func("/compliance/union", test_union);
	return g_test_run();
}
