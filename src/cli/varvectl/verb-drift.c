/* varvectl drift: where this node deviates from what was signed. */
#include "cli/cli.h"
#include "cli/varvectl/verbs.h"
#include "cli/why-text.h"
#include "trace/drift.h"

#include <stdio.h>

typedef struct {
	gboolean fail;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "fail", 0, 0, G_OPTION_ARG_NONE, &options->fail,
		  "End with status 1 where something differs that not every node has", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

static void print_one(const VarveDrift *drift)
{
	g_autofree char *words = varve_change_words(drift->differs);
	g_autofree char *layer = drift->layer ? varve_why_layer_text(drift->layer) : NULL;
	g_autofree char *path = g_strescape(drift->path, NULL);

	printf("  %-8s %s", varve_drift_kind_name(drift->kind), *path ? path : drift->place);
	if (*words || layer)
		printf("  (%s%s%s)", words, *words && layer ? "; " : "", layer ? layer : "");
	if (*drift->detail)
		printf("  %s", drift->detail);
	if (*drift->expected)
		printf("  %s", drift->expected);
	putchar('\n');
}

static void print_some(const GPtrArray *list, gboolean expected, const char *title)
{
	gboolean first = TRUE;

	for (guint i = 0; i < list->len; i++) {
		const VarveDrift *drift = list->pdata[i];

		if ((*drift->expected != '\0') != expected)
			continue;
		if (first)
			puts(title);
		first = FALSE;
		print_one(drift);
	}
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveTraceNode) node = varve_trace_node_open(error);
	g_autoptr(GPtrArray) list = node ? varve_drift_list(node, error) : NULL;
	guint unexpected;

	if (!list)
		return VARVE_EXIT_FAILED;
	unexpected = varve_drift_unexpected(list);
	if (invocation->json) {
		g_autoptr(json_t) json = varve_drift_json(list);
		g_autofree char *text = varve_json_dump(json, FALSE);

		fputs(text, stdout);
	} else {
		print_some(list, FALSE, "This node's own:");
		print_some(list, TRUE, "As on every node:");
		if (unexpected == 0)
			puts("Nothing differs from what was signed but what every node has.");
	}
	return options->fail && unexpected > 0 ? VARVE_EXIT_FAILED : VARVE_EXIT_OK;
}

const VarveVerb varve_verb_drift = {
	.words = "drift",
	.arguments = "",
	.summary = "List what differs from the signed state: in /etc, and wherever this node can.",
	.details = "What was written to /etc is compared with the base's files and the copies that "
		   "layers "
		   "place there; /var with what was placed there. What every node has (its id, its "
		   "keys) "
		   "is told apart. Drift is no failure: the status is 0 unless --fail is given.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.run = run,
};
