/* varvectl rollback: the layers of an earlier generation. */
#include "base/error.h"
#include "cli/varvectl/change.h"
#include "cli/varvectl/verbs.h"

static int run(const VarveInvocation *invocation, GError **error)
{
	VarveTargetRequest target = { .kind = VARVE_TARGET_GENERATION };
	const char *number = invocation->argv[0];
	guint64 value = 0;

	if (number && (invocation->argv[1] ||
		       !g_ascii_string_to_unsigned(number, 10, 1, 99999999, &value, NULL))) {
		varve_fail(
			error, VARVE_ERROR_USAGE,
			"one number of a generation was expected; 'varvectl history' lists them");
		return VARVE_EXIT_USAGE;
	}
	target.generation = (guint)value;
	return varve_change_run(invocation, "rollback", &target, error);
}

const VarveVerb varve_verb_rollback = {
	.words = "rollback",
	.arguments = "[N]",
	.summary = "Go back to the layers of the generation before, or of generation N.",
	.details = "A swap like any other: verified, judged by the policy as it is now, and "
		   "recorded as a generation of its own. Layers below the floors of this node do "
		   "not come back.",
	.options_size = sizeof(VarveChangeOptions),
	.entries = varve_change_entries,
	.reports = TRUE,
	.max_arguments = 1,
	.run = run,
};
