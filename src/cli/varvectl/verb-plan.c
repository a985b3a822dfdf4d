/* varvectl plan: what the next boot would merge. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/varvectl/show.h"
#include "cli/varvectl/verbs.h"
#include "stack/compliance.h"
#include "stack/node.h"

#include <stdio.h>
#include <string.h>

static const VarveReportLayer *find(const VarveReport *report, const char *name)
{
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if (layer->accepted && strcmp(layer->name, name) == 0)
			return layer;
	}
	return NULL;
}

/* How @planned differs from what runs. */
static const char *change(const VarveReport *boot, const VarveReportLayer *planned)
{
	const VarveReportLayer *now = find(boot, planned->name);

	if (!now)
		return "new";
	return strcmp(now->root, planned->root) == 0 ? "unchanged" : "changed";
}

static void print_text(const VarveReport *boot, const VarveReport *plan)
{
	g_autofree char *base = varve_show_layer_line(plan->base);

	printf("base %s\n", base);
	for (guint i = 0; i < plan->layers->len; i++) {
		const VarveReportLayer *layer = plan->layers->pdata[i];
		g_autofree char *line = varve_show_layer_line(layer);

		if (layer->accepted)
			printf("  + %s  (%s)\n", line, change(boot, layer));
	}
	for (guint i = 0; i < boot->layers->len; i++) {
		const VarveReportLayer *layer = boot->layers->pdata[i];

		if (layer->accepted && !find(plan, layer->name))
			printf("  - %s %s  (runs now, would not be merged)\n", layer->name,
			       layer->version);
	}
	for (guint i = 0; i < plan->layers->len; i++) {
		const VarveReportLayer *layer = plan->layers->pdata[i];

		if (!layer->accepted)
			varve_show_refused(layer, "  ! ");
	}
	varve_show_warnings(plan, "  ");
	varve_show_compliance(plan, "  ");
	printf("Nothing was changed; layers are chosen as: %s.\n", plan->selection);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	g_autoptr(VarveReport) boot = varve_node_report(error);
	g_autoptr(VarveReport) plan = varve_report_new();

	if (!boot || !varve_node_plan(boot, plan, error))
		return VARVE_EXIT_FAILED;
	if (invocation->json) {
		g_autoptr(json_t) json = varve_report_to_json(plan);
		g_autofree char *text = varve_json_dump(json, FALSE);

		fputs(text, stdout);
	} else {
		print_text(boot, plan);
	}
	if (varve_report_has_complaint(plan, "policy-file")) {
		varve_fail(
			error, VARVE_ERROR_DEFINITION,
			"a file in /etc/varve/policy.d has a mistake, see above: correct it before "
			"the next boot");
		return VARVE_EXIT_FAILED;
	}
	return varve_report_refused(plan) > 0 ? VARVE_EXIT_REFUSED : VARVE_EXIT_OK;
}

const VarveVerb varve_verb_plan = {
	.words = "plan",
	.arguments = "",
	.summary = "Show what the next boot would merge, and what it would refuse and why.",
	.details =
		"Every layer is verified, mounted and judged as a boot would, out of sight of the "
		"running system; nothing is changed. Exit status 3: one would be refused; 1: a "
		"file in /etc/varve/policy.d has a mistake.",
	.reports = TRUE,
	.run = run,
};
