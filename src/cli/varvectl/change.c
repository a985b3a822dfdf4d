/* Changing the running stack, told to people and to programs. */
#include "cli/varvectl/change.h"

#include "base/json.h"
#include "cli/varvectl/show-who.h"
#include "cli/varvectl/show.h"
#include "live/swap.h"
#include "stack/node.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_DEFAULT 30
#define WINDOW_MAX 3600

GOptionEntry *varve_change_entries(gpointer data)
{
	VarveChangeOptions *options = data;
	const GOptionEntry list[] = {
		{ "force", 0, 0, G_OPTION_ARG_NONE, &options->force,
		  "Take also a version that was not well on this node before", NULL },
		{ "no-services", 0, 0, G_OPTION_ARG_NONE, &options->no_services,
		  "Leave services alone: nothing is restarted, and nobody asks for their health",
		  NULL },
		{ "window", 0, 0, G_OPTION_ARG_INT, &options->window,
		  "How long all may take to be well (default: 30), before the stack before is put "
		  "back",
		  "SECONDS" },
		{ "why", 0, 0, G_OPTION_ARG_STRING, &options->why, "A word for the history",
		  "TEXT" },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

static void tell(const char *sentence, gpointer data)
{
	const VarveInvocation *invocation = data;

	/* Programs read the document that comes last on standard output. */
	fprintf(invocation->json ? stderr : stdout, "%s\n", sentence);
	fflush(invocation->json ? stderr : stdout);
}

static const VarveReportLayer *find(const VarveReport *report, const char *name)
{
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if (layer->accepted && strcmp(layer->name, name) == 0)
			return layer;
	}
	return NULL;
}

/* One line for each layer that is another than before. */
static void print_layers(const VarveReport *before, const VarveReport *after)
{
	for (guint i = 0; i < after->layers->len; i++) {
		const VarveReportLayer *layer = after->layers->pdata[i];
		const VarveReportLayer *old = find(before, layer->name);

		if (layer->accepted && !old)
			printf("  + %s %s\n", layer->name, layer->version);
		else if (layer->accepted && strcmp(old->root, layer->root) != 0)
			printf("  %s %s -> %s\n", layer->name, old->version, layer->version);
	}
	for (guint i = 0; i < before->layers->len; i++) {
		const VarveReportLayer *layer = before->layers->pdata[i];

		if (layer->accepted && !find(after, layer->name))
			printf("  - %s %s\n", layer->name, layer->version);
	}
}

static void print_refused(const VarveReport *report)
{
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if (!layer->accepted)
			varve_show_refused(layer, "  ! ");
	}
}

static void print_who(const VarveWho *who)
{
	g_autofree char *sentence = who ? varve_show_who_sentence(who) : NULL;

	if (sentence)
		printf("PENDING RESTART: %s. 'varvectl who' says what to do.\n", sentence);
	else if (who)
		puts("Nobody runs old code.");
}

static void print_text(const VarveReport *before, const VarveSwapResult *result)
{
	print_refused(result->report);
	if (result->refused) {
		puts("Nothing was changed.");
		return;
	}
	varve_show_warnings(result->report, "");
	varve_show_compliance(result->report, "");
	if (!result->changed) {
		printf("Nothing to change: generation %u is what was asked for.\n", result->after);
		return;
	}
	if (result->failed) {
		printf("It was not well, so generation %u runs again: %s.\n", result->after,
		       result->reason);
		return;
	}
	print_layers(before, result->report);
	printf("verified in %.0f ms, committed in %.2f ms, %.0f ms in all; %u thing%s told to "
	       "services\n",
	       (double)result->verified / 1000, (double)result->committed / 1000,
	       (double)result->total / 1000, result->restarted, result->restarted == 1 ? "" : "s");
	print_who(result->who);
}

static void print_json(const VarveSwapResult *result)
{
	g_autoptr(json_t) json = json_pack(
		"{s:b,s:b,s:b,s:s,s:i,s:i,s:I,s:I,s:I,s:i,s:i}", "changed", result->changed,
		"refused", result->refused, "failed", result->failed, "reason", result->reason,
		"before", (int)result->before, "after", (int)result->after, "verified-us",
		(json_int_t)result->verified, "committed-us", (json_int_t)result->committed,
		"total-us", (json_int_t)result->total, "pending",
		result->who ? (int)varve_who_pending(result->who) : 0, "told",
		(int)result->restarted);
	g_autofree char *text = NULL;

	json_object_set_new(json, "stack", varve_report_to_json(result->report));
	text = varve_json_dump(json, FALSE);
	fputs(text, stdout);
}

/* Half a swap is nothing that somebody wants who interrupts it. */
static void committing(gpointer data)
{
	(void)data;
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
}

int varve_change_run(const VarveInvocation *invocation, const char *verb,
		     const VarveTargetRequest *target, GError **error)
{
	const VarveChangeOptions *options = invocation->options;
	g_autofree char *by = g_strdup_printf("user %s via %s", g_get_user_name(), verb);
	g_autoptr(VarveReport) before = varve_node_report(error);
	g_auto(VarveSwapResult) result = { .changed = FALSE };
	const VarveSwapRequest request = {
		.target = *target,
		.by = by,
		.why = options->why,
		.force = options->force,
		.services = !options->no_services,
		.window = options->window > 0 ? (guint)options->window : WINDOW_DEFAULT,
		.tell = tell,
		.committing = committing,
		.data = (gpointer)invocation,
	};

	if (options->window < 0 || options->window > WINDOW_MAX) {
		varve_fail(error, VARVE_ERROR_USAGE, "--window is %d, expected 1 to %d seconds",
			   options->window, WINDOW_MAX);
		return VARVE_EXIT_USAGE;
	}
	/* Who closes his terminal does not stop a swap between its commit and its health. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (!before || !varve_swap(&request, &result, error))
		return VARVE_EXIT_FAILED;
	if (invocation->json)
		print_json(&result);
	else
		print_text(before, &result);
	if (result.failed)
		return VARVE_EXIT_FAILED;
	return varve_report_refused(result.report) ? VARVE_EXIT_REFUSED : VARVE_EXIT_OK;
}
