/* Telling answers, and what they amount to. */
#include "cli/why-told.h"

#include "cli/cli.h"
#include "cli/why-text.h"

#include <stdio.h>

void varve_why_tell(VarveWhyTold *told, const VarveTraceWhy *why)
{
	told->problems += varve_trace_why_problems(why);
	told->absent += !varve_trace_answer_exists(varve_trace_why_last(why));
	if (told->json)
		json_array_append_new(told->json, varve_trace_why_json(why));
	else
		varve_why_print(why);
}

void varve_why_tell_boot(VarveWhyTold *told, const VarveTraceBoot *boot)
{
	if (told->json)
		json_array_append_new(told->json, varve_trace_boot_json(boot));
	else
		varve_why_print_boot(boot);
}

int varve_why_end(const VarveWhyTold *told, gboolean ok)
{
	if (told->json) {
		g_autofree char *text = varve_json_dump(told->json, FALSE);

		fputs(text, stdout);
	}
	if (!ok)
		return VARVE_EXIT_FAILED;
	if (told->problems > 0)
		return VARVE_EXIT_UNTRUSTED;
	return told->absent > 0 ? VARVE_EXIT_NOT_FOUND : VARVE_EXIT_OK;
}
