/* varve check: only loads the definition and the policies that its editions name, and tells what is
 * there or everything that is wrong. */
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varve/verbs.h"
#include "definition/components.h"
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

#define POLICY_MAX ((size_t)1 << 20)

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

/* Policies: what the node would refuse at boot is told here. */

typedef struct {
	const VarveDefinition *definition;
	GPtrArray *mistakes; /* VarveDefinitionMistake * */
	GString *text;       /* the same for people */
} Check;

static void add_mistake(Check *check, const VarveOrigin *origin, const char *message)
{
	VarveDefinitionMistake *mistake = g_new0(VarveDefinitionMistake, 1);
	g_autofree char *text = varve_definition_message(check->definition, origin, message);

	mistake->file = g_strdup(origin->file);
	mistake->line = origin->line;
	mistake->column = origin->column;
	mistake->message = g_strdup(message);
	g_ptr_array_add(check->mistakes, mistake);
	g_string_append_printf(check->text, "%s\n", text);
}

static gboolean is_allowed(const VarvePolicy *policy, const VarveLayerDefinition *layer)
{
	g_autofree char *certificate = g_strconcat(layer->key, ".crt", NULL);

	for (guint i = 0; i < policy->allows->len; i++) {
		const VarveAllow *allow = policy->allows->pdata[i];

		if (g_strcmp0(allow->certificate, certificate) != 0 ||
		    !(allow->roles & (1u << layer->role)))
			continue;
		for (gsize j = 0; allow->layers[j]; j++)
			if (varve_glob_match(allow->layers[j], layer->name))
				return TRUE;
	}
	return FALSE;
}

static gboolean has_layer(const VarveEdition *edition, const char *name)
{
	for (gsize i = 0; i < edition->n_extensions; i++)
		if (g_strcmp0(edition->extensions[i]->name, name) == 0)
			return TRUE;
	return g_strcmp0(edition->base->name, name) == 0;
}

static void check_rules(Check *check, const VarveEdition *edition, const VarvePolicy *policy)
{
	for (gsize i = 0; i < edition->n_extensions; i++) {
		const VarveLayerDefinition *layer = edition->extensions[i];
		g_autofree char *message = NULL;

		if (is_allowed(policy, layer))
			continue;
		message = g_strdup_printf("layer '%s', sealed with key '%s', is allowed by no rule "
					  "of edition '%s''s policy: the node would refuse it",
					  layer->name, layer->key, edition->name);
		add_mistake(check, &layer->origin, message);
	}
	for (guint i = 0; i < policy->required_layers->len; i++) {
		const char *name = ((VarveSaid *)policy->required_layers->pdata[i])->value;
		g_autofree char *message = NULL;

		if (has_layer(edition, name))
			continue;
		message =
			g_strdup_printf("the policy of edition '%s' requires layer '%s', which it "
					"does not have",
					edition->name, name);
		add_mistake(check, &edition->origin, message);
	}
}

/* The policy's reader tells place and line itself. */
static void add_policy_mistake(Check *check, const char *path, const GError *error)
{
	VarveDefinitionMistake *mistake = g_new0(VarveDefinitionMistake, 1);
	const char *rest = error->message;
	gsize size = strlen(path);

	mistake->file = g_strdup(path);
	if (strncmp(rest, path, size) == 0 &&
	    sscanf(rest + size, ":%u:%u: ", &mistake->line, &mistake->column) == 2)
		rest = strstr(rest + size, ": ") + 2;
	mistake->message = g_strndup(rest, strcspn(rest, "\n"));
	g_ptr_array_add(check->mistakes, mistake);
	g_string_append_printf(check->text, "%s\n", error->message);
}

static void check_policy(Check *check, const VarveEdition *edition)
{
	g_autofree char *text = NULL;
	g_autoptr(VarvePolicy) policy = NULL;
	g_autoptr(GError) error = NULL;
	size_t size;

	if (!edition->policy)
		return;
	if (varve_file_read(AT_FDCWD, edition->policy, POLICY_MAX, &text, &size, &error))
		policy = varve_policy_parse(text, size, edition->policy, &error);
	if (policy)
		check_rules(check, edition, policy);
	else
		add_policy_mistake(check, edition->policy, error);
}

/* The report */

static void print_mistakes(const GPtrArray *mistakes)
{
	g_autoptr(json_t) report = json_pack("{s:b, s:[]}", "ok", FALSE, "mistakes");
	g_autofree char *text = NULL;

	for (guint i = 0; i < mistakes->len; i++) {
		const VarveDefinitionMistake *mistake = mistakes->pdata[i];

		json_array_append_new(json_object_get(report, "mistakes"),
				      json_pack("{s:s, s:i, s:i, s:o}", "file", mistake->file,
						"line", (int)mistake->line, "column",
						(int)mistake->column, "message",
						varve_json_text(mistake->message)));
	}
	text = varve_json_dump(report, FALSE);
	fputs(text, stdout);
}

static void print_summary(const VarveDefinition *definition, gboolean json)
{
	const struct {
		gsize n;
		const char *key, *one, *many;
	} counts[] = {
		{ definition->n_files, "files", "file", "files" },
		{ definition->n_upstreams, "upstreams", "upstream", "upstreams" },
		{ definition->n_package_sets, "package-sets", "package set", "package sets" },
		{ definition->n_layers, "layers", "layer", "layers" },
		{ definition->n_editions, "editions", "edition", "editions" },
		{ definition->components->n_distros, "distros", "distribution", "distributions" },
		{ definition->components->n_components, "components", "component", "components" },
		{ definition->components->n_images, "images", "image", "images" },
	};
	g_autoptr(json_t) report = json_pack("{s:b, s:[]}", "ok", TRUE, "mistakes");
	g_autofree char *text = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
		json_object_set_new(report, counts[i].key, json_integer((json_int_t)counts[i].n));
		if (counts[i].n > 0 && !json)
			printf("%s%zu %s", i ? ", " : "", counts[i].n,
			       counts[i].n == 1 ? counts[i].one : counts[i].many);
	}
	if (!json) {
		printf(": ok\n");
		return;
	}
	text = varve_json_dump(report, FALSE);
	fputs(text, stdout);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(GPtrArray) mistakes =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_definition_mistake_free);
	g_autoptr(GError) load_error = NULL;
	g_autoptr(VarveDefinition) definition = varve_definition_load_listing(
		options->directory ? options->directory : ".", mistakes, &load_error);
	g_autoptr(GString) text = g_string_new(NULL);
	Check check = { definition, mistakes, text };

	for (gsize i = 0; definition && i < definition->n_editions; i++)
		check_policy(&check, &definition->editions[i]);
	if (definition && mistakes->len == 0) {
		print_summary(definition, invocation->json);
		return VARVE_EXIT_OK;
	}
	if (mistakes->len > 0 && invocation->json) {
		print_mistakes(mistakes);
		return VARVE_EXIT_FAILED;
	}
	if (load_error)
		g_propagate_error(error, g_steal_pointer(&load_error));
	else
		varve_fail(error, VARVE_ERROR_DEFINITION, "%s%u mistake%s", text->str,
			   mistakes->len, mistakes->len == 1 ? "" : "s");
	return varve_exit_status(error ? *error : NULL);
}

const VarveVerb varve_verb_check = {
	.words = "check",
	.arguments = "",
	.summary = "Check the definition.",
	.details =
		"Reads DIR/varve.toml (or DIR/azldev.toml), all that it includes and the policies "
		"of its\neditions, and reports every mistake with its file, line and column.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.run = run,
};
