/* varvectl floors: what this node remembers of what was good, and whether that is to be believed.
 */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/varvectl/show.h"
#include "cli/varvectl/verbs.h"
#include "ground/fd.h"
#include "stack/node-floors.h"
#include "stack/node.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	gboolean accept, forget;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "accept", 0, 0, G_OPTION_ARG_NONE, &options->accept,
		  "Take the record as it is, although it is not the one that was kept here, and "
		  "anchor it in the TPM",
		  NULL },
		{ "forget", 0, 0, G_OPTION_ARG_NONE, &options->forget,
		  "Begin the record anew from what runs: the way back from a floor or a revocation "
		  "that was a mistake",
		  NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

static void print_set(const char *title, GHashTable *set)
{
	g_autoptr(GList) sorted = g_list_sort(g_hash_table_get_keys(set), (GCompareFunc)strcmp);

	for (GList *item = sorted; item; item = item->next)
		printf("%-20s %s\n", title, (const char *)item->data);
}

static void print_record(const VarveRecord *record)
{
	g_autoptr(GList) layers =
		g_list_sort(g_hash_table_get_keys(record->floors), (GCompareFunc)strcmp);

	for (GList *item = layers; item; item = item->next)
		printf("%-20s %s %" G_GUINT64_FORMAT "\n", "floor", (const char *)item->data,
		       *(guint64 *)g_hash_table_lookup(record->floors, item->data));
	print_set("revoked-certificate", record->certificates);
	print_set("revoked-key", record->keys);
	print_set("revoked-layer", record->layers);
	for (guint i = 0; i < record->accepted->len; i++) {
		const VarveAcceptance *acceptance = record->accepted->pdata[i];
		g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(acceptance->when);
		g_autofree char *date =
			when ? g_date_time_format(when, "%Y-%m-%d %H:%M:%SZ") : g_strdup("?");

		printf("%-20s %s by %s: it was %s\n", "accepted", date, acceptance->by,
		       acceptance->why);
	}
}

static json_t *accepted_to_json(const VarveRecord *record)
{
	json_t *array = json_array();

	for (guint i = 0; i < record->accepted->len; i++) {
		const VarveAcceptance *acceptance = record->accepted->pdata[i];

		json_array_append_new(array, json_pack("{s:I,s:s,s:s}", "when",
						       (json_int_t)acceptance->when, "by",
						       acceptance->by, "why", acceptance->why));
	}
	return array;
}

static void show(const VarveFloors *floors, const VarveReport *found, gboolean as_json)
{
	const VarveRecord *record = varve_floors_record(floors);
	g_autoptr(json_t) json = NULL;
	g_autofree char *text = NULL;

	if (!as_json) {
		printf("rollback protection: %s\n", found->protection);
		varve_show_compliance(found, "");
		print_record(record);
		return;
	}
	json = json_pack("{s:s,s:s,s:I,s:b,s:o}", "code", found->protection_code, "text",
			 found->protection, "number", (json_int_t)record->number, "compliant",
			 found->complaints->len == 0, "accepted", accepted_to_json(record));
	varve_record_to_json(record, json);
	text = varve_json_dump(json, FALSE);
	fputs(text, stdout);
}

static gboolean change(const Options *options, GError **error)
{
	g_autofree char *who = g_strdup_printf("user %s via varvectl floors", g_get_user_name());
	gboolean accepted = FALSE;

	if (!varve_node_accept(options->forget, who, &accepted, error))
		return FALSE;
	if (!accepted)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "there is nothing to accept: the record is the one that was kept "
				  "here, or there is none");
	return TRUE;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveReport) boot = varve_node_report(error);
	g_autoptr(VarveReport) found = varve_report_new();
	varve_autofd state = -1;
	g_autoptr(VarveFloors) floors = NULL;

	if (!boot || !varve_show_is_root(error))
		return VARVE_EXIT_FAILED;
	if ((options->accept || options->forget) && !change(options, error))
		return VARVE_EXIT_FAILED;
	floors = varve_node_floors(boot, &state);
	varve_floors_describe(floors, found);
	show(floors, found, invocation->json);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_floors = {
	.words = "floors",
	.arguments = "",
	.summary = "Show the floors and revocations that this node remembers; accept them anew.",
	.details = "The record lies on the state partition; a TPM holds its number and digest, so "
		   "that "
		   "a record that somebody put back is noticed. Such a node is not compliant until "
		   "root has looked into it and accepts the record.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.run = run,
};
