/* varve component changed: which components have to be built again since a commit, and why. */
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varve/component-set.h"
#include "cli/varve/verbs.h"
#include "component/since.h"

#include <stdio.h>

typedef struct {
	char *directory, *since;
} ChangedOptions;

static GOptionEntry *entries(gpointer data)
{
	ChangedOptions *options = data;
	const GOptionEntry table[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &options->directory,
		  "Where the definition is (default: .)", "DIR" },
		{ "since", 0, 0, G_OPTION_ARG_STRING, &options->since,
		  "A commit, branch or tag of the definition's git repository", "REV" },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

static const char *state_name(VarveComponentState state)
{
	return state == VARVE_COMPONENT_ADDED     ? "added"
	       : state == VARVE_COMPONENT_REMOVED ? "removed"
						  : "changed";
}

static json_t *difference_json(const VarveComponentDifference *difference)
{
	json_t *reasons = json_array();

	for (guint i = 0; i < difference->reasons->len; i++)
		json_array_append_new(reasons, varve_json_text(difference->reasons->pdata[i]));
	return json_pack("{s:o, s:s, s:o}", "name", varve_json_text(difference->name), "state",
			 state_name(difference->state), "reasons", reasons);
}

static void print_json(const GPtrArray *differences, const char *commit)
{
	g_autoptr(json_t) list = json_array(), report = NULL;
	g_autofree char *text = NULL;

	for (guint i = 0; i < differences->len; i++)
		json_array_append_new(list, difference_json(differences->pdata[i]));
	report = json_pack("{s:s, s:O}", "since", commit, "components", list);
	text = varve_json_dump(report, FALSE);
	fputs(text, stdout);
}

static void print_text(const GPtrArray *differences, const char *revision)
{
	for (guint i = 0; i < differences->len; i++) {
		const VarveComponentDifference *difference = differences->pdata[i];

		printf("%s: %s\n", difference->name, state_name(difference->state));
		for (guint j = 0; j < difference->reasons->len; j++) {
			g_autofree char *line = varve_text_line(difference->reasons->pdata[j]);

			printf("  %s\n", line);
		}
	}
	if (differences->len == 0)
		printf("Nothing has to be built again since %s.\n", revision);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const ChangedOptions *options = invocation->options;
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(GPtrArray) differences = NULL;
	g_autofree char *lock = NULL, *commit = NULL;

	if (!options->since) {
		varve_fail(error, VARVE_ERROR_USAGE, "--since REV is needed");
		return VARVE_EXIT_USAGE;
	}
	definition = varve_definition_load(options->directory ? options->directory : ".", error);
	if (!definition)
		return VARVE_EXIT_FAILED;
	lock = varve_component_lock_path(definition);
	differences = varve_components_since(definition, lock, options->since, &commit, error);
	if (!differences)
		return VARVE_EXIT_FAILED;
	if (invocation->json)
		print_json(differences, commit);
	else
		print_text(differences, options->since);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_component_changed = {
	.words = "component changed",
	.arguments = "",
	.summary = "Tell which components have to be built again since a commit, and why.",
	.details = "Compares everything that goes into each component at REV with what is there "
		   "now:\noverlays and the files that they name, build settings, and, as "
		   "components.lock has\nthem, the upstream's commit, spec and sources. Comments, "
		   "descriptions and the order\nof keys do not count. Of a source that is a tree "
		   "(tree:DIR) the files that git tracks\nthere are compared, changes that are not "
		   "committed included. Nothing is fetched.",
	.options_size = sizeof(ChangedOptions),
	.entries = entries,
	.reports = TRUE,
	.run = run,
};
