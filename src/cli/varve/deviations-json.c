/* The log of deviations for programs. */
#include "cli/varve/deviations-text.h"

static json_t *text_or_null(const char *text)
{
	return text ? varve_json_text(text) : json_null();
}

static json_t *names_json(const GPtrArray *names)
{
	json_t *all = json_array();

	for (guint i = 0; i < names->len; i++)
		json_array_append_new(all, varve_json_text(names->pdata[i]));
	return all;
}

static json_t *overlays_json(const VarveDeviation *deviation)
{
	json_t *all = json_array();

	for (guint i = 0; i < deviation->overlays->len; i++) {
		const VarveSpecOverlay *overlay = deviation->overlays->pdata[i];
		g_autofree char *summary = varve_overlay_summary(overlay);

		json_array_append_new(all,
				      json_pack("{s:s, s:o, s:o, s:o}", "type",
						varve_overlay_type_name(overlay->type), "summary",
						varve_json_text(summary), "description",
						text_or_null(overlay->description), "origin",
						varve_origin_json(&overlay->origin)));
	}
	return all;
}

static json_t *differences_json(const VarveDeviation *deviation)
{
	json_t *all = json_array();

	for (guint i = 0; i < deviation->differences->len; i++) {
		const VarveDifference *difference = deviation->differences->pdata[i];
		g_autofree char *valid =
			difference->text ? g_utf8_make_valid(difference->text, -1) : NULL;

		json_array_append_new(all, json_pack("{s:o, s:o, s:o, s:o}", "component",
						     varve_json_text(difference->component), "text",
						     valid ? json_string(valid) : json_null(),
						     "missing", text_or_null(difference->missing),
						     "upstreamVersion",
						     text_or_null(difference->version)));
	}
	return all;
}

static json_t *deviation_json(const VarveDeviation *deviation)
{
	return json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
		varve_deviation_kind_name(deviation->kind), "level", deviation->level, "declarer",
		varve_json_text(deviation->declarer), "components",
		names_json(deviation->components), "title", varve_json_text(deviation->title),
		"reason", text_or_null(deviation->reason), "reasonIsComment",
		deviation->reason_is_comment, "metadata",
		deviation->metadata ? varve_metadata_json(deviation->metadata) : json_null(),
		"origin", varve_origin_json(&deviation->origin), "since",
		text_or_null(deviation->since), "commit", text_or_null(deviation->commit),
		"overlays", overlays_json(deviation), "differences", differences_json(deviation));
}

static json_t *counts_json(const GArray *counts)
{
	json_t *all = json_object();

	for (guint i = 0; i < counts->len; i++) {
		const VarveDeviationCount *count = &g_array_index(counts, VarveDeviationCount, i);

		json_object_set_new(all, count->name ? count->name : "",
				    json_integer((json_int_t)count->n));
	}
	return all;
}

static json_t *messages_json(const GPtrArray *problems)
{
	json_t *all = json_array();

	for (guint i = 0; i < problems->len; i++) {
		const VarveDeviationProblem *problem = problems->pdata[i];

		json_array_append_new(all, varve_json_text(problem->message));
	}
	return all;
}

json_t *varve_deviations_json(const VarveDeviations *deviations, const GPtrArray *problems,
			      const GPtrArray *unjudged)
{
	g_autoptr(VarveDeviationSummary) summary = varve_deviations_summarize(deviations);
	json_t *all = json_array(), *kinds = json_object();

	for (guint i = 0; i < deviations->deviations->len; i++)
		json_array_append_new(all, deviation_json(deviations->deviations->pdata[i]));
	for (guint i = 0; i < VARVE_DEVIATION_KINDS; i++)
		json_object_set_new(kinds, varve_deviation_kind_name(i),
				    json_integer((json_int_t)summary->kinds[i]));
	return json_pack("{s:{s:i, s:i, s:i, s:i, s:o, s:o, s:o}, s:o, s:o, s:o}", "summary",
			 "components", (int)deviations->components->len, "differing",
			 (int)summary->n_components, "deviations", (int)summary->n_deviations,
			 "overlays", (int)summary->n_overlays, "kinds", kinds, "categories",
			 counts_json(summary->categories), "statuses",
			 counts_json(summary->statuses), "problems", messages_json(problems),
			 "unjudged", messages_json(unjudged), "deviations", all);
}
