/* varvectl good: what runs has proved itself. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/varvectl/verbs.h"
#include "live/running.h"
#include "stack/node-floors.h"
#include "stack/node.h"

#include <stdio.h>

#define WINDOW 60 /* seconds that the layers' checks may take */

typedef struct {
	gboolean no_checks;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "no-checks", 0, 0, G_OPTION_ARG_NONE, &options->no_checks,
		  "Do not run what the layers declare as checks: somebody has looked", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

static void print_text(const VarveGood *good)
{
	if (good->generation > 0)
		printf("generation %u is good%s", good->generation,
		       good->marked ? "" : ", as it was already");
	else
		fputs("no generation is recorded", stdout);
	puts(good->raised ? "; floors and revocations were recorded"
			  : "; floors and revocations are as they were");
	if (good->note)
		printf("note: %s\n", good->note);
}

static void print_json(const VarveGood *good)
{
	g_autoptr(json_t) json = json_pack("{s:i,s:b,s:b,s:s}", "generation", (int)good->generation,
					   "marked", good->marked, "raised", good->raised, "note",
					   good->note ? good->note : "");
	g_autofree char *text = varve_json_dump(json, FALSE);

	fputs(text, stdout);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveReport) boot = varve_node_report(error);
	VarveGood good = { .generation = 0 };

	if (!boot || (!options->no_checks && !varve_running_well(boot, WINDOW, error)) ||
	    !varve_node_good(boot, &good, error))
		return VARVE_EXIT_FAILED;
	if (invocation->json)
		print_json(&good);
	else
		print_text(&good);
	g_free(good.note);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_good = {
	.words = "good",
	.arguments = "",
	.summary = "Mark the running generation good, and raise the floors by it "
		   "(run by varve-good.service).",
	.details =
		"It has come up: the checks that its layers declare pass, and the boots before are "
		"not counted against it. From then on no layer with a lower rollback index is "
		"merged on this node, and "
		"what was revoked stays revoked. Exit status 3: a check does not pass, or the node "
		"is not compliant in a way that forbids it.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.run = run,
};
