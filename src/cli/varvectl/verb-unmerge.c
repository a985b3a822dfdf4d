/* varvectl unmerge: the running stack without some of its layers. */
#include "cli/varvectl/change.h"
#include "cli/varvectl/verbs.h"

static int run(const VarveInvocation *invocation, GError **error)
{
	const VarveTargetRequest target = { .kind = VARVE_TARGET_WITHOUT,
					    .arguments = (const char *const *)invocation->argv };

	return varve_change_run(invocation, "unmerge", &target, error);
}

const VarveVerb varve_verb_unmerge = {
	.words = "unmerge",
	.arguments = "LAYER…",
	.summary = "Take layers out of the running stack, by their names.",
	.details = "Their units are stopped. Their files stay on the state partition: 'varvectl "
		   "rollback' brings them back, 'varvectl gc' removes them.",
	.options_size = sizeof(VarveChangeOptions),
	.entries = varve_change_entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = run,
};
