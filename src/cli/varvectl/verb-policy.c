/* varvectl policy: the policy that holds, line by line with who says it; and whether a file may be
 * added to it. */
#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/varvectl/show.h"
#include "cli/varvectl/verbs.h"
#include "stack/compliance.h"
#include "stack/node-floors.h"
#include "stack/node.h"

#include <stdio.h>
#include <string.h>

#define FILE_LIMIT (1024 * 1024)

typedef struct {
	gboolean check;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "check", 0, 0, G_OPTION_ARG_NONE, &options->check,
		  "Check FILE before it is put into /etc/varve/policy.d", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

/* One line of the policy. */
typedef struct {
	const char *key;
	char *value;
	const char *origin;
} Row;

static void row_clear(gpointer data)
{
	g_free(((Row *)data)->value);
}

static void add_row(GArray *rows, const char *key, char *value, const char *origin)
{
	Row row = { .key = key, .value = value, .origin = origin };

	g_array_append_val(rows, row);
}

static void add_said(GArray *rows, const char *key, const GPtrArray *list)
{
	for (guint i = 0; i < list->len; i++) {
		const VarveSaid *said = list->pdata[i];

		add_row(rows, key, g_strdup(said->value), said->origin);
	}
}

static void add_revoked(GArray *rows, const char *key, GHashTable *revoked)
{
	g_autoptr(GList) sorted = g_list_sort(g_hash_table_get_keys(revoked), (GCompareFunc)strcmp);

	for (GList *item = sorted; item; item = item->next)
		add_row(rows, key, g_strdup(item->data), g_hash_table_lookup(revoked, item->data));
}

static void add_floors(GArray *rows, const VarvePolicy *policy)
{
	g_autoptr(GList) sorted =
		g_list_sort(g_hash_table_get_keys(policy->floors), (GCompareFunc)strcmp);

	for (GList *item = sorted; item; item = item->next) {
		const VarveFloor *floor = g_hash_table_lookup(policy->floors, item->data);

		add_row(rows, "rollback-floor",
			g_strdup_printf("%s %" G_GUINT64_FORMAT, (const char *)item->data,
					floor->index),
			floor->origin);
	}
}

static void append_list(GString *text, const char *title, char *const *list)
{
	g_autofree char *joined = list && *list ? g_strjoinv(" ", (char **)list) : NULL;

	if (joined)
		g_string_append_printf(text, "; %s %s", title, joined);
}

static char *describe_allow(const VarveAllow *allow)
{
	GString *text = g_string_new(allow->certificate);

	append_list(text, "layers", allow->layers);
	g_string_append(text, "; roles");
	for (guint role = VARVE_ROLE_BASE; role <= VARVE_ROLE_PATCH; role++)
		if (allow->roles & (1u << role))
			g_string_append_printf(text, " %s", varve_role_name((VarveRole)role));
	append_list(text, "paths", allow->paths);
	append_list(text, "selinux-types", allow->selinux_types);
	append_list(text, "setuid-paths", allow->setuid);
	append_list(text, "capability-paths", allow->capabilities);
	append_list(text, "reserved-paths", allow->reserved);
	append_list(text, "patches", allow->patches);
	if (allow->kernel_modules)
		g_string_append(text, "; kernel-modules");
	return g_string_free(text, FALSE);
}

static char *describe_deny(const VarveDeny *deny)
{
	GString *text = g_string_new(deny->certificate ? deny->certificate : "any certificate");

	append_list(text, "layers", deny->layers);
	g_string_append_printf(text, "; reason: %s", deny->reason);
	return g_string_free(text, FALSE);
}

static GArray *rows_of(const VarvePolicy *policy)
{
	static const char *const checks[] = { "first", "always", "never" };
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(Row));

	g_array_set_clear_func(rows, row_clear);
	for (guint i = 0; i < policy->allows->len; i++)
		add_row(rows, "allow", describe_allow(policy->allows->pdata[i]), VARVE_ORIGIN_BASE);
	for (guint i = 0; i < policy->denies->len; i++) {
		const VarveDeny *deny = policy->denies->pdata[i];

		add_row(rows, "deny", describe_deny(deny), deny->origin);
	}
	add_row(rows, "check", g_strdup(checks[policy->check]), policy->check_origin);
	add_row(rows, "support-end", g_strdup(policy->refuse_ended ? "refuse" : "warn"),
		policy->ended_origin);
	add_said(rows, "required-layer", policy->required_layers);
	add_said(rows, "reserved-path", policy->reserved);
	add_floors(rows, policy);
	add_revoked(rows, "revoked-certificate", policy->revoked_certificates);
	add_revoked(rows, "revoked-key", policy->revoked_keys);
	add_revoked(rows, "revoked-layer", policy->revoked_layers);
	return rows;
}

static void print_text(const GArray *rows, const VarveReport *found)
{
	for (guint i = 0; i < rows->len; i++) {
		const Row *row = &g_array_index(rows, Row, i);

		printf("%-20s %s  [%s]\n", row->key, row->value, row->origin);
	}
	printf("rollback protection: %s\n", found->protection);
	varve_show_compliance(found, "");
}

static void print_json(const GArray *rows, const VarveReport *found)
{
	g_autoptr(json_t) json = json_object();
	json_t *array = json_array();
	g_autofree char *text = NULL;

	for (guint i = 0; i < rows->len; i++) {
		const Row *row = &g_array_index(rows, Row, i);

		json_array_append_new(array, json_pack("{s:s,s:s,s:s}", "key", row->key, "value",
						       row->value, "origin", row->origin));
	}
	varve_compliance_to_json(found, json);
	json_object_del(json, "to-record");
	json_object_set_new(json, "lines", array);
	text = varve_json_dump(json, FALSE);
	fputs(text, stdout);
}

static int show(gboolean as_json, GError **error)
{
	g_autoptr(VarveReport) boot = varve_node_report(error);
	g_autoptr(VarveReport) found = varve_report_new();
	g_autoptr(VarvePolicy) policy = NULL;
	g_autoptr(GArray) rows = NULL;
	varve_autofd base = -1;

	if (!boot || !varve_show_is_root(error))
		return VARVE_EXIT_FAILED;
	base = varve_dir_open(AT_FDCWD, VARVE_BASE_MOUNT, error);
	policy = base >= 0 ? varve_node_policy(base, boot, found, error) : NULL;
	if (!policy)
		return VARVE_EXIT_FAILED;
	rows = rows_of(policy);
	if (as_json)
		print_json(rows, found);
	else
		print_text(rows, found);
	if (!varve_report_has_complaint(found, "policy-file"))
		return VARVE_EXIT_OK;
	varve_fail(error, VARVE_ERROR_DEFINITION,
		   "a file in /etc/varve/policy.d has a mistake, see above: correct it before the "
		   "next boot");
	return VARVE_EXIT_FAILED;
}

/* Appends what is wrong with @file to @mistakes. */
static void check_file(const char *file, const VarvePolicy *base, GPtrArray *mistakes)
{
	g_autoptr(VarvePolicy) local = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	gsize size;

	if (varve_file_read(AT_FDCWD, file, FILE_LIMIT, &text, &size, &error))
		local = varve_tighten_parse(text, size, file, base, mistakes, &error);
	if (!local)
		g_ptr_array_add(mistakes, g_strdup(error->message));
}

static int check(const VarveInvocation *invocation, GError **error)
{
	g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(VarvePolicy) policy = NULL;
	varve_autofd base = open(VARVE_BASE_MOUNT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *all = NULL;

	policy = base >= 0 ? varve_policy_load(base, error) : NULL;
	if (base >= 0 && !policy)
		return VARVE_EXIT_FAILED;
	for (int i = 0; i < invocation->argc; i++)
		check_file(invocation->argv[i], policy, mistakes);
	if (mistakes->len > 0) {
		g_ptr_array_add(mistakes, NULL);
		all = g_strjoinv("\n", (char **)mistakes->pdata);
		varve_fail(error, VARVE_ERROR_DEFINITION, "%s", all);
		return VARVE_EXIT_FAILED;
	}
	for (int i = 0; i < invocation->argc; i++)
		printf("%s: it may be added%s\n", invocation->argv[i],
		       policy ? "" : " (not compared with a base's policy: this is no Varve node)");
	return VARVE_EXIT_OK;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;

	if (options->check != (invocation->argc > 0)) {
		varve_fail(error, VARVE_ERROR_USAGE, "--check and FILE go together");
		return VARVE_EXIT_USAGE;
	}
	return options->check ? check(invocation, error) : show(invocation->json, error);
}

const VarveVerb varve_verb_policy = {
	.words = "policy",
	.arguments = "[--check FILE…]",
	.summary = "Show the policy that holds, and who says each line of it.",
	.details = "It is the base's, tightened by the record of what was good on this node and by "
		   "/etc/varve/policy.d/*.toml. Exit status 1: one of those files has a mistake.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.max_arguments = -1,
	.run = run,
};
