/* varvectl merge: what a boot would merge, now. */
#include "cli/varvectl/change.h"
#include "cli/varvectl/verbs.h"

static int run(const VarveInvocation *invocation, GError **error)
{
	const VarveTargetRequest target = { .kind = VARVE_TARGET_DIRECTORY };

	return varve_change_run(invocation, "merge", &target, error);
}

const VarveVerb varve_verb_merge = {
	.words = "merge",
	.arguments = "",
	.summary = "Merge what the layers directory has, as a boot would, without one.",
	.details = "The newest version of each name that the policy accepts; what is refused is "
		   "told, and the rest is merged. 'varvectl plan' shows it before. From then on "
		   "the layers directory decides again, also at the next boot. Exit status 3: a "
		   "layer was refused.",
	.options_size = sizeof(VarveChangeOptions),
	.entries = varve_change_entries,
	.reports = TRUE,
	.run = run,
};
