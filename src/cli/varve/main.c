/* varve: the workstation's program. The table of its verbs, in the order of --help. */
#include "cli/varve/verbs.h"

int main(int argc, char **argv)
{
	/* One a line. clang-format would pack them. */
	/* clang-format off */
	static const VarveVerb *const verbs[] = {
		&varve_verb_keys_init,
		&varve_verb_keys_add,
		&varve_verb_keys_enroll,
		&varve_verb_check,
		&varve_verb_component_render,
		&varve_verb_component_diff,
		&varve_verb_component_changed,
		&varve_verb_import,
		&varve_verb_component_build,
		&varve_verb_build,
		&varve_verb_run,
		&varve_verb_component_list,
		&varve_verb_component_show,
		&varve_verb_deviations,
		&varve_verb_layer_build,
		&varve_verb_layer_patch,
		&varve_verb_layer_seal,
		&varve_verb_layer_admit,
		&varve_verb_layer_verify,
		&varve_verb_layer_show,
		&varve_verb_layer_diff,
		&varve_verb_image_build,
		&varve_verb_image_export,
		&varve_verb_repo_publish,
		&varve_verb_sbom,
		&varve_verb_why,
		NULL,
	};
	/* clang-format on */

	return varve_cli_main(
		"varve", "defines, builds, signs and boots an operating system of signed layers",
		verbs, argc, argv);
}
