/* varve deviations: everything in which the distribution differs from its upstream, and why. */
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varve/deviations-text.h"
#include "cli/varve/verbs.h"
#include "component/deviation.h"
#include "component/loose-files.h"
#include "component/select.h"
#include "component/source.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	char *directory, *output, *upstream, *lookaside;
	gboolean markdown, html, gate, fetch, no_differences, no_dates;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry all[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &options->directory,
		  "Where the definition is (default: .)", "DIR" },
		{ "html", 0, 0, G_OPTION_ARG_NONE, &options->html,
		  "One page that needs nothing else", NULL },
		{ "markdown", 0, 0, G_OPTION_ARG_NONE, &options->markdown, "Markdown", NULL },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "Write here instead of to standard output", "FILE" },
		{ "gate", 0, 0, G_OPTION_ARG_NONE, &options->gate,
		  "Exit with status 3 where something should not be as it is", NULL },
		{ "upstream", 0, 0, G_OPTION_ARG_FILENAME, &options->upstream,
		  "Upstream specs: DIR/NAME/NAME.spec and the files beside it", "DIR" },
		{ "fetch", 0, 0, G_OPTION_ARG_NONE, &options->fetch,
		  "Fetch upstream specs that are not at hand", NULL },
		{ "no-differences", 0, 0, G_OPTION_ARG_NONE, &options->no_differences,
		  "Do not look what overlays change", NULL },
		{ "no-dates", 0, 0, G_OPTION_ARG_NONE, &options->no_dates,
		  "Do not ask git since when", NULL },
		{ NULL },
	};

	return g_memdup2(all, sizeof(all));
}

/* Upstream specs */

typedef struct {
	const Options *options;
	const VarveDefinition *definition;
	char *work;
} Finder;

/* DIR/NAME/NAME.spec with what lies beside it, or DIR/NAME/UPSTREAM-NAME.spec. */
static gboolean find_in(const VarveEffective *effective, const char *directory, int into,
			char **ret_spec, GError **error)
{
	const char *upstream = effective->component.spec.upstream_name;
	const char *const names[] = { effective->name, upstream ? upstream : effective->name };
	g_autofree char *path = g_build_filename(directory, effective->name, NULL);
	varve_autofd from = varve_dir_open(AT_FDCWD, path, error);

	if (from < 0)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *name = g_strconcat(names[i], ".spec", NULL);

		if (faccessat(from, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!varve_loose_copy(from, into, NULL, error))
			return FALSE;
		*ret_spec = g_steal_pointer(&name);
		return TRUE;
	}
	return varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: there is no %s.spec", path,
			  effective->name);
}

static gboolean find_upstream(const VarveEffective *effective, int into, const char *path,
			      char **ret_spec, gpointer data, GError **error)
{
	const Finder *finder = data;
	const VarveSourceOptions places = { .work = finder->work,
					    .offline = !finder->options->fetch };
	g_autoptr(VarveSource) source = NULL;
	g_autofree char *beside = NULL;

	(void)path;
	if (finder->options->upstream) {
		beside = g_build_filename(finder->options->upstream, effective->name, NULL);
		if (g_file_test(beside, G_FILE_TEST_IS_DIR))
			return find_in(effective, finder->options->upstream, into, ret_spec, error);
	}
	/* Asking for what is not there would leave an empty clone behind. */
	if (effective->component.spec.type != VARVE_SPEC_LOCAL && !finder->options->fetch &&
	    !g_file_test(finder->work, G_FILE_TEST_IS_DIR))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "the upstream's spec is not at hand; fetch it with --fetch");
	source = varve_source_open(finder->definition, effective, &places, NULL, error);
	if (!source || !varve_source_export(source, into, error)) {
		g_prefix_error(error, "the upstream's spec is not at hand: ");
		return FALSE;
	}
	*ret_spec = g_strdup(source->spec_name);
	return TRUE;
}

/* The day */

static char *today_text(GError **error)
{
	const char *epoch = g_getenv("SOURCE_DATE_EPOCH");
	guint64 seconds = (guint64)(g_get_real_time() / G_USEC_PER_SEC);
	g_autoptr(GDateTime) time = NULL;

	if (epoch && !g_ascii_string_to_unsigned(epoch, 10, 0, G_MAXUINT32, &seconds, NULL)) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "SOURCE_DATE_EPOCH is '%s', expected seconds since 1970", epoch);
		return NULL;
	}
	time = g_date_time_new_from_unix_utc((gint64)seconds);
	return g_date_time_format(time, "%Y-%m-%d");
}

/* The log */

static char *write_log(const VarveInvocation *invocation, const VarveDeviations *deviations,
		       const GPtrArray *problems, const GPtrArray *unjudged, const char *today)
{
	const Options *options = invocation->options;
	const char *description = deviations->definition->project.description;
	g_autofree char *title =
		*description ? g_strconcat(description, ": deviations from upstream", NULL)
			     : g_strdup("Deviations from upstream");
	VarveDeviationPage page = { title, today, problems };
	g_autoptr(GPtrArray) none = g_ptr_array_new(); /* --gate tells them itself */
	g_autoptr(json_t) report = NULL;

	if (options->html)
		return varve_deviations_html(deviations, &page);
	if (options->markdown)
		return varve_deviations_markdown(deviations, &page);
	if (!invocation->json)
		return varve_deviations_text(deviations, options->gate ? none : problems);
	report = varve_deviations_json(deviations, problems, unjudged);
	return varve_json_dump(report, FALSE);
}

static VarveDeviations *collect(const VarveInvocation *invocation,
				const VarveDefinition *definition, GError **error)
{
	const Options *options = invocation->options;
	Finder finder = { options, definition, NULL };
	const VarveUpstreamFinder how = { find_upstream, &finder };
	GPtrArray *components =
		varve_effective_select(definition, (const char *const *)invocation->argv, error);
	g_autoptr(VarveDeviations) deviations = NULL;
	gboolean rendered;

	if (!components)
		return NULL;
	deviations = varve_deviations_collect(definition, components);
	if (!options->no_dates)
		varve_deviations_date(deviations);
	if (options->no_differences)
		return g_steal_pointer(&deviations);
	finder.work = g_build_filename(definition->project.work_dir, "components", NULL);
	rendered = varve_deviations_render(deviations, &how, error);
	g_free(finder.work);
	return rendered ? g_steal_pointer(&deviations) : NULL;
}

static int judge(const GPtrArray *problems, const GPtrArray *unjudged, GError **error)
{
	g_autofree char *unknown = varve_unjudged_text(unjudged);
	g_autoptr(GString) all = g_string_new(NULL);

	if (unknown)
		fprintf(stderr, "varve: %s\n", unknown);
	if (problems->len == 0)
		return VARVE_EXIT_OK;
	for (guint i = 0; i < problems->len; i++)
		g_string_append_printf(all, "%s\n",
				       ((VarveDeviationProblem *)problems->pdata[i])->message);
	varve_fail(error, VARVE_ERROR_REFUSED, "%s%u deviation%s should not be as %s", all->str,
		   problems->len, problems->len == 1 ? "" : "s",
		   problems->len == 1 ? "it is" : "they are");
	return VARVE_EXIT_REFUSED;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(VarveDeviations) deviations = NULL;
	g_autoptr(GPtrArray) problems = NULL, unjudged = NULL;
	g_autofree char *today = NULL, *text = NULL;

	if (options->html + options->markdown + invocation->json > 1) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "--html, --markdown and --json: expected one of them");
		return VARVE_EXIT_USAGE;
	}
	today = today_text(error);
	if (today)
		definition =
			varve_definition_load(options->directory ? options->directory : ".", error);
	if (definition)
		deviations = collect(invocation, definition, error);
	if (!deviations)
		return varve_exit_status(error ? *error : NULL);
	problems = varve_deviations_judge(deviations, today);
	unjudged = varve_deviations_unjudged(deviations);
	text = write_log(invocation, deviations, problems, unjudged, today);
	if (options->output &&
	    !varve_file_write(AT_FDCWD, options->output, text, strlen(text), 0644, error))
		return VARVE_EXIT_FAILED;
	if (!options->output)
		fputs(text, stdout);
	return options->gate ? judge(problems, unjudged, error) : VARVE_EXIT_OK;
}

const VarveVerb varve_verb_deviations = {
	.words = "deviations",
	.arguments = "[NAME…]",
	.summary = "Tell everything in which the distribution differs from its upstream, and why.",
	.details = "What overlays change is told from upstream specs that are at hand: in "
		   "--upstream,\n"
		   "or fetched before. With --gate a deviation without a reason, one past its "
		   "'until'\n"
		   "and one that upstream's version has ('fixed-in') are refused: status 3.\n"
		   "How many cannot be judged by upstream's version, and why, is told and not "
		   "refused.\n"
		   "The day is SOURCE_DATE_EPOCH's, else today.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.max_arguments = -1,
	.run = run,
};
