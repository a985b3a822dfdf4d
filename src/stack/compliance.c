/* Complaints, and the questions that lead to them. */
#include "stack/compliance.h"

#include "base/error.h"
#include "base/text.h"

#include <string.h>

/* A clock before this was not set: 2024-01-01 in days. */
#define EARLIEST_DAY 19723

void varve_complaint_free(VarveComplaint *complaint)
{
	if (!complaint)
		return;
	g_free(complaint->code);
	g_free(complaint->sentence);
	g_free(complaint->next);
	g_free(complaint);
}

void varve_report_complain(VarveReport *report, const char *code, const char *next,
			   const char *format, ...)
{
	VarveComplaint *complaint = g_new0(VarveComplaint, 1);
	va_list args;

	va_start(args, format);
	complaint->sentence = varve_text_printable(format, args);
	va_end(args);
	complaint->code = g_strdup(code);
	complaint->next = g_strdup(next);
	g_ptr_array_add(report->complaints, complaint);
}

void varve_report_withdraw(VarveReport *report, const char *prefix)
{
	for (guint i = report->complaints->len; i-- > 0;) {
		const VarveComplaint *complaint = report->complaints->pdata[i];

		if (g_str_has_prefix(complaint->code, prefix))
			g_ptr_array_remove_index(report->complaints, i);
	}
}

gboolean varve_report_has_complaint(const VarveReport *report, const char *code)
{
	for (guint i = 0; i < report->complaints->len; i++) {
		const VarveComplaint *complaint = report->complaints->pdata[i];

		if (strcmp(complaint->code, code) == 0)
			return TRUE;
	}
	return FALSE;
}

void varve_compliance_to_json(const VarveReport *report, json_t *object)
{
	json_t *complaints = json_array(), *protection = json_object(), *to_record = json_object();

	for (guint i = 0; i < report->complaints->len; i++) {
		const VarveComplaint *complaint = report->complaints->pdata[i];
		json_t *item = json_object();

		json_object_set_new(item, "code", varve_json_escaped(complaint->code));
		json_object_set_new(item, "sentence", varve_json_escaped(complaint->sentence));
		json_object_set_new(item, "next", varve_json_escaped(complaint->next));
		json_array_append_new(complaints, item);
	}
	json_object_set_new(protection, "code", varve_json_escaped(report->protection_code));
	json_object_set_new(protection, "text", varve_json_escaped(report->protection));
	varve_record_to_json(report->to_record, to_record);
	json_object_set_new(object, "compliant", json_boolean(report->complaints->len == 0));
	json_object_set_new(object, "complaints", complaints);
	json_object_set_new(object, "rollback-protection", protection);
	json_object_set_new(object, "to-record", to_record);
}

static gboolean complaints_from_json(VarveReport *report, const json_t *array, const char *name,
				     GError **error)
{
	const json_t *value;
	size_t i;

	if (!json_is_array(array))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: 'complaints' is no array", name);
	json_array_foreach (array, i, value) {
		const char *code, *sentence, *next;

		if (!json_is_object(value))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: a complaint is no object", name);
		if (!varve_json_get_string(value, "code", name, &code, error) ||
		    !varve_json_get_string(value, "sentence", name, &sentence, error) ||
		    !varve_json_get_string(value, "next", name, &next, error))
			return FALSE;
		varve_report_complain(report, code, next, "%s", sentence);
	}
	return TRUE;
}

gboolean varve_compliance_from_json(VarveReport *report, const json_t *json, GError **error)
{
	static const char name[] = "boot report";
	const json_t *protection = json_object_get(json, "rollback-protection");
	const json_t *to_record = json_object_get(json, "to-record");
	const char *code, *words;

	if (!json_is_object(protection) || !json_is_object(to_record))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'rollback-protection' or 'to-record' is no object", name);
	if (!complaints_from_json(report, json_object_get(json, "complaints"), name, error) ||
	    !varve_json_get_string(protection, "code", name, &code, error) ||
	    !varve_json_get_string(protection, "text", name, &words, error) ||
	    !varve_record_from_json(report->to_record, to_record, name, error))
		return FALSE;
	g_free(report->protection_code);
	g_free(report->protection);
	report->protection_code = g_strdup(code);
	report->protection = g_strdup(words);
	return TRUE;
}

gint64 varve_today(void)
{
	gint64 day = g_get_real_time() / (G_USEC_PER_SEC * G_GINT64_CONSTANT(86400));

	return day >= EARLIEST_DAY ? day : 0;
}

static gboolean is_merged(const VarveReport *report, const char *name)
{
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if ((layer->accepted || layer->retired) && strcmp(layer->name, name) == 0)
			return TRUE;
	}
	return FALSE;
}

void varve_compliance_required(const VarvePolicy *policy, VarveReport *report)
{
	for (guint i = 0; i < policy->required_layers->len; i++) {
		const VarveSaid *required = policy->required_layers->pdata[i];

		if (!is_merged(report, required->value))
			varve_report_complain(
				report, "required-layer",
				"put the layer into /var/lib/varve/layers; where it was refused, "
				"do what its refusal says; then reboot",
				"the layer '%s' is required, says %s, and it is not merged",
				required->value, required->origin);
	}
}

void varve_compliance_unjudged(const char *code, const char *why, VarveReport *report)
{
	g_autoptr(VarveRefusal) refusal = varve_refusal_new(code, "%s", why);

	varve_report_complain(report, code, refusal->next,
			      "no extension is merged, and nothing says which are required: %s",
			      refusal->sentence);
}

static VarveRefusal *complain_of_rollback(const VarveFloor *floor, VarveReport *report)
{
	VarveRefusal *refusal =
		varve_refusal_new("base-rollback",
				  "the base's rollback index is %" G_GUINT64_FORMAT
				  ", the lowest acceptable is %" G_GUINT64_FORMAT ", says %s",
				  report->base->rollback_index, floor->index, floor->origin);

	varve_report_complain(report, refusal->code, refusal->next, "%s", refusal->sentence);
	return refusal;
}

static VarveRefusal *complain_of_end(const VarvePolicy *policy, VarveReport *report)
{
	g_autoptr(VarveRefusal) refusal = varve_refusal_new(
		"base-support-ended", "the base's support ended on %s", report->base->support_end);
	gboolean refused = policy && policy->refuse_ended;

	varve_report_complain(report, refusal->code, refusal->next,
			      "SUPPORT ENDED: the support of base '%s' %s ended on %s",
			      report->base->name, report->base->version, report->base->support_end);
	return refused ? g_steal_pointer(&refusal) : NULL;
}

VarveRefusal *varve_compliance_base(const VarvePolicy *policy, VarveReport *report, gint64 today)
{
	const VarveFloor *floor =
		policy ? g_hash_table_lookup(policy->floors, report->base->name) : NULL;
	g_autoptr(VarveRefusal) refusal = NULL, ended = NULL;

	varve_report_withdraw(report, "base-support-ended");
	if (floor && report->base->rollback_index < floor->index)
		refusal = complain_of_rollback(floor, report);
	if (varve_support_ended(report->base->support_end, today))
		ended = complain_of_end(policy, report);
	return refusal ? g_steal_pointer(&refusal) : g_steal_pointer(&ended);
}

void varve_compliance_layers(VarveReport *report, gint64 today)
{
	varve_report_withdraw(report, "support-ended");
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];
		g_autoptr(VarveRefusal) refusal = NULL;

		if (!layer->accepted || !varve_support_ended(layer->support_end, today))
			continue;
		refusal = varve_refusal_new("support-ended",
					    "the support of layer '%s' %s ended on %s", layer->name,
					    layer->version, layer->support_end);
		varve_report_complain(report, refusal->code, refusal->next, "SUPPORT ENDED: %s",
				      refusal->sentence);
	}
}

void varve_compliance_to_record(VarveReport *report)
{
	/* A base that does not say what it is has no name. */
	if (*report->base->name)
		varve_record_floor(report->to_record, report->base->name,
				   report->base->rollback_index);
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if (layer->accepted)
			varve_record_floor(report->to_record, layer->name, layer->rollback_index);
	}
}
