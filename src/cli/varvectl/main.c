/* varvectl: the node's program. The table of its verbs, in the order of --help. */
#include "cli/varvectl/verbs.h"

int main(int argc, char **argv)
{
	static const VarveVerb *const verbs[] = {
		&varve_verb_boot,
		NULL,
	};

	return varve_cli_main("varvectl",
			      "verifies, composes and explains the layers that this node runs",
			      verbs, argc, argv);
}
