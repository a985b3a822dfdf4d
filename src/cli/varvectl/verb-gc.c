/* varvectl gc: makes room on the state partition. */
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varvectl/verbs.h"
#include "live/gc.h"

#include <stdio.h>

typedef struct {
	gint keep;
	gboolean dry_run;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "keep", 0, 0, G_OPTION_ARG_INT, &options->keep,
		  "Keep the newest N generations of the running base (default: 3)", "N" },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &options->dry_run, "Only say what would go",
		  NULL },
		{ NULL },
	};

	options->keep = VARVE_GC_KEEP;
	return g_memdup2(list, sizeof(list));
}

static void print_text(const VarveGc *gc, gboolean dry_run)
{
	g_autofree char *size = varve_size_text(gc->bytes);

	for (guint i = 0; i < gc->files->len; i++)
		printf("- %s\n", (const char *)gc->files->pdata[i]);
	if (gc->generations->len == 0 && gc->files->len == 0)
		puts("There is nothing to remove.");
	else
		printf("%u generation%s and %u file%s %s, %s\n", gc->generations->len,
		       gc->generations->len == 1 ? "" : "s", gc->files->len,
		       gc->files->len == 1 ? "" : "s", dry_run ? "would go" : "are gone", size);
	for (guint i = 0; i < gc->unknown->len; i++)
		printf("%s: left, because no generation ever had it\n",
		       (const char *)gc->unknown->pdata[i]);
}

static json_t *strings(const GPtrArray *list)
{
	json_t *array = json_array();

	for (guint i = 0; i < list->len; i++)
		json_array_append_new(array, varve_json_escaped(list->pdata[i]));
	return array;
}

static void print_json(const VarveGc *gc)
{
	json_t *generations = json_array();
	g_autoptr(json_t) json = NULL;
	g_autofree char *text = NULL;

	for (guint i = 0; i < gc->generations->len; i++)
		json_array_append_new(generations,
				      json_integer(GPOINTER_TO_UINT(gc->generations->pdata[i])));
	json = json_pack("{s:o,s:o,s:o,s:I}", "generations", generations, "files",
			 strings(gc->files), "unknown", strings(gc->unknown), "bytes",
			 (json_int_t)gc->bytes);
	text = varve_json_dump(json, FALSE);
	fputs(text, stdout);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_auto(VarveGc) gc = { NULL };

	if (options->keep < 1) {
		varve_fail(error, VARVE_ERROR_USAGE, "--keep is %d, expected 1 or more",
			   options->keep);
		return VARVE_EXIT_USAGE;
	}
	if (!varve_gc((guint)options->keep, options->dry_run, &gc, error))
		return VARVE_EXIT_FAILED;
	if (invocation->json)
		print_json(&gc);
	else
		print_text(&gc, options->dry_run);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_gc = {
	.words = "gc",
	.arguments = "",
	.summary = "Remove generations and layer files that nothing needs any more.",
	.details = "What is kept: the newest generations of the running base, the current and the "
		   "good one of every base that is on a disk, whatever is merged or open, and what "
		   "the next boot would choose. Files that no generation ever had are left.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.run = run,
};
