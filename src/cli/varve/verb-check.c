/* varve check: only loads the definition, and tells what it found or everything that is wrong. */
#include "cli/cli.h"
#include "cli/varve/verbs.h"
#include "definition/components.h"

#include <stdio.h>

typedef struct {
	char *directory;
} Options;

static GOptionEntry *entries(gpointer options)
{
	Options *check = options;
	const GOptionEntry all[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &check->directory,
		  "Where the definition is (default: .)", "DIR" },
		{ NULL },
	};

	return g_memdup2(all, sizeof(all));
}

static void count(GString *out, gsize n, const char *one, const char *many)
{
	if (n > 0)
		g_string_append_printf(out, ", %zu %s", n, n == 1 ? one : many);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const char *directory = options->directory ? options->directory : ".";
	g_autoptr(VarveDefinition) definition = varve_definition_load(directory, error);
	g_autoptr(GString) out = NULL;

	if (!definition)
		return varve_exit_status(error ? *error : NULL);
	out = g_string_new(NULL);
	g_string_append_printf(out, "%zu file%s", definition->n_files,
			       definition->n_files == 1 ? "" : "s");
	count(out, definition->n_upstreams, "upstream", "upstreams");
	count(out, definition->n_package_sets, "package set", "package sets");
	count(out, definition->n_layers, "layer", "layers");
	count(out, definition->n_editions, "edition", "editions");
	count(out, definition->components->n_distros, "distribution", "distributions");
	count(out, definition->components->n_components, "component", "components");
	count(out, definition->components->n_images, "image", "images");
	printf("%s: ok\n", out->str);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_check = {
	.words = "check",
	.arguments = "",
	.summary = "Check the definition.",
	.details =
		"Reads DIR/varve.toml (or DIR/azldev.toml) and all that it includes, and reports "
		"every\nmistake with its file, line and column.",
	.options_size = sizeof(Options),
	.entries = entries,
	.run = run,
};
