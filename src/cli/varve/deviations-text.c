/* The log of deviations for a terminal: a line or two each. */
#include "cli/varve/deviations-text.h"

#include "base/text.h"

#include <string.h>

static void add_line(GString *out, const char *before, const char *text, const char *after)
{
	g_autofree char *line = varve_text_line(text);

	g_string_append_printf(out, "%s%s%s", before, line, after);
}

static void add_heading(GString *out, const VarveDeviation *deviation)
{
	if (strcmp(deviation->level, "component") == 0) {
		add_line(out, "\n", deviation->declarer, "\n");
		return;
	}
	g_string_append_printf(out, "\n%s ", deviation->level);
	add_line(out, "", deviation->declarer, "");
	g_string_append_printf(out, " (%u component%s)\n", deviation->components->len,
			       deviation->components->len == 1 ? "" : "s");
}

static void add_deviation(GString *out, const VarveDeviation *deviation)
{
	const char *category = varve_deviation_category(deviation);
	const char *status = varve_deviation_status(deviation);

	add_line(out, "  ", deviation->title, "\n");
	add_line(out, "    ", deviation->reason ? deviation->reason : "no reason is given", "\n");
	g_string_append(out, "    ");
	if (category)
		g_string_append_printf(out, "%s, ", category);
	if (status)
		g_string_append_printf(out, "upstream: %s, ", status);
	if (deviation->since)
		g_string_append_printf(out, "since %s, ", deviation->since);
	g_string_append_printf(out, "%s:%u\n", deviation->origin.file, deviation->origin.line);
}

char *varve_deviations_text(const VarveDeviations *deviations, const GPtrArray *problems)
{
	g_autoptr(VarveDeviationSummary) summary = varve_deviations_summarize(deviations);
	const GPtrArray *all = deviations->deviations;
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "%u of %u components differ, in %u deviation%s (%u overlays)\n",
			       summary->n_components, deviations->components->len,
			       summary->n_deviations, summary->n_deviations == 1 ? "" : "s",
			       summary->n_overlays);
	for (guint i = 0; i < all->len; i++) {
		const VarveDeviation *deviation = all->pdata[i];
		const VarveDeviation *last = i ? all->pdata[i - 1] : NULL;

		if (!last || strcmp(last->level, deviation->level) != 0 ||
		    strcmp(last->declarer, deviation->declarer) != 0)
			add_heading(out, deviation);
		add_deviation(out, deviation);
	}
	if (problems->len > 0)
		g_string_append_printf(out, "\n%u to look at:\n", problems->len);
	for (guint i = 0; i < problems->len; i++)
		add_line(out, "  ", ((VarveDeviationProblem *)problems->pdata[i])->message, "\n");
	return g_string_free(out, FALSE);
}

char *varve_unjudged_text(const GPtrArray *unjudged)
{
	guint without = 0;
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < unjudged->len; i++) {
		const VarveDeviationProblem *problem = unjudged->pdata[i];

		without += problem->deviation->metadata->fixed_in == NULL;
	}
	if (unjudged->len == 0)
		return NULL;
	g_string_append_printf(text, "%u deviation%s could not be judged by upstream's version",
			       unjudged->len, unjudged->len == 1 ? "" : "s");
	if (without > 0)
		g_string_append_printf(text, "; %u backport%s without 'fixed-in': set it", without,
				       without == 1 ? "" : "s");
	if (unjudged->len > without)
		g_string_append_printf(text,
				       "; %u where that is not at hand: bring upstream's spec with "
				       "--upstream or --fetch",
				       unjudged->len - without);
	return g_string_free(g_steal_pointer(&text), FALSE);
}
