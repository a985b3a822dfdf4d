/* varvectl status: the stack that runs. */
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varvectl/show-health.h"
#include "cli/varvectl/show-who.h"
#include "cli/varvectl/show.h"
#include "cli/varvectl/verbs.h"
#include "ground/fd.h"
#include "live/swap.h"
#include "stack/compliance.h"
#include "stack/integrity.h"
#include "stack/node.h"
#include "stack/tries.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define SHORT_HASH 12
#define OS_RELEASE_LIMIT 65536
#define UNFINISHED "a swap was interrupted before its services were brought in line"
#define UNFINISHED_NEXT "give the same swap again, or another: it finishes them first"

typedef struct {
	gboolean fail;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "fail", 0, 0, G_OPTION_ARG_NONE, &options->fail,
		  "End with status 3 where the node is not compliant", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

/* How the state partition does. */
typedef struct {
	gboolean known, read_only;
	guint64 size, free;
	guint64 errors; /* that ext4 met, ever */
} State;

/* (caller frees) the value of @key in os-release, "" where there is none. */
static char *os_release(const char *key)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	gsize size, length = strlen(key);

	if (!varve_file_read(AT_FDCWD, "/usr/lib/os-release", OS_RELEASE_LIMIT, &text, &size, NULL))
		return g_strdup("");
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char *value;

		if (strncmp(*line, key, length) != 0 || (*line)[length] != '=')
			continue;
		value = g_shell_unquote(*line + length + 1, NULL);
		return value ? value : g_strdup("");
	}
	return g_strdup("");
}

static void read_state(const VarveReport *report, State *state)
{
	struct statvfs fs;
	g_autofree char *device = g_path_get_basename(report->state_detail);
	g_autofree char *path = g_strdup_printf("/sys/fs/ext4/%s/errors_count", device);
	g_autofree char *text = NULL;
	gsize size;

	memset(state, 0, sizeof(*state));
	if (statvfs(VARVE_STATE_MOUNT, &fs) < 0)
		return;
	state->known = TRUE;
	state->read_only = (fs.f_flag & ST_RDONLY) != 0;
	state->size = (guint64)fs.f_blocks * fs.f_frsize;
	state->free = (guint64)fs.f_bavail * fs.f_frsize;
	if (varve_file_read(AT_FDCWD, path, 64, &text, &size, NULL))
		state->errors = g_ascii_strtoull(text, NULL, 10);
}

/* Who runs old code: a node is not patched while somebody does. */
typedef struct {
	VarveWho *who; /* NULL where it is not known */
	VarveShown *shown;
	char *unknown; /* why not; "" */
} Pending;

static void pending_clear(Pending *pending)
{
	varve_who_free(pending->who);
	varve_shown_free(pending->shown);
	g_free(pending->unknown);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pending, pending_clear)

static void find_pending(const VarveReport *report, Pending *pending)
{
	g_autoptr(GError) error = NULL;

	varve_shown_who(report, &pending->shown, &pending->who, &error);
	pending->unknown = g_strdup(error ? error->message : "");
}

static void complain(const Pending *pending, VarveReport *report)
{
	g_autofree char *sentence = pending->who ? varve_show_who_sentence(pending->who) : NULL;

	if (varve_swap_unfinished())
		varve_report_complain(report, "services-unfinished", UNFINISHED_NEXT, "%s",
				      UNFINISHED);
	if (sentence)
		varve_report_complain(report, "pending-restart",
				      "'varvectl who' says what to do about each", "%s", sentence);
}

static void print_pending(const Pending *pending)
{
	g_autofree char *sentence = pending->who ? varve_show_who_sentence(pending->who) : NULL;

	if (varve_swap_unfinished())
		puts("\nNOT COMPLIANT: services-unfinished: " UNFINISHED "; " UNFINISHED_NEXT);
	g_autofree char *unknown = varve_text_line(pending->unknown);

	if (sentence)
		printf("\nNOT COMPLIANT: pending-restart: %s; 'varvectl who' says what to do about "
		       "each\n",
		       sentence);
	if (*unknown)
		printf("\nWhether old code runs is not known: %s\n", unknown);
}

static void print_json(const VarveReport *report, const State *state, const VarveHealth *health,
		       const Pending *pending)
{
	g_autoptr(json_t) json = varve_report_to_json(report);
	g_autofree char *name = os_release("PRETTY_NAME");
	g_autofree char *version = os_release("IMAGE_VERSION");
	g_autofree char *edition = os_release("VARIANT_ID");
	g_autofree char *end = os_release("SUPPORT_END");
	g_autofree char *text = NULL;

	json_object_set_new(json, "os",
			    json_pack("{s:s,s:s,s:s,s:s}", "name", name, "edition", edition,
				      "image-version", version, "support-end", end));
	if (state->known)
		json_object_set_new(json, "state-partition",
				    json_pack("{s:I,s:I,s:I,s:b}", "size", (json_int_t)state->size,
					      "free", (json_int_t)state->free, "errors",
					      (json_int_t)state->errors, "read-only",
					      state->read_only));
	varve_show_health_json(health, json);
	json_object_set_new(json, "pending-restart",
			    pending->who ? varve_show_who_json(pending->who, pending->shown, NULL)
					 : json_null());
	if (*pending->unknown)
		json_object_set_new(json, "pending-restart-unknown",
				    varve_json_text(pending->unknown));
	text = varve_json_dump(json, FALSE);
	fputs(text, stdout);
}

static void print_layer(const VarveReportLayer *layer, const char *title, int name_width,
			int version_width)
{
	printf("%-12s %-*s  %-*s  root %.*s…  %s%s", title, name_width, layer->name, version_width,
	       layer->version, SHORT_HASH, layer->root, layer->certificate,
	       layer->development ? " (DEVELOPMENT KEY)" : "");
	if (layer->packages > 0)
		printf("  %u package%s", layer->packages, layer->packages == 1 ? "" : "s");
	putchar('\n');
}

static void print_layers(const VarveReport *report)
{
	int name_width = (int)strlen(report->base->name);
	int version_width = (int)strlen(report->base->version);
	const char *title = "layers";

	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if (!layer->accepted)
			continue;
		name_width = MAX(name_width, (int)strlen(layer->name));
		version_width = MAX(version_width, (int)strlen(layer->version));
	}
	print_layer(report->base, "base", name_width, version_width);
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if (!layer->accepted)
			continue;
		print_layer(layer, title, name_width, version_width);
		title = "";
	}
	if (*title)
		printf("%-12s none: the base runs alone\n", title);
}

static void print_state(const VarveReport *report, const State *state)
{
	g_autofree char *free_text = varve_size_text(state->free);
	g_autofree char *size_text = varve_size_text(state->size);

	if (strcmp(report->state, "ok") != 0) {
		printf("%-12s VOLATILE, all is lost at the next boot: %s\n", "state",
		       report->state_detail);
		return;
	}
	printf("%-12s %s", "state", report->state_detail);
	if (state->known)
		printf(", %s free of %s", free_text, size_text);
	if (state->known && state->free == 0)
		printf(", FULL");
	if (state->read_only)
		printf(", READ-ONLY");
	if (state->errors > 0)
		printf(", %" G_GUINT64_FORMAT " FILESYSTEM ERRORS: run e2fsck", state->errors);
	putchar('\n');
}

static gboolean uses_development_keys(const VarveReport *report)
{
	gboolean found = report->base->development;

	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		found = found || (layer->accepted && layer->development);
	}
	return found;
}

static void print_generation(const VarveReport *report)
{
	printf("%-12s %u (%s)", "generation", report->generation, report->selection);
	if (report->attempt > 0)
		printf(", boot %u of %d in which it has to come up", report->attempt,
		       VARVE_TRIES_MAX);
	putchar('\n');
}

/* The refused ones, or those that are not needed any more. */
static void print_others(const VarveReport *report, gboolean retired)
{
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if (!layer->accepted && layer->retired == retired)
			varve_show_refused(layer, "  ");
	}
}

static void print_text(const VarveReport *report, const State *state, const VarveHealth *health,
		       const Pending *pending)
{
	g_autofree char *name = os_release("PRETTY_NAME");
	g_autofree char *end = os_release("SUPPORT_END");
	g_autofree char *verification = varve_show_verification(report);
	g_autofree char *integrity = varve_show_integrity(report);
	guint refused = varve_report_refused(report), retired = 0;

	for (guint i = 0; i < report->layers->len; i++)
		retired += ((const VarveReportLayer *)report->layers->pdata[i])->retired;
	printf("%s%s%s\n", name, *end ? ", supported until " : "", end);
	if (uses_development_keys(report))
		printf("DEVELOPMENT KEYS are trusted here: anyone who has them can sign layers for "
		       "this "
		       "node.\n");
	putchar('\n');
	print_layers(report);
	if (report->generation > 0)
		print_generation(report);
	else
		printf("%-12s none is recorded\n", "generation");
	print_state(report, state);
	printf("%-12s %s; every block at every read (dm-verity)\n", "verification", verification);
	if (integrity)
		printf("%-12s %s\n", "code", integrity);
	printf("%s: %s\n", "rollback protection", report->protection);
	if (report->complaints->len > 0)
		putchar('\n');
	varve_show_compliance(report, "");
	varve_show_health(health, "\n");
	print_pending(pending);
	varve_show_warnings(report, "\n");
	if (refused > 0)
		printf("\n%u layer%s refused:\n", refused, refused == 1 ? " was" : "s were");
	print_others(report, FALSE);
	if (retired > 0)
		printf("\n%u patch%s not needed any more:\n", retired,
		       retired == 1 ? " is" : "es are");
	print_others(report, TRUE);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveReport) report = varve_node_report(error);
	g_autoptr(VarveHealth) health = NULL;
	g_autoptr(VarveRefusal) ended = NULL;
	g_auto(Pending) pending = { .who = NULL };
	State state;

	if (!report)
		return VARVE_EXIT_FAILED;
	/* The day may have come while the node ran. */
	ended = varve_compliance_base(NULL, report, varve_today());
	varve_compliance_layers(report, varve_today());
	read_state(report, &state);
	varve_integrity_check("/sys", report);
	health = varve_node_health(report);
	find_pending(report, &pending);
	/* In words they have paragraphs of their own. */
	if (!invocation->json)
		print_text(report, &state, health, &pending);
	varve_health_complain(health, report);
	complain(&pending, report);
	if (invocation->json)
		print_json(report, &state, health, &pending);
	return options->fail && report->complaints->len > 0 ? VARVE_EXIT_REFUSED : VARVE_EXIT_OK;
}

const VarveVerb varve_verb_status = {
	.words = "status",
	.arguments = "",
	.summary = "Show the stack that runs: base, layers, signers, what was refused and why.",
	.details =
		"A node is NOT COMPLIANT where a layer is missing that its policy requires, where "
		"its base is too old, where what protects it from older layers is not as it was, "
		"where blocks are damaged or something is mounted over the stack. That is told, "
		"and the exit status is 0 all the same, but with --fail.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.run = run,
};
