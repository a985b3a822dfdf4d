/* varvectl swap: other layers for the running stack. */
#include "base/error.h"
#include "cli/varvectl/change.h"
#include "cli/varvectl/verbs.h"

static int run(const VarveInvocation *invocation, GError **error)
{
	const VarveTargetRequest target = { .kind = VARVE_TARGET_FILES,
					    .arguments = (const char *const *)invocation->argv };

	return varve_change_run(invocation, "swap", &target, error);
}

const VarveVerb varve_verb_swap = {
	.words = "swap",
	.arguments = "LAYER.raw…",
	.summary = "Put layers into the running stack, each in the place of the one with its name.",
	.details =
		"All of them in one step, or none. They are verified and judged as at a boot, "
		"copied "
		"to the state partition, and merged into a new /usr, which takes the place of the "
		"old one in one moment: no lookup fails, nothing is rebooted. Then the service "
		"manager is told, units are restarted as their layers say, and where something is "
		"not well within the window, the stack before is put back. Exit status 3: a layer "
		"was refused, and nothing was changed; 1: it was not well, or could not be done.",
	.options_size = sizeof(VarveChangeOptions),
	.entries = varve_change_entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = run,
};
