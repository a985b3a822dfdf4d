/* The log of deviations as Markdown. Texts are escaped so that they stay texts. */
#include "component/deviation-internal.h"

#include "base/text.h"

#include <string.h>

static void escape(GString *out, const char *text)
{
	g_autofree char *line = varve_text_line(text);

	for (const char *c = line; *c; c++) {
		if (strchr("\\`*_[]<>#|&~", *c))
			g_string_append_c(out, '\\');
		g_string_append_c(out, *c);
	}
}

/* In backticks nothing is escaped, so the fence has to be longer than any in the text. */
static void code(GString *out, const char *text)
{
	g_autofree char *line = varve_text_line(text);
	guint longest = 0, run = 0;

	for (const char *c = line; *c; c++) {
		run = *c == '`' ? run + 1 : 0;
		longest = MAX(longest, run);
	}
	for (guint i = 0; i <= longest; i++)
		g_string_append_c(out, '`');
	g_string_append_printf(out, longest ? " %s " : "%s", line);
	for (guint i = 0; i <= longest; i++)
		g_string_append_c(out, '`');
}

static void add_counts(GString *out, const char *title, const GArray *counts, const char *unsaid)
{
	g_string_append_printf(out, "\n| %s | |\n|---|---:|\n", title);
	for (guint i = 0; i < counts->len; i++) {
		const VarveDeviationCount *count = &g_array_index(counts, VarveDeviationCount, i);

		g_string_append_printf(out, "| %s | %u |\n", count->name ? count->name : unsaid,
				       count->n);
	}
}

static void add_summary(GString *out, const VarveDeviations *deviations,
			const VarveDeviationPage *page)
{
	g_autoptr(VarveDeviationSummary) summary = varve_deviations_summarize(deviations);

	g_string_append(out, "# ");
	escape(out, page->title);
	g_string_append_printf(out,
			       "\n\n%u of %u components differ from their upstream, in %u "
			       "deviation%s (%u overlays). As of %s.\n",
			       summary->n_components, deviations->components->len,
			       summary->n_deviations, summary->n_deviations == 1 ? "" : "s",
			       summary->n_overlays, page->today);
	add_counts(out, "Category", summary->categories, "not classified");
	add_counts(out, "Upstream", summary->statuses, "not said");
	if (!page->problems || page->problems->len == 0)
		return;
	g_string_append(out, "\n## To look at\n\n");
	for (guint i = 0; i < page->problems->len; i++) {
		g_string_append(out, "- ");
		escape(out, ((VarveDeviationProblem *)page->problems->pdata[i])->message);
		g_string_append_c(out, '\n');
	}
}

static void add_diff(GString *out, const VarveDifference *difference)
{
	g_auto(GStrv) lines = g_strsplit(difference->text, "\n", -1);
	guint longest = 2;

	for (char **line = lines; *line; line++) {
		gsize run = strspn(*line, "`");

		longest = MAX(longest, (guint)MIN(run, 1000));
	}
	g_string_append(out, "\n  ");
	for (guint i = 0; i <= longest; i++)
		g_string_append_c(out, '`');
	g_string_append(out, "diff\n");
	for (char **line = lines; *line && (line[1] || **line); line++) {
		g_autofree char *valid = g_utf8_make_valid(*line, -1);

		for (char *c = valid; *c; c++)
			if (g_ascii_iscntrl(*c) && *c != '\t')
				*c = '?';
		g_string_append_printf(out, "  %s\n", valid);
	}
	g_string_append(out, "  ");
	for (guint i = 0; i <= longest; i++)
		g_string_append_c(out, '`');
	g_string_append(out, "\n\n");
}

static void add_differences(GString *out, const VarveDeviation *deviation)
{
	guint n_missing = 0;
	const char *missing = NULL;

	for (guint i = 0; i < deviation->differences->len; i++) {
		const VarveDifference *difference = deviation->differences->pdata[i];

		if (difference->missing) {
			n_missing++;
			missing = difference->missing;
		}
		if (!difference->text)
			continue;
		if (deviation->components->len > 1) {
			g_string_append(out, "\n  in ");
			escape(out, difference->component);
			g_string_append(out, ":\n");
		}
		add_diff(out, difference);
	}
	if (n_missing == 1) {
		g_string_append(out, "  - no difference is shown: ");
		escape(out, missing);
		g_string_append_c(out, '\n');
	} else if (n_missing > 1) {
		g_string_append_printf(out, "  - no difference is shown for %u components\n",
				       n_missing);
	}
}

static void add_facts(GString *out, const VarveDeviation *deviation, const char *today)
{
	g_autofree char *age = varve_deviation_age(deviation, today);
	const VarveOverlayMetadata *metadata = deviation->metadata;

	g_string_append(out, "  - ");
	code(out, deviation->title);
	g_string_append_printf(out, ", %s:%u", deviation->origin.file, deviation->origin.line);
	if (deviation->since)
		g_string_append_printf(out, ", since %s", deviation->since);
	if (age)
		g_string_append_printf(out, " (%s)", age);
	g_string_append_c(out, '\n');
	if (!metadata)
		return;
	g_string_append_printf(out, "  - %s, upstream: %s",
			       metadata->category ? metadata->category : "not classified",
			       metadata->upstream_status ? metadata->upstream_status : "not said");
	if (metadata->until)
		g_string_append_printf(out, ", until %s", metadata->until);
	if (metadata->fixed_in)
		g_string_append_printf(out, ", fixed in %s", metadata->fixed_in);
	g_string_append_c(out, '\n');
	for (gsize i = 0; i < metadata->n_commits; i++)
		g_string_append_printf(out, "  - commit <%s>\n", metadata->commits[i].url);
	for (gsize i = 0; i < metadata->n_bugs; i++)
		g_string_append_printf(out, "  - bug <%s>\n", metadata->bugs[i].url);
}

static void add_deviation(GString *out, const VarveDeviation *deviation, const char *today)
{
	g_string_append(out, "- ");
	escape(out, deviation->reason ? deviation->reason : "No reason is given.");
	g_string_append_c(out, '\n');
	add_facts(out, deviation, today);
	if (strcmp(deviation->level, "component") != 0) {
		g_string_append_printf(out, "  - %u component%s:", deviation->components->len,
				       deviation->components->len == 1 ? "" : "s");
		for (guint i = 0; i < deviation->components->len; i++) {
			g_string_append(out, i ? ", " : " ");
			escape(out, deviation->components->pdata[i]);
		}
		g_string_append_c(out, '\n');
	}
	add_differences(out, deviation);
}

char *varve_deviations_markdown(const VarveDeviations *deviations, const VarveDeviationPage *page)
{
	const GPtrArray *all = deviations->deviations;
	GString *out = g_string_new(NULL);

	add_summary(out, deviations, page);
	for (guint i = 0; i < all->len; i++) {
		const VarveDeviation *deviation = all->pdata[i];
		const VarveDeviation *last = i ? all->pdata[i - 1] : NULL;

		if (!last || strcmp(last->level, deviation->level) != 0 ||
		    strcmp(last->declarer, deviation->declarer) != 0) {
			g_string_append(out, "\n## ");
			if (strcmp(deviation->level, "component") != 0)
				g_string_append_printf(out, "%s%s", deviation->level,
						       *deviation->declarer ? " " : "");
			escape(out, deviation->declarer);
			g_string_append(out, "\n\n");
		}
		add_deviation(out, deviation, page->today);
	}
	return g_string_free(out, FALSE);
}
