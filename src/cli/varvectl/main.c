/* varvectl: the node's program. The table of its verbs, in the order of --help. */
#include "cli/varvectl/verbs.h"

int main(int argc, char **argv)
{
	static const VarveVerb *const verbs[] = {
		&varve_verb_status,
		&varve_verb_plan,
		&varve_verb_swap,
		&varve_verb_merge,
		&varve_verb_unmerge,
		&varve_verb_rollback,
		&varve_verb_verify,
		&varve_verb_why,
		&varve_verb_who,
		&varve_verb_drift,
		&varve_verb_history,
		&varve_verb_gc,
		&varve_verb_log,
		&varve_verb_policy,
		&varve_verb_floors,
		&varve_verb_good,
		&varve_verb_boot,
		&varve_verb_release,
		NULL,
	};

	return varve_cli_main("varvectl",
			      "verifies, composes and explains the layers that this node runs",
			      verbs, argc, argv);
}
