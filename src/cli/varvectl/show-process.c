/* What a process runs, for people. */
#include "cli/varvectl/show.h"

#include "cli/why-text.h"

#include <stdio.h>

#define SHORT_HASH 12

static char *vouched(const VarveTraceMapping *mapping)
{
	const VarveTraceAnswer *answer = mapping->answer;
	g_autofree char *layer = NULL;

	if (mapping->anonymous)
		return g_strdup("memory, no file");
	if (!answer)
		return g_strdup_printf("unknown: %s", mapping->unopened);
	if (answer->state == VARVE_TRACE_REPLACED)
		return varve_why_earlier_text(answer->earlier);
	if (answer->state != VARVE_TRACE_SIGNED || !answer->layer)
		return g_strdup_printf("%s%s%s", varve_trace_state_name(answer->state),
				       *answer->filesystem ? ": " : "", answer->filesystem);
	layer = varve_why_layer_text(answer->layer);
	return g_strdup_printf("%s, root %.*s…, %s%s%s", layer, SHORT_HASH, answer->layer->root,
			       answer->layer->signer.certificate,
			       answer->record && *answer->record->package ? "; " : "",
			       answer->record ? answer->record->package : "");
}

static void print_mapping(const VarveTraceMapping *mapping)
{
	g_autofree char *by = vouched(mapping);
	g_autofree char *name = g_strescape(*mapping->name ? mapping->name : "(anonymous)", NULL);

	printf("%-8s %c  %s  %s\n",
	       mapping->flagged ? "UNSIGNED"
	       : mapping->old   ? "OLD"
				: "",
	       mapping->executable ? 'x' : ' ', name, by);
	for (guint i = 0; mapping->answer && i < mapping->answer->problems->len; i++)
		varve_why_row("PROBLEM", "%s", (const char *)mapping->answer->problems->pdata[i]);
}

/* Memory that nobody may execute is no file and needs no answer. */
static gboolean is_boring(const VarveTraceMapping *mapping)
{
	return mapping->anonymous && !mapping->executable;
}

void varve_show_process(const VarveTraceProcess *process, gboolean full)
{
	varve_why_row("process", "%d, %s", process->pid, process->command);
	varve_why_row("unit", "%s", *process->unit ? process->unit : "none");
	if (*process->context)
		varve_why_row("context", "%s", process->context);
	for (guint i = 0; i < process->mappings->len; i++) {
		const VarveTraceMapping *mapping = process->mappings->pdata[i];

		if (is_boring(mapping))
			continue;
		if (full && mapping->answer)
			varve_why_print_answer(mapping->answer);
		else
			print_mapping(mapping);
	}
	if (process->old > 0)
		printf("%u of what it has mapped is old: a swap has replaced it.\n", process->old);
	if (process->flagged > 0)
		printf("%u of what it may execute is not from a signed layer.\n", process->flagged);
	else
		puts("All that it may execute is from signed layers.");
}
