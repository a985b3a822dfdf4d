/* varve component render: a component's spec and sources with everything that its definition
 * changes. */
#include "base/file.h"
#include "cli/cli.h"
#include "cli/varve/component-set.h"
#include "cli/varve/verbs.h"
#include "component/effective.h"
#include "component/render.h"

#include <stdio.h>
#include <string.h>

#define SPEC_MAX ((size_t)64 << 20)

typedef struct {
	VarveComponentOptions set;
	char *definition, *component, *spec, *sources, *output;
	gboolean prune;
} RenderOptions;

static GOptionEntry *entries(gpointer data)
{
	RenderOptions *options = data;
	const GOptionEntry table[] = {
		{ "definition", 0, 0, G_OPTION_ARG_FILENAME, &options->definition,
		  "With --spec: root file of the definition, or its directory (default: .)",
		  "FILE" },
		{ "component", 0, 0, G_OPTION_ARG_STRING, &options->component,
		  "With --spec: a name of [components]", "NAME" },
		{ "spec", 0, 0, G_OPTION_ARG_FILENAME, &options->spec,
		  "Render one component from this spec, instead of what its upstream has", "FILE" },
		{ "sources", 0, 0, G_OPTION_ARG_FILENAME, &options->sources,
		  "The loose files beside it (default: 'sources' in its directory, if there is "
		  "one)",
		  "DIR" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "Where specs and their sources go: to LETTER/NAME below it (default: the "
		  "definition's rendered-specs-dir, else specs); with --spec right there, an empty "
		  "directory",
		  "DIR" },
		{ "prune", 0, 0, G_OPTION_ARG_NONE, &options->prune,
		  "With --all: remove what was rendered of components that are gone", NULL },
		{ NULL },
	};

	return varve_component_entries(&options->set, table);
}

static gboolean check_options(const RenderOptions *options, GError **error)
{
	const struct {
		const char *name, *value;
	} needed[] = {
		{ "--component NAME", options->component },
		{ "--spec FILE", options->spec },
		{ "--output DIR", options->output },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
		if (!needed[i].value)
			return varve_fail(error, VARVE_ERROR_USAGE, "%s is needed", needed[i].name);
	return TRUE;
}

/* -1 in *@ret_fd where there is none, which is no error unless it was asked for. */
static gboolean open_sources(const RenderOptions *options, int *ret_fd, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(options->spec);
	g_autofree char *beside = g_build_filename(directory, "sources", NULL);
	const char *path = options->sources ? options->sources : beside;

	*ret_fd = -1;
	if (!options->sources && !g_file_test(path, G_FILE_TEST_IS_DIR))
		return TRUE;
	*ret_fd = varve_dir_open(AT_FDCWD, path, error);
	return *ret_fd >= 0;
}

static int open_output(const char *path, GError **error)
{
	g_auto(GStrv) names = NULL;
	varve_autofd fd = -1;

	if (!varve_dir_make(path, 0755, error))
		return -1;
	fd = varve_dir_open(AT_FDCWD, path, error);
	if (fd < 0 || !varve_dir_list(fd, ".", &names, error))
		return -1;
	if (*names) {
		varve_fail(error, VARVE_ERROR_CONFLICT,
			   "%s: has files in it ('%s'), expected an empty directory; name another "
			   "one with --output",
			   path, *names);
		return -1;
	}
	return varve_fd_steal(&fd);
}

/* What a failed render left must not be taken for a component. */
static void clear(int directory)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(directory, ".", &names, NULL))
		return;
	for (char **name = names; *name; name++)
		varve_dir_remove(directory, *name, NULL);
}

static gboolean render(const RenderOptions *options, const VarveComponent *component,
		       GError **error)
{
	g_autofree char *spec = NULL;
	varve_autofd sources = -1;
	varve_autofd output = -1;
	VarveRenderInput input = { .name = options->component,
				   .component = component,
				   .spec_path = options->spec };

	if (!varve_file_read(AT_FDCWD, options->spec, SPEC_MAX, &spec, &input.spec_size, error) ||
	    !open_sources(options, &sources, error))
		return FALSE;
	output = open_output(options->output, error);
	if (output < 0)
		return FALSE;
	input.spec = spec;
	input.sources = sources;
	if (varve_render(&input, output, error))
		return TRUE;
	clear(output);
	return FALSE;
}

/* One component from a spec that is at hand. */
static int render_one(const RenderOptions *options, GError **error)
{
	const char *path = options->definition ? options->definition : options->set.directory;
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(VarveEffective) effective = NULL;

	if (!check_options(options, error))
		return VARVE_EXIT_USAGE;
	definition = varve_definition_load(path ? path : ".", error);
	if (!definition)
		return VARVE_EXIT_FAILED;
	effective = varve_effective_new(definition, options->component, error);
	return effective && render(options, &effective->component, error) ? VARVE_EXIT_OK
									  : VARVE_EXIT_FAILED;
}

/* Components of a definition from their upstreams. */
static int render_set(const RenderOptions *options, const char *const *names, GError **error)
{
	g_autoptr(VarveComponentSet) set = NULL;
	g_autoptr(GPtrArray) failures = NULL;
	g_autofree char *specs = NULL;
	const char *output;

	if (options->prune && !options->set.all) {
		varve_fail(error, VARVE_ERROR_USAGE, "--prune needs --all");
		return VARVE_EXIT_USAGE;
	}
	set = varve_component_set_open(&options->set, names, error);
	if (!set)
		return VARVE_EXIT_FAILED;
	specs = set->definition->components->rendered_specs_dir
			? g_strdup(set->definition->components->rendered_specs_dir)
			: g_build_filename(set->definition->directory, "specs", NULL);
	output = options->output ? options->output : specs;
	if (!varve_component_set_render(set, output, options->prune, &failures, error))
		return VARVE_EXIT_FAILED;
	for (guint i = 0; i < failures->len; i++)
		fprintf(stderr, "varve: %s\n", (const char *)failures->pdata[i]);
	return failures->len == 0 ? VARVE_EXIT_OK : VARVE_EXIT_FAILED;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const RenderOptions *options = invocation->options;
	const char *const *names = (const char *const *)invocation->argv;

	if (!options->spec && !options->component)
		return render_set(options, names, error);
	if (*names) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "--spec and --component render one component: '%s' is too much", *names);
		return VARVE_EXIT_USAGE;
	}
	return render_one(options, error);
}

const VarveVerb varve_verb_component_render = {
	.words = "component render",
	.arguments = "[NAME…]",
	.summary = "Render components: their specs and sources with the definition's changes.",
	.details =
		"Fetches each component's upstream, applies its overlays and build settings, "
		"calculates\nthe release and leaves out files that the spec does not refer to. The "
		"same definition\nand components.lock give the same bytes. A component that fails "
		"keeps what was there\nand does not stop the others.\n\n"
		"With --component, --spec and --output one component is rendered from a spec that "
		"is at\nhand: overlays and build settings alone. When an overlay does not fit, "
		"nothing is left\nin DIR.",
	.options_size = sizeof(RenderOptions),
	.entries = entries,
	.max_arguments = -1,
	.run = run,
};
