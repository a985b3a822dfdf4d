/* Deviations in words and numbers. */
#include "component/deviation-internal.h"

#include <stdio.h>
#include <string.h>

const char *varve_deviation_category(const VarveDeviation *deviation)
{
	return deviation->metadata ? deviation->metadata->category : NULL;
}

const char *varve_deviation_status(const VarveDeviation *deviation)
{
	return deviation->metadata ? deviation->metadata->upstream_status : NULL;
}

const char *varve_deviation_kind_name(VarveDeviationKind kind)
{
	static const char *const names[] = {
		[VARVE_DEVIATION_OVERLAYS] = "overlays", [VARVE_DEVIATION_BUILD] = "build",
		[VARVE_DEVIATION_CHECK] = "check",       [VARVE_DEVIATION_SOURCE] = "source",
		[VARVE_DEVIATION_SPEC] = "spec",         [VARVE_DEVIATION_PIN] = "pin",
	};

	return kind < VARVE_DEVIATION_KINDS ? names[kind] : "";
}

char *varve_overlay_summary(const VarveSpecOverlay *overlay)
{
	g_autofree char *base = overlay->source ? g_path_get_basename(overlay->source) : NULL;
	GString *text = g_string_new(varve_overlay_type_name(overlay->type));
	const char *file = overlay->file ? overlay->file : base;

	if (overlay->tag)
		g_string_append_printf(text, " %s", overlay->tag);
	if (overlay->tag && overlay->value)
		g_string_append_printf(text, " %s", overlay->value);
	if (overlay->section)
		g_string_append_printf(text, " %s", overlay->section);
	if (file && !overlay->section)
		g_string_append_printf(text, " %s", file);
	if (overlay->archive)
		g_string_append_printf(text, " in %s", overlay->archive);
	if (overlay->package)
		g_string_append_printf(text, " of %s", overlay->package);
	if (overlay->regex && !overlay->section && !file)
		g_string_append_printf(text, " %.60s", overlay->regex);
	return g_string_free(text, FALSE);
}

static gboolean read_day(const char *text, GDate *ret)
{
	int year, month, day;

	if (sscanf(text, "%d-%d-%d", &year, &month, &day) != 3 ||
	    !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
		return FALSE;
	g_date_set_dmy(ret, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
	return TRUE;
}

char *varve_deviation_age(const VarveDeviation *deviation, const char *today)
{
	GDate from, to;
	int days, n;
	const char *unit;

	g_date_clear(&from, 1);
	g_date_clear(&to, 1);
	if (!deviation->since || !read_day(deviation->since, &from) || !read_day(today, &to))
		return NULL;
	days = g_date_days_between(&from, &to);
	if (days < 0)
		return NULL;
	if (days < 60) {
		n = days;
		unit = "day";
	} else if (days < 730) {
		n = days / 30;
		unit = "month";
	} else {
		n = days / 365;
		unit = "year";
	}
	return g_strdup_printf("%d %s%s", n, unit, n == 1 ? "" : "s");
}

static void count(GArray *counts, const char *name)
{
	VarveDeviationCount one = { name, 1 };

	for (guint i = 0; i < counts->len; i++) {
		VarveDeviationCount *known = &g_array_index(counts, VarveDeviationCount, i);

		if (g_strcmp0(known->name, name) == 0) {
			known->n++;
			return;
		}
	}
	g_array_append_val(counts, one);
}

/* What was not said comes last. */
static gint by_number(gconstpointer a, gconstpointer b)
{
	const VarveDeviationCount *left = a, *right = b;

	if (!left->name != !right->name)
		return left->name ? -1 : 1;
	if (left->n != right->n)
		return left->n > right->n ? -1 : 1;
	return g_strcmp0(left->name, right->name);
}

VarveDeviationSummary *varve_deviations_summarize(const VarveDeviations *deviations)
{
	VarveDeviationSummary *summary = g_new0(VarveDeviationSummary, 1);
	g_autoptr(GHashTable) components = g_hash_table_new(g_str_hash, g_str_equal);

	summary->categories = g_array_new(FALSE, FALSE, sizeof(VarveDeviationCount));
	summary->statuses = g_array_new(FALSE, FALSE, sizeof(VarveDeviationCount));
	summary->n_deviations = deviations->deviations->len;
	for (guint i = 0; i < deviations->deviations->len; i++) {
		const VarveDeviation *deviation = deviations->deviations->pdata[i];

		summary->kinds[deviation->kind]++;
		summary->n_overlays += deviation->overlays->len;
		count(summary->categories, varve_deviation_category(deviation));
		count(summary->statuses, varve_deviation_status(deviation));
		for (guint j = 0; j < deviation->components->len; j++)
			g_hash_table_add(components, deviation->components->pdata[j]);
	}
	summary->n_components = g_hash_table_size(components);
	g_array_sort(summary->categories, by_number);
	g_array_sort(summary->statuses, by_number);
	return summary;
}

void varve_deviation_summary_free(VarveDeviationSummary *summary)
{
	if (!summary)
		return;
	g_array_unref(summary->categories);
	g_array_unref(summary->statuses);
	g_free(summary);
}
