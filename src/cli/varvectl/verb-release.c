/* varvectl release: lets the merged layers go at power-off. */
#include "cli/cli.h"
#include "cli/varvectl/verbs.h"
#include "stack/node.h"

static int run(const VarveInvocation *invocation, GError **error)
{
	(void)invocation;
	return varve_node_release(error) ? VARVE_EXIT_OK : VARVE_EXIT_FAILED;
}

const VarveVerb varve_verb_release = {
	.words = "release",
	.arguments = "",
	.summary = "Let the merged layers go, at power-off (run by varve-stack.service).",
	.details = "/usr is the base's alone afterwards: not for a system that goes on running.",
	.run = run,
};
