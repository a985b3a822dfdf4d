/* varvectl verify: hashes the layers again. */
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varvectl/verbs.h"
#include "stack/node.h"

#include <stdio.h>

typedef struct {
	gboolean all;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "all", 0, 0, G_OPTION_ARG_NONE, &options->all,
		  "Every file in the layers directory, not only what is merged", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

/* A file that is not merged is known by its name alone. */
static void print_one(const VarveVerified *verified)
{
	g_autofree char *size = varve_size_text(verified->bytes);

	printf("%s%s%s: ", verified->name, verified->version[0] ? " " : "", verified->version);
	if (verified->wrong)
		printf("WRONG: %s\n", verified->wrong);
	else
		printf("good, %s in %" G_GINT64_FORMAT " ms, root %.12s…\n", size,
		       verified->microseconds / 1000, verified->root);
}

/* What the results add up to. */
typedef struct {
	json_t *json; /* NULL: they are printed one by one */
	guint n, wrong;
} Results;

static void take(const VarveVerified *v, gpointer data)
{
	Results *results = data;

	results->n++;
	results->wrong += v->wrong != NULL;
	if (!results->json) {
		print_one(v);
		fflush(stdout);
		return;
	}
	json_array_append_new(results->json,
			      json_pack("{s:s,s:s,s:s,s:I,s:I,s:b,s:s}", "name", v->name, "version",
					v->version, "root", v->root, "bytes", (json_int_t)v->bytes,
					"microseconds", (json_int_t)v->microseconds, "good",
					v->wrong == NULL, "wrong", v->wrong ? v->wrong : ""));
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveReport) boot = varve_node_report(error);
	g_autoptr(json_t) json = invocation->json ? json_array() : NULL;
	Results results = { .json = json };

	if (!boot || !varve_node_verify(boot, options->all, take, &results, error))
		return VARVE_EXIT_FAILED;
	if (json) {
		g_autofree char *text = varve_json_dump(json, FALSE);

		fputs(text, stdout);
	}
	if (results.wrong == 0)
		return VARVE_EXIT_OK;
	varve_fail(error, VARVE_ERROR_CORRUPT,
		   "%u of %u layers are not as they were signed; put good copies in their place",
		   results.wrong, results.n);
	return VARVE_EXIT_FAILED;
}

const VarveVerb varve_verb_verify = {
	.words = "verify",
	.arguments = "",
	.summary = "Hash the base and the merged layers whole; check the layers' signatures.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.run = run,
};
