/* varve component list: the components, where their specs come from and what differs. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varve/component-text.h"
#include "cli/varve/verbs.h"
#include "component/select.h"

#include <stdio.h>

typedef struct {
	char *directory;
} Options;

static GOptionEntry *entries(gpointer options)
{
	Options *list = options;
	const GOptionEntry all[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &list->directory,
		  "Where the definition is (default: .)", "DIR" },
		{ NULL },
	};

	return g_memdup2(all, sizeof(all));
}

static void print_json(const VarveDefinition *definition, const GPtrArray *components)
{
	g_autoptr(json_t) report = json_pack("{s:[]}", "components");
	g_autofree char *text = NULL;

	for (guint i = 0; i < components->len; i++)
		json_array_append_new(json_object_get(report, "components"),
				      varve_component_json(definition, components->pdata[i]));
	text = varve_json_dump(report, FALSE);
	fputs(text, stdout);
}

typedef struct {
	char *name, *spec, *notes;
} Row;

static void row_free(gpointer data)
{
	Row *row = data;

	g_free(row->name);
	g_free(row->spec);
	g_free(row->notes);
	g_free(row);
}

/* One long name does not push everybody's columns away. */
#define COLUMN_MAX 40

static void print_table(const VarveDefinition *definition, const GPtrArray *components)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
	int name_width = 0, spec_width = 0;
	guint n_different = 0;

	for (guint i = 0; i < components->len; i++) {
		const VarveEffective *effective = components->pdata[i];
		g_autofree char *spec = varve_component_spec_text(definition, effective);
		g_autofree char *notes = varve_component_notes(effective);
		Row *row = g_new0(Row, 1);

		row->name = varve_text_line(effective->name);
		row->spec = varve_text_line(spec);
		row->notes = varve_text_line(notes);
		name_width = MAX(name_width, (int)g_utf8_strlen(row->name, -1));
		spec_width = MAX(spec_width, (int)g_utf8_strlen(row->spec, -1));
		n_different += *notes != '\0';
		g_ptr_array_add(rows, row);
	}
	name_width = MIN(name_width, COLUMN_MAX);
	spec_width = MIN(spec_width, COLUMN_MAX);
	for (guint i = 0; i < rows->len; i++) {
		const Row *row = rows->pdata[i];

		if (*row->notes)
			printf("%-*s  %-*s  %s\n", name_width, row->name, spec_width, row->spec,
			       row->notes);
		else
			printf("%-*s  %s\n", name_width, row->name, row->spec);
	}
	printf("%u component%s, %u with something of ours\n", rows->len, rows->len == 1 ? "" : "s",
	       n_different);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveDefinition) definition =
		varve_definition_load(options->directory ? options->directory : ".", error);
	g_autoptr(GPtrArray) components = NULL;

	if (definition)
		components = varve_effective_select(definition,
						    (const char *const *)invocation->argv, error);
	if (!components)
		return varve_exit_status(error ? *error : NULL);
	if (invocation->json)
		print_json(definition, components);
	else
		print_table(definition, components);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_component_list = {
	.words = "component list",
	.arguments = "[PATTERN…]",
	.summary = "List components: where their specs come from, and what is ours.",
	.details = "A PATTERN is a name or a glob: 'python-*'. What the distribution, the project\n"
		   "and groups say is merged; 'varve component show --explain' says from where.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.max_arguments = -1,
	.run = run,
};
