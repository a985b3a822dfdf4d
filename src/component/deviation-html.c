/* The log of deviations as one page. Every text is escaped; nothing is fetched, and the page
 * forbids it. */
#include "component/deviation-internal.h"
#include "component/deviation-style.h"

#include <string.h>

/* Texts */

/* Marks that turn the direction of writing could make a text look like another. */
static gboolean is_hidden(gunichar c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0x200e ||
	       c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void escape(GString *out, const char *text, gssize size)
{
	g_autofree char *valid = g_utf8_make_valid(text, size);

	for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
		gunichar letter = g_utf8_get_char(c);

		if (letter == '<')
			g_string_append(out, "&lt;");
		else if (letter == '>')
			g_string_append(out, "&gt;");
		else if (letter == '&')
			g_string_append(out, "&amp;");
		else if (letter == '"')
			g_string_append(out, "&quot;");
		else if (letter == '\'')
			g_string_append(out, "&#39;");
		else
			g_string_append_unichar(out, is_hidden(letter) ? 0xfffd : letter);
	}
}

static void element(GString *out, const char *before, const char *text, const char *after)
{
	g_string_append(out, before);
	escape(out, text, -1);
	g_string_append(out, after);
}

/* Where a deviation is told */

static char *anchor_of(const VarveDeviation *deviation)
{
	return g_strdup_printf("%s-%s", deviation->level, deviation->declarer);
}

static char *heading_of(const VarveDeviation *deviation)
{
	if (strcmp(deviation->level, "component") == 0)
		return g_strdup(deviation->declarer);
	return g_strdup_printf("%s%s%s", deviation->level, *deviation->declarer ? " " : "",
			       deviation->declarer);
}

/* Summary */

static void bars(GString *out, const char *title, const GArray *counts, const char *unsaid)
{
	guint most = 1;

	element(out, "<div class=\"card\"><h2>", title, "</h2><div class=\"bars\">");
	for (guint i = 0; i < counts->len; i++)
		most = MAX(most, g_array_index(counts, VarveDeviationCount, i).n);
	for (guint i = 0; i < counts->len; i++) {
		const VarveDeviationCount *count = &g_array_index(counts, VarveDeviationCount, i);

		element(out, "<span>", count->name ? count->name : unsaid, "</span>");
		g_string_append_printf(out, "<i style=\"width:%u%%\"></i><b>%u</b>\n",
				       MAX(2, count->n * 100 / most), count->n);
	}
	g_string_append(out, "</div></div>\n");
}

static GArray *kind_counts(const VarveDeviationSummary *summary)
{
	static const char *const names[] = {
		[VARVE_DEVIATION_OVERLAYS] = "changes of specs and files",
		[VARVE_DEVIATION_BUILD] = "build settings",
		[VARVE_DEVIATION_CHECK] = "tests skipped",
		[VARVE_DEVIATION_SOURCE] = "source files of ours",
		[VARVE_DEVIATION_SPEC] = "specs of our own",
		[VARVE_DEVIATION_PIN] = "other upstream revisions",
	};
	GArray *counts = g_array_new(FALSE, FALSE, sizeof(VarveDeviationCount));

	for (guint i = 0; i < VARVE_DEVIATION_KINDS; i++) {
		VarveDeviationCount one = { names[i], summary->kinds[i] };

		if (one.n > 0)
			g_array_append_val(counts, one);
	}
	return counts;
}

static void add_summary(GString *out, const VarveDeviations *deviations,
			const VarveDeviationPage *page)
{
	g_autoptr(VarveDeviationSummary) summary = varve_deviations_summarize(deviations);
	g_autoptr(GArray) kinds = kind_counts(summary);

	element(out, "<header><h1>", page->title, "</h1>\n");
	g_string_append_printf(
		out,
		"<p class=\"lead\">%u of %u components differ from their upstream, in %u "
		"deviation%s (%u overlays). As of <time>%s</time>.</p></header>\n"
		"<div class=\"cards\">\n",
		summary->n_components, deviations->components->len, summary->n_deviations,
		summary->n_deviations == 1 ? "" : "s", summary->n_overlays, page->today);
	bars(out, "What differs", kinds, "");
	bars(out, "Why: category", summary->categories, "not classified");
	bars(out, "Upstream", summary->statuses, "not said");
	g_string_append(out, "</div>\n");
}

static void add_problems(GString *out, const GPtrArray *problems)
{
	if (!problems || problems->len == 0)
		return;
	g_string_append_printf(out, "<section class=\"problems\"><h2>%u to look at</h2><ul>\n",
			       problems->len);
	for (guint i = 0; i < problems->len; i++) {
		const VarveDeviationProblem *problem = problems->pdata[i];
		g_autofree char *anchor = anchor_of(problem->deviation);
		g_autofree char *heading = heading_of(problem->deviation);

		element(out, "<li><a href=\"#", anchor, "\">");
		element(out, "", heading, "</a> ");
		element(out, "<span class=\"what\">", problem->deviation->title, "</span>: ");
		element(out, "", problem->text, "</li>\n");
	}
	g_string_append(out, "</ul></section>\n");
}

static void add_choice(GString *out, const char *name, const char *title, const GArray *counts)
{
	g_string_append_printf(out,
			       "<select name=\"%s\" aria-label=\"%s\"><option value=\"\">%s"
			       "</option>",
			       name, title, title);
	for (guint i = 0; i < counts->len; i++) {
		const VarveDeviationCount *count = &g_array_index(counts, VarveDeviationCount, i);

		if (count->name)
			element(out, "<option>", count->name, "</option>");
	}
	g_string_append(out, "</select>\n");
}

static void add_filter(GString *out, const VarveDeviations *deviations)
{
	g_autoptr(VarveDeviationSummary) summary = varve_deviations_summarize(deviations);

	g_string_append(out, "<div class=\"filter\" hidden><input type=\"search\" placeholder="
			     "\"Filter: component, word, file\" aria-label=\"Filter\">\n");
	add_choice(out, "category", "any category", summary->categories);
	add_choice(out, "status", "any upstream status", summary->statuses);
	g_string_append(out, "<button type=\"button\">Open all</button><output></output></div>\n");
}

/* One deviation */

static void add_links(GString *out, const char *what, const VarveUrl *urls, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		const char *rest = strstr(urls[i].url, "://");

		element(out, "<li class=\"plain\"><a rel=\"noreferrer\" href=\"", urls[i].url,
			"\">");
		element(out, what, rest ? rest + 3 : urls[i].url, "</a></li>\n");
	}
}

static void add_tags(GString *out, const VarveDeviation *deviation, const char *today)
{
	const VarveOverlayMetadata *metadata = deviation->metadata;

	g_string_append(out, "<ul class=\"tags\">");
	element(out, "<li>", varve_deviation_kind_name(deviation->kind), "</li>\n");
	if (metadata && metadata->category)
		element(out, "<li>", metadata->category, "</li>\n");
	if (metadata && metadata->upstream_status)
		element(out, "<li>upstream: ", metadata->upstream_status, "</li>\n");
	if (metadata && metadata->until)
		element(out,
			strcmp(metadata->until, today) < 0 ? "<li class=\"bad\">until "
							   : "<li>until ",
			metadata->until, "</li>\n");
	if (metadata && metadata->fixed_in)
		element(out, "<li>fixed in ", metadata->fixed_in, "</li>\n");
	if (deviation->since) {
		g_autofree char *age = varve_deviation_age(deviation, today);

		element(out, "<li class=\"plain\">since ", deviation->since, "");
		if (age)
			g_string_append_printf(out, " (%s)", age);
		g_string_append(out, "</li>\n");
	}
	element(out, "<li class=\"plain\">", deviation->origin.file, "");
	g_string_append_printf(out, ":%u</li>\n", deviation->origin.line);
	if (metadata) {
		add_links(out, "commit ", metadata->commits, metadata->n_commits);
		add_links(out, "bug ", metadata->bugs, metadata->n_bugs);
	}
	g_string_append(out, "</ul>\n");
}

static const char *line_class(const char *line, gsize size)
{
	if (size >= 4 && (strncmp(line, "--- ", 4) == 0 || strncmp(line, "+++ ", 4) == 0))
		return "h";
	if (size >= 2 && strncmp(line, "# ", 2) == 0)
		return "t";
	if (size >= 2 && strncmp(line, "@@", 2) == 0)
		return "h";
	/* The ends of a patch's message and of the patch. */
	if ((size == 3 && strncmp(line, "---", 3) == 0) ||
	    (size >= 2 && size <= 3 && strncmp(line, "-- ", size) == 0))
		return "h";
	return size > 0 && *line == '+' ? "a" : size > 0 && *line == '-' ? "d" : NULL;
}

static void add_diff(GString *out, const char *text)
{
	g_string_append(out, "<pre>");
	while (*text) {
		gsize size = strcspn(text, "\n");
		const char *class = line_class(text, size);

		if (class)
			g_string_append_printf(out, "<span class=\"%s\">", class);
		else
			g_string_append(out, "<span>");
		escape(out, text, (gssize)size);
		g_string_append(out, "</span>");
		text += size + (text[size] == '\n');
	}
	g_string_append(out, "</pre>\n");
}

static void add_differences(GString *out, const VarveDeviation *deviation)
{
	gboolean several = deviation->components->len > 1;
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
		element(out, "<details><summary>What it changes", several ? " in " : "", "");
		element(out, "", several ? difference->component : "", "</summary>\n");
		add_diff(out, difference->text);
		g_string_append(out, "</details>\n");
	}
	if (n_missing == 1)
		element(out, "<p class=\"what\">No difference is shown: ", missing, "</p>\n");
	else if (n_missing > 1)
		g_string_append_printf(out,
				       "<p class=\"what\">No difference is shown for %u "
				       "components: their upstream specs are not at hand, or it "
				       "does not fit.</p>\n",
				       n_missing);
}

static void add_members(GString *out, const VarveDeviation *deviation)
{
	if (strcmp(deviation->level, "component") == 0)
		return;
	g_string_append_printf(out, "<details><summary>%u component%s</summary><p>",
			       deviation->components->len,
			       deviation->components->len == 1 ? "" : "s");
	for (guint i = 0; i < deviation->components->len; i++)
		element(out, i ? ", " : "", deviation->components->pdata[i], "");
	g_string_append(out, "</p></details>\n");
}

static void add_overlay_list(GString *out, const VarveDeviation *deviation)
{
	if (deviation->overlays->len < 2) {
		element(out, "<p class=\"what\">", deviation->title, "</p>\n");
		return;
	}
	for (guint i = 0; i < deviation->overlays->len; i++) {
		g_autofree char *summary = varve_overlay_summary(deviation->overlays->pdata[i]);

		element(out, "<p class=\"what\">", summary, "</p>\n");
	}
}

static void add_deviation(GString *out, const VarveDeviation *deviation, const char *today)
{
	const char *category = varve_deviation_category(deviation);
	const char *status = varve_deviation_status(deviation);

	element(out, "<article data-category=\"", category ? category : "", "\" data-status=\"");
	element(out, "", status ? status : "",
		deviation->reason ? "\">\n" : "\" class=\"none\">\n");
	element(out, "<p>", deviation->reason ? deviation->reason : "No reason is given.",
		"</p>\n");
	add_overlay_list(out, deviation);
	add_tags(out, deviation, today);
	add_members(out, deviation);
	add_differences(out, deviation);
	g_string_append(out, "</article>\n");
}

/* Sections */

static gboolean same_section(const VarveDeviation *a, const VarveDeviation *b)
{
	return strcmp(a->level, b->level) == 0 && strcmp(a->declarer, b->declarer) == 0;
}

static guint section_end(const GPtrArray *all, guint start)
{
	guint end = start + 1;

	while (end < all->len && same_section(all->pdata[start], all->pdata[end]))
		end++;
	return end;
}

static void add_index(GString *out, const GPtrArray *all)
{
	g_string_append(out, "<h2 id=\"index\">Index</h2><ul class=\"index\">\n");
	for (guint i = 0, end; i < all->len; i = end) {
		g_autofree char *anchor = anchor_of(all->pdata[i]);
		g_autofree char *heading = heading_of(all->pdata[i]);

		end = section_end(all, i);
		element(out, "<li><a href=\"#", anchor, "\">");
		element(out, "", heading, "</a>");
		g_string_append_printf(out, " <small>%u</small></li>\n", end - i);
	}
	g_string_append(out, "</ul>\n");
}

static void add_sections(GString *out, const GPtrArray *all, const char *today)
{
	for (guint i = 0, end; i < all->len; i = end) {
		g_autofree char *anchor = anchor_of(all->pdata[i]);
		g_autofree char *heading = heading_of(all->pdata[i]);

		end = section_end(all, i);
		element(out, "<section class=\"one\" data-name=\"", heading, "\">");
		element(out, "<h3 id=\"", anchor, "\">");
		element(out, "<a href=\"#", anchor, "\">");
		element(out, "", heading, "</a>");
		g_string_append_printf(out, "<small>%u</small></h3>\n", end - i);
		for (guint j = i; j < end; j++)
			add_deviation(out, all->pdata[j], today);
		g_string_append(out, "</section>\n");
	}
}

char *varve_deviations_html(const VarveDeviations *deviations, const VarveDeviationPage *page)
{
	const GPtrArray *all = deviations->deviations;
	GString *out = g_string_new(
		"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n");

	element(out, "<title>", page->title, "</title>\n");
	g_string_append_printf(out, "<style>\n%s</style></head>\n<body><main>\n",
			       varve_deviation_style());
	add_summary(out, deviations, page);
	add_problems(out, page->problems);
	if (all->len > 0) {
		add_index(out, all);
		add_filter(out, deviations);
		add_sections(out, all, page->today);
	}
	g_string_append(out, "<footer>Made by varve deviations from the definition; a reason comes "
			     "from a description, metadata or the comment beside it.</footer>\n"
			     "</main>\n");
	if (all->len > 0)
		g_string_append_printf(out, "<script>%s</script>\n", varve_deviation_script());
	g_string_append(out, "</body></html>\n");
	return g_string_free(out, FALSE);
}
