/* varvectl who: who still runs the old code. */
#include "cli/cli.h"
#include "cli/varvectl/show-who.h"
#include "cli/varvectl/verbs.h"
#include "stack/node.h"

#include <stdio.h>

typedef struct {
	gboolean fail;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "fail", 0, 0, G_OPTION_ARG_NONE, &options->fail,
		  "End with status 1 where somebody runs old code", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

static guint count(const VarveWho *who, const char *const *layers)
{
	guint pending = 0;

	for (guint i = 0; i < who->holders->len; i++) {
		const VarveHolder *holder = who->holders->pdata[i];

		pending += varve_who_is_pending(holder) && varve_show_who_concerns(holder, layers);
	}
	return pending;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const char *const *layers = (const char *const *)invocation->argv;
	g_autoptr(VarveReport) report = varve_node_report(error);
	g_autoptr(VarveShown) shown = NULL;
	g_autoptr(VarveWho) who = NULL;

	if (!report || !varve_shown_who(report, &shown, &who, error))
		return VARVE_EXIT_FAILED;
	if (invocation->json) {
		g_autoptr(json_t) json = varve_show_who_json(who, shown, layers);
		g_autofree char *text = varve_json_dump(json, FALSE);

		fputs(text, stdout);
	} else {
		varve_show_who(who, shown, layers);
	}
	return options->fail && count(who, layers) > 0 ? VARVE_EXIT_FAILED : VARVE_EXIT_OK;
}

const VarveVerb varve_verb_who = {
	.words = "who",
	.arguments = "[LAYER…]",
	.summary = "List the processes that still run code of an earlier stack.",
	.details =
		"After a swap a process goes on with the files that it has mapped or open. Each "
		"that has one which the running stack has otherwise is told, with its unit, the "
		"files, and what to do; and each whose mount namespace the swap could not reach, "
		"with the reason. LAYER: only files of these layers. Only root sees all "
		"processes.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 0,
	.max_arguments = -1,
	.run = run,
};
