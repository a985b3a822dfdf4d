/* The report of a boot, a plan or a swap, to JSON and back. */
#include "stack/report.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "stack/compliance.h"

#include <string.h>

#define REPORT_LIMIT (4 * 1024 * 1024)
#define REPORT_FORMAT 1

VarveReportLayer *varve_report_layer_new(void)
{
	VarveReportLayer *layer = g_new0(VarveReportLayer, 1);
	char **const fields[] = { &layer->file,   &layer->name,   &layer->version,
				  &layer->arch,   &layer->root,   &layer->certificate,
				  &layer->signer, &layer->code,   &layer->sentence,
				  &layer->next,   &layer->device, &layer->support_end };

	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
		*fields[i] = g_strdup("");
	layer->role = VARVE_ROLE_EXTENSION;
	return layer;
}

void varve_report_layer_free(VarveReportLayer *layer)
{
	if (!layer)
		return;
	g_free(layer->file);
	g_free(layer->name);
	g_free(layer->version);
	g_free(layer->arch);
	g_free(layer->root);
	g_free(layer->certificate);
	g_free(layer->signer);
	g_free(layer->code);
	g_free(layer->sentence);
	g_free(layer->next);
	g_free(layer->device);
	g_free(layer->support_end);
	g_free(layer);
}

static void replace(char **field, const char *value)
{
	char *copy = g_strdup(value ? value : "");

	g_free(*field);
	*field = copy;
}

void varve_report_layer_describe(VarveReportLayer *layer, const VarveManifest *manifest)
{
	replace(&layer->name, manifest->name);
	replace(&layer->version, manifest->version);
	replace(&layer->arch, manifest->arch);
	replace(&layer->support_end, manifest->support_end);
	layer->role = manifest->role;
	layer->packages = manifest->packages->len;
	layer->rollback_index = manifest->rollback_index;
}

static void timing_free(gpointer data)
{
	VarveReportTiming *timing = data;

	g_free(timing->what);
	g_free(timing);
}

VarveReport *varve_report_new(void)
{
	VarveReport *report = g_new0(VarveReport, 1);

	report->base = varve_report_layer_new();
	report->base->role = VARVE_ROLE_BASE;
	report->layers = g_ptr_array_new_with_free_func((GDestroyNotify)varve_report_layer_free);
	report->verification = g_strdup("userspace");
	report->verification_detail = g_strdup("");
	report->integrity_asked = g_strdup("off");
	report->integrity = g_strdup("off");
	report->integrity_detail = g_strdup("");
	report->state = g_strdup("");
	report->state_detail = g_strdup("");
	report->selection = g_strdup("");
	report->warnings = g_ptr_array_new_with_free_func(g_free);
	report->timings = g_ptr_array_new_with_free_func(timing_free);
	report->complaints = g_ptr_array_new_with_free_func((GDestroyNotify)varve_complaint_free);
	report->protection = g_strdup("");
	report->protection_code = g_strdup("");
	report->to_record = varve_record_new();
	return report;
}

void varve_report_free(VarveReport *report)
{
	if (!report)
		return;
	varve_report_layer_free(report->base);
	g_ptr_array_unref(report->layers);
	g_free(report->verification);
	g_free(report->verification_detail);
	g_free(report->integrity_asked);
	g_free(report->integrity);
	g_free(report->integrity_detail);
	g_free(report->state);
	g_free(report->state_detail);
	g_free(report->selection);
	g_ptr_array_unref(report->warnings);
	g_ptr_array_unref(report->timings);
	g_ptr_array_unref(report->complaints);
	g_free(report->protection);
	g_free(report->protection_code);
	varve_record_free(report->to_record);
	g_free(report);
}

void varve_report_warn(VarveReport *report, const char *format, ...)
{
	g_autofree char *warning = NULL;
	va_list args;

	va_start(args, format);
	warning = varve_text_printable(format, args);
	va_end(args);
	if (!g_ptr_array_find_with_equal_func(report->warnings, warning, g_str_equal, NULL))
		g_ptr_array_add(report->warnings, g_steal_pointer(&warning));
}

void varve_report_time(VarveReport *report, const char *what, gint64 since)
{
	VarveReportTiming *timing = g_new0(VarveReportTiming, 1);

	timing->what = g_strdup(what);
	timing->microseconds = g_get_monotonic_time() - since;
	g_ptr_array_add(report->timings, timing);
}

gboolean varve_report_kernel_mode(const VarveReport *report)
{
	return strcmp(report->verification, "kernel") == 0;
}

guint varve_report_refused(const VarveReport *report)
{
	guint refused = 0;

	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		refused += !layer->accepted && !layer->retired;
	}
	return refused;
}

static json_t *layer_to_json(const VarveReportLayer *layer)
{
	json_t *object = json_object();

	json_object_set_new(object, "file", varve_json_escaped(layer->file));
	json_object_set_new(object, "name", varve_json_escaped(layer->name));
	json_object_set_new(object, "version", varve_json_escaped(layer->version));
	json_object_set_new(object, "arch", varve_json_escaped(layer->arch));
	json_object_set_new(object, "role", json_string(varve_role_name(layer->role)));
	json_object_set_new(object, "root", varve_json_escaped(layer->root));
	json_object_set_new(object, "certificate", varve_json_escaped(layer->certificate));
	json_object_set_new(object, "signer", varve_json_escaped(layer->signer));
	json_object_set_new(object, "development", json_boolean(layer->development));
	json_object_set_new(object, "packages", json_integer(layer->packages));
	json_object_set_new(object, "rollback-index",
			    json_integer((json_int_t)layer->rollback_index));
	json_object_set_new(object, "support-end", varve_json_escaped(layer->support_end));
	json_object_set_new(object, "device", varve_json_escaped(layer->device));
	json_object_set_new(object, "accepted", json_boolean(layer->accepted));
	json_object_set_new(object, "retired", json_boolean(layer->retired));
	json_object_set_new(object, "code", varve_json_escaped(layer->code));
	json_object_set_new(object, "sentence", varve_json_escaped(layer->sentence));
	json_object_set_new(object, "next", varve_json_escaped(layer->next));
	return object;
}

json_t *varve_report_to_json(const VarveReport *report)
{
	json_t *object = json_object(), *layers = json_array(), *warnings = json_array();
	json_t *timings = json_array();

	for (guint i = 0; i < report->layers->len; i++)
		json_array_append_new(layers, layer_to_json(report->layers->pdata[i]));
	for (guint i = 0; i < report->warnings->len; i++)
		json_array_append_new(warnings, varve_json_escaped(report->warnings->pdata[i]));
	for (guint i = 0; i < report->timings->len; i++) {
		const VarveReportTiming *timing = report->timings->pdata[i];

		json_array_append_new(timings,
				      json_pack("{s:s,s:I}", "what", timing->what, "microseconds",
						(json_int_t)timing->microseconds));
	}
	json_object_set_new(object, "format", json_integer(REPORT_FORMAT));
	json_object_set_new(object, "base", layer_to_json(report->base));
	json_object_set_new(object, "layers", layers);
	json_object_set_new(object, "verification", varve_json_escaped(report->verification));
	json_object_set_new(object, "verification-detail",
			    varve_json_escaped(report->verification_detail));
	json_object_set_new(object, "code-integrity-asked",
			    varve_json_escaped(report->integrity_asked));
	json_object_set_new(object, "code-integrity", varve_json_escaped(report->integrity));
	json_object_set_new(object, "code-integrity-detail",
			    varve_json_escaped(report->integrity_detail));
	json_object_set_new(object, "state", varve_json_escaped(report->state));
	json_object_set_new(object, "state-detail", varve_json_escaped(report->state_detail));
	json_object_set_new(object, "usr", json_integer((json_int_t)report->usr));
	json_object_set_new(object, "generation", json_integer(report->generation));
	json_object_set_new(object, "attempt", json_integer(report->attempt));
	json_object_set_new(object, "selection", varve_json_escaped(report->selection));
	json_object_set_new(object, "warnings", warnings);
	json_object_set_new(object, "timings", timings);
	varve_compliance_to_json(report, object);
	return object;
}

static gboolean take_string(const json_t *object, const char *key, char **field, GError **error)
{
	const char *value;

	if (!varve_json_get_string(object, key, "report of the stack", &value, error))
		return FALSE;
	replace(field, value);
	return TRUE;
}

static VarveReportLayer *layer_from_json(const json_t *object, GError **error)
{
	VarveReportLayer *layer = varve_report_layer_new();
	const struct {
		const char *key;
		char **field;
	} strings[] = {
		{ "file", &layer->file },         { "name", &layer->name },
		{ "version", &layer->version },   { "arch", &layer->arch },
		{ "root", &layer->root },         { "certificate", &layer->certificate },
		{ "signer", &layer->signer },     { "support-end", &layer->support_end },
		{ "device", &layer->device },     { "code", &layer->code },
		{ "sentence", &layer->sentence }, { "next", &layer->next },
	};
	const char *role = "";
	gint64 packages = 0, index = 0;
	gboolean ok =
		json_is_object(object) ||
		varve_fail(error, VARVE_ERROR_CORRUPT, "report of the stack: a layer is no object");

	for (gsize i = 0; ok && i < G_N_ELEMENTS(strings); i++)
		ok = take_string(object, strings[i].key, strings[i].field, error);
	ok = ok && varve_json_get_string(object, "role", "report of the stack", &role, error) &&
	     varve_json_get_int(object, "packages", "report of the stack", 0, G_MAXINT, &packages,
				error) &&
	     varve_json_get_int(object, "rollback-index", "report of the stack", 0, G_MAXINT64,
				&index, error);
	if (ok && !varve_role_from_name(role, &layer->role))
		ok = varve_fail(error, VARVE_ERROR_CORRUPT, "report of the stack: '%s' is no role",
				role);
	if (!ok) {
		varve_report_layer_free(layer);
		return NULL;
	}
	layer->packages = (guint)packages;
	layer->rollback_index = (guint64)index;
	layer->development = json_is_true(json_object_get(object, "development"));
	layer->accepted = json_is_true(json_object_get(object, "accepted"));
	layer->retired = json_is_true(json_object_get(object, "retired"));
	return layer;
}

static void lists_from_json(VarveReport *report, const json_t *json)
{
	const json_t *value;
	size_t i;

	json_array_foreach (json_object_get(json, "warnings"), i, value) {
		if (json_is_string(value))
			g_ptr_array_add(report->warnings, g_strdup(json_string_value(value)));
	}
	json_array_foreach (json_object_get(json, "timings"), i, value) {
		const char *what = json_string_value(json_object_get(value, "what"));
		VarveReportTiming *timing;

		if (!what)
			continue;
		timing = g_new0(VarveReportTiming, 1);
		timing->what = g_strdup(what);
		timing->microseconds = json_integer_value(json_object_get(value, "microseconds"));
		g_ptr_array_add(report->timings, timing);
	}
}

VarveReport *varve_report_from_json(const json_t *json, GError **error)
{
	g_autoptr(VarveReport) report = varve_report_new();
	VarveReportLayer *base;
	const json_t *value;
	gint64 number, usr, attempt;
	size_t i;

	if (!varve_json_get_int(json, "format", "report of the stack", REPORT_FORMAT, REPORT_FORMAT,
				&number, error) ||
	    !varve_json_get_int(json, "usr", "report of the stack", 0, G_MAXINT64, &usr, error) ||
	    !varve_json_get_int(json, "attempt", "report of the stack", 0, G_MAXINT, &attempt,
				error) ||
	    !varve_json_get_int(json, "generation", "report of the stack", 0, G_MAXINT, &number,
				error) ||
	    !take_string(json, "verification", &report->verification, error) ||
	    !take_string(json, "verification-detail", &report->verification_detail, error) ||
	    !take_string(json, "code-integrity-asked", &report->integrity_asked, error) ||
	    !take_string(json, "code-integrity", &report->integrity, error) ||
	    !take_string(json, "code-integrity-detail", &report->integrity_detail, error) ||
	    !take_string(json, "state", &report->state, error) ||
	    !take_string(json, "state-detail", &report->state_detail, error) ||
	    !take_string(json, "selection", &report->selection, error))
		return NULL;
	report->generation = (guint)number;
	report->usr = (guint64)usr;
	report->attempt = (guint)attempt;
	base = layer_from_json(json_object_get(json, "base"), error);
	if (!base)
		return NULL;
	varve_report_layer_free(report->base);
	report->base = base;
	json_array_foreach (json_object_get(json, "layers"), i, value) {
		VarveReportLayer *layer = layer_from_json(value, error);

		if (!layer)
			return NULL;
		g_ptr_array_add(report->layers, layer);
	}
	lists_from_json(report, json);
	if (!varve_compliance_from_json(report, json, error))
		return NULL;
	return g_steal_pointer(&report);
}

gboolean varve_report_save(const VarveReport *report, const char *path, GError **error)
{
	g_autoptr(json_t) json = varve_report_to_json(report);
	g_autofree char *document = varve_json_dump(json, FALSE);

	return varve_file_write(AT_FDCWD, path, document, strlen(document), 0644, error);
}

VarveReport *varve_report_load(const char *path, GError **error)
{
	g_autofree char *document = NULL;
	g_autoptr(json_t) json = NULL;
	gsize size;

	if (!varve_file_read(AT_FDCWD, path, REPORT_LIMIT, &document, &size, error))
		return NULL;
	json = varve_json_parse(document, size, path, error);
	return json ? varve_report_from_json(json, error) : NULL;
}
