/* varvectl history: the generations of this node. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/varvectl/verbs.h"
#include "ground/fd.h"
#include "stack/node.h"

#include <stdio.h>
#include <string.h>

/* "current", "good", both or "": what the links of the generation's base say of it. */
static char *marks(int dirfd, const VarveGeneration *generation)
{
	static const char *const links[] = { "current", "good" };
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
		g_autoptr(VarveGeneration) linked =
			varve_generation_linked(dirfd, links[i], &generation->base, NULL);

		if (linked && linked->number == generation->number)
			g_string_append_printf(text, "%s%s", text->len ? ", " : "", links[i]);
	}
	return g_string_free(text, FALSE);
}

static void print_text(int dirfd, const VarveGeneration *generation)
{
	g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(generation->when);
	g_autofree char *date =
		when ? g_date_time_format(when, "%Y-%m-%d %H:%M:%SZ") : g_strdup("unknown time");
	g_autofree char *mark = marks(dirfd, generation);
	char hex[VARVE_DIGEST_HEX_SIZE];

	varve_digest_to_hex(&generation->base, hex);
	printf("%u  %s  base %s %s (%.12s…)  by %s%s%s%s%s%s\n", generation->number, date,
	       generation->base_name, generation->base_version, hex, generation->by,
	       *generation->why ? ": " : "", generation->why, *mark ? "  [" : "", mark,
	       *mark ? "]" : "");
	if (*generation->outcome)
		printf("     FAILED: %s\n", generation->reason);
	for (guint i = 0; i < generation->layers->len; i++) {
		const VarveGenerationLayer *layer = generation->layers->pdata[i];

		varve_digest_to_hex(&layer->root, hex);
		printf("     %s %s  root %.12s…\n", layer->name, layer->version, hex);
	}
}

static json_t *to_json(int dirfd, const VarveGeneration *generation)
{
	g_autofree char *mark = marks(dirfd, generation);
	json_t *layers = json_array();
	char hex[VARVE_DIGEST_HEX_SIZE];

	for (guint i = 0; i < generation->layers->len; i++) {
		const VarveGenerationLayer *layer = generation->layers->pdata[i];

		varve_digest_to_hex(&layer->root, hex);
		json_array_append_new(layers,
				      json_pack("{s:s,s:s,s:s,s:s}", "name", layer->name, "version",
						layer->version, "file", layer->file, "root", hex));
	}
	varve_digest_to_hex(&generation->base, hex);
	return json_pack("{s:i,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:s,s:s,s:o}", "number",
			 (int)generation->number, "when", (json_int_t)generation->when, "base-name",
			 generation->base_name, "base-version", generation->base_version,
			 "base-root", hex, "by", generation->by, "why", generation->why,
			 "selection", varve_selection_name(generation->selection), "current",
			 strstr(mark, "current") != NULL, "good", strstr(mark, "good") != NULL,
			 "outcome", generation->outcome, "reason", generation->reason, "layers",
			 layers);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	varve_autofd dirfd = varve_node_generations(error);
	g_autoptr(GPtrArray) list = NULL;
	g_autoptr(json_t) array = json_array();
	guint unreadable = 0;

	if (dirfd < 0)
		return VARVE_EXIT_FAILED;
	list = varve_generation_list(dirfd, &unreadable, error);
	if (!list)
		return VARVE_EXIT_FAILED;
	for (guint i = list->len; i-- > 0;) {
		if (invocation->json)
			json_array_append_new(array, to_json(dirfd, list->pdata[i]));
		else
			print_text(dirfd, list->pdata[i]);
	}
	if (invocation->json) {
		g_autofree char *text = varve_json_dump(array, FALSE);

		fputs(text, stdout);
	} else if (list->len == 0) {
		puts("No generation is recorded yet.");
	}
	if (unreadable > 0)
		fprintf(stderr, "%u record%s cannot be read\n", unreadable,
			unreadable == 1 ? "" : "s");
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_history = {
	.words = "history",
	.arguments = "",
	.summary = "List the generations of this node, newest first.",
	.reports = TRUE,
	.run = run,
};
