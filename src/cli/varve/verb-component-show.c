/* varve component show: one component as it is built, and why it is so. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varve/component-text.h"
#include "cli/varve/verbs.h"
#include "component/deviation.h"

#include <stdio.h>

typedef struct {
	char *directory;
	gboolean explain;
} Options;

static GOptionEntry *entries(gpointer options)
{
	Options *show = options;
	const GOptionEntry all[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &show->directory,
		  "Where the definition is (default: .)", "DIR" },
		{ "explain", 0, 0, G_OPTION_ARG_NONE, &show->explain,
		  "Say of every value which file and line it came from", NULL },
		{ NULL },
	};

	return g_memdup2(all, sizeof(all));
}

/* For people */

static void print_row(const char *key, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void print_row(const char *key, const char *format, ...)
{
	g_autofree char *text = NULL, *line = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	line = varve_text_line(text);
	printf("  %-12s %s\n", key, line);
}

static void print_strings(const char *key, const char *const *strings)
{
	g_autofree char *joined = g_strjoinv(" ", (char **)strings);

	if (*joined)
		print_row(key, "%s", joined);
}

static void print_build(const VarveComponentBuild *build)
{
	print_strings("with", build->with);
	print_strings("without", build->without);
	for (gsize i = 0; i < build->n_defines; i++)
		print_row(i ? "" : "defines", "%s = %s", build->defines[i].key,
			  build->defines[i].value);
	print_strings("undefines", build->undefines);
	if (build->check_skip)
		print_row("check", "skipped: %s",
			  build->check_skip_reason ? build->check_skip_reason : "no reason given");
	if (build->failure_expected)
		print_row("fails", "as expected: %s",
			  build->failure_reason ? build->failure_reason : "no reason given");
	if (build->expensive)
		print_row("expensive", "yes");
	if (build->emit_upstream_provenance)
		print_row("provenance", "macros have the upstream's version and release");
}

static void print_overlays(const VarveComponent *component)
{
	for (gsize i = 0; i < component->n_overlays; i++) {
		const VarveSpecOverlay *overlay = &component->overlays[i];
		g_autofree char *place = varve_origin_place_text(&overlay->origin);
		g_autofree char *summary = varve_overlay_summary(overlay);
		const char *why =
			overlay->description ? overlay->description : overlay->metadata.reason;

		print_row(i ? "" : "overlays", "%s  (%s)", summary, place);
		if (why && *why)
			print_row("", "  %s", why);
	}
}

static void print_sources(const VarveComponent *component)
{
	for (gsize i = 0; i < component->n_source_files; i++) {
		const VarveSourceFile *file = &component->source_files[i];
		const char *inputs = file->inputs && file->inputs[0] ? " and its inputs" : "";
		g_autoptr(GString) text = g_string_new(file->filename);

		if (file->from == VARVE_SOURCE_DOWNLOAD)
			g_string_append_printf(text, " from %s", file->uri);
		else if (file->from == VARVE_SOURCE_CUSTOM)
			g_string_append_printf(text, " made by %s%s", file->script, inputs);
		else
			g_string_append(text, " as overlays leave it");
		if (file->hash_type)
			g_string_append_printf(text, ", %s", file->hash_type);
		if (file->replace_upstream)
			g_string_append_printf(text, ", replaced: %s",
					       file->replace_reason ? file->replace_reason
								    : "no reason given");
		print_row(i ? "" : "sources", "%s", text->str);
	}
	if (component->skip_file_filter)
		print_row("files", "all of upstream's are kept");
}

static void print_publish(const VarveComponent *component)
{
	const VarvePublish *publish = &component->publish;

	if (publish->rpm_channel)
		print_row("publish", "packages to %s", publish->rpm_channel);
	if (publish->srpm_channel)
		print_row("publish", "source package to %s", publish->srpm_channel);
	if (publish->debuginfo_channel)
		print_row("publish", "debug information to %s", publish->debuginfo_channel);
	for (gsize i = 0; i < component->n_packages; i++) {
		const VarvePackageConfig *package = &component->packages[i];

		if (package->publish.rpm_channel)
			print_row("publish", "%s to %s", package->name,
				  package->publish.rpm_channel);
		if (package->publish.debuginfo_channel)
			print_row("publish", "debug information of %s to %s", package->name,
				  package->publish.debuginfo_channel);
	}
}

static void print_tests(const VarveComponent *component)
{
	for (gsize i = 0; i < component->n_tests; i++) {
		const VarveTestReference *test = &component->tests[i];

		print_row(i ? "" : "tests", "%s%s", test->name ? "" : "group ",
			  test->name ? test->name : test->group);
	}
}

static void print_component(const VarveDefinition *definition, const VarveEffective *effective)
{
	static const char *const calculations[] = { "auto", "autorelease", "static", "manual" };
	const VarveComponent *component = &effective->component;
	g_autofree char *spec = varve_component_spec_text(definition, effective);
	g_autofree char *place = varve_origin_place_text(&component->origin);
	g_autoptr(GString) groups = g_string_new(NULL);

	for (gsize i = 0; i < effective->n_groups; i++)
		g_string_append_printf(groups, "%s%s", i ? ", " : "", effective->groups[i]->name);
	printf("%s\n", effective->name);
	print_row("defined", "%s", place);
	print_row("spec", "%s%s%s", spec, effective->snapshot ? ", as of " : "",
		  effective->snapshot ? effective->snapshot : "");
	if (effective->locked_commit)
		print_row("locked", "at %s", effective->locked_commit);
	if (groups->len)
		print_row("groups", "%s", groups->str);
	if (component->has_release)
		print_row("release", "%s", calculations[component->release]);
	print_build(&component->build);
	print_overlays(component);
	print_sources(component);
	print_publish(component);
	print_tests(component);
}

static int widest(int width, const char *text)
{
	return MAX(width, (int)g_utf8_strlen(text, -1));
}

/* One line each: where, whose, what. */
static void print_explanation(const GPtrArray *all)
{
	int place_width = 0, level_width = 0;

	for (guint i = 0; i < all->len; i++) {
		const VarveExplanation *one = all->pdata[i];
		g_autofree char *place = varve_origin_place_text(&one->origin);

		place_width = widest(place_width, place);
		level_width = widest(level_width, one->level);
	}
	for (guint i = 0; i < all->len; i++) {
		const VarveExplanation *one = all->pdata[i];
		g_autofree char *place = varve_origin_place_text(&one->origin);
		g_autofree char *value = varve_text_line(one->value);
		g_autofree char *key = varve_text_line(one->key);

		printf("  %-*s  %-*s  %s = %s\n", place_width, place, level_width, one->level, key,
		       value);
	}
}

static json_t *explanation_json(const GPtrArray *all)
{
	json_t *list = json_array();

	for (guint i = 0; i < all->len; i++) {
		const VarveExplanation *one = all->pdata[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "key",
						      varve_json_text(one->key), "value",
						      varve_json_text(one->value), "level",
						      varve_json_text(one->level), "origin",
						      varve_origin_json(&one->origin)));
	}
	return list;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveDefinition) definition =
		varve_definition_load(options->directory ? options->directory : ".", error);
	g_autoptr(VarveEffective) effective = NULL;
	g_autoptr(GPtrArray) explanation = NULL;
	g_autoptr(json_t) report = NULL;
	g_autofree char *text = NULL;

	if (definition)
		effective = varve_effective_new(definition, invocation->argv[0], error);
	if (!effective)
		return varve_exit_status(error ? *error : NULL);
	if (options->explain)
		explanation = varve_effective_explain(effective);
	if (!invocation->json && !explanation) {
		print_component(definition, effective);
		return VARVE_EXIT_OK;
	}
	if (!invocation->json) {
		printf("%s\n", effective->name);
		print_explanation(explanation);
		return VARVE_EXIT_OK;
	}
	report = varve_component_json(definition, effective);
	if (explanation)
		json_object_set_new(report, "explanation", explanation_json(explanation));
	text = varve_json_dump(report, FALSE);
	fputs(text, stdout);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_component_show = {
	.words = "component show",
	.arguments = "NAME",
	.summary = "Show a component as it is built: merged with its groups and defaults.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
