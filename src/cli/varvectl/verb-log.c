/* varvectl log: what was refused and denied on this node. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varvectl/verbs.h"
#include "stack/log.h"
#include "stack/node.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_DEFAULT 1000

typedef struct {
	char *since;
	int boot;
	gboolean follow;
	char **kinds;
	int lines;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "since", 'S', 0, G_OPTION_ARG_STRING, &options->since,
		  "Only what came after, as journalctl takes it: \"1 hour ago\"", "TIME" },
		{ "boot", 'b', 0, G_OPTION_ARG_INT, &options->boot,
		  "Of the boot before (-1), the one before that (-2), …", "N" },
		{ "kind", 'k', 0, G_OPTION_ARG_STRING_ARRAY, &options->kinds,
		  "Only one kind; may be given several times", "KIND" },
		{ "lines", 'n', 0, G_OPTION_ARG_INT, &options->lines,
		  "At most the last N (default: 1000)", "N" },
		{ "follow", 'f', 0, G_OPTION_ARG_NONE, &options->follow,
		  "Go on with what comes; with --json one object a line", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

/* What is kept until all is there, unless it is shown as it comes. */
typedef struct {
	gboolean json, follow;
	GQueue events; /* char *: lines, or JSON */
	guint most;
	guint64 dropped;
	guint64 lost; /* records that did not reach the log */
} Output;

static char *who(const VarveEvent *event)
{
	GString *text = g_string_new(NULL);

	if (*event->comm)
		g_string_append(text, event->comm);
	if (event->pid > 0)
		g_string_append_printf(text, "%s[%u]", text->len ? "" : "pid ", event->pid);
	if (*event->unit)
		g_string_append_printf(text, "%s%s", text->len ? " of " : "", event->unit);
	return g_string_free(text, FALSE);
}

static char *event_line(const VarveEvent *event)
{
	g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(event->when / G_USEC_PER_SEC);
	g_autofree char *time = when && event->when > 0
					? g_date_time_format(when, "%Y-%m-%d %H:%M:%SZ")
					: g_strdup("unknown time        ");
	g_autofree char *subject = who(event);
	g_autofree char *path = varve_text_line(event->path);
	GString *line = g_string_new(time);

	g_string_append_printf(line, "  %-11s ", varve_event_kind_name(event->kind));
	if (*subject)
		g_string_append_printf(line, "%s: ", subject);
	g_string_append_printf(line, "%s%s", event->only_told ? "(let happen) " : "", event->what);
	/* A sentence about damage names it. */
	if (*path && !strstr(event->what, path))
		g_string_append_printf(line, ": %s", path);
	if (*event->layer && event->kind != VARVE_EVENT_LAYER)
		g_string_append_printf(line, "  [layer %s%s%s]", event->layer,
				       *event->package ? ", package " : "", event->package);
	return g_string_free(line, FALSE);
}

static void take(const VarveEvent *event, gpointer data)
{
	Output *output = data;
	g_autoptr(json_t) json = output->json ? varve_event_to_json(event) : NULL;
	g_autofree char *text = json ? varve_json_dump(json, TRUE) : event_line(event);

	output->lost += event->kind == VARVE_EVENT_LOST;
	if (output->follow) {
		puts(text);
		fflush(stdout);
		return;
	}
	g_queue_push_tail(&output->events, g_steal_pointer(&text));
	if (output->events.length > output->most) {
		g_free(g_queue_pop_head(&output->events));
		output->dropped++;
	}
}

static gboolean read_kinds(char *const *names, guint *ret_kinds, GError **error)
{
	guint kinds = 0;

	for (; names && *names; names++) {
		g_autoptr(GString) known = g_string_new(NULL);
		VarveEventKind kind;

		if (varve_event_kind_from_name(*names, &kind)) {
			kinds |= 1u << kind;
			continue;
		}
		for (guint i = 0; i < VARVE_EVENT_KINDS; i++)
			g_string_append_printf(known, "%s%s", i ? ", " : "",
					       varve_event_kind_name((VarveEventKind)i));
		return varve_fail(error, VARVE_ERROR_USAGE, "--kind: '%s' is none; there are %s",
				  *names, known->str);
	}
	*ret_kinds = kinds;
	return TRUE;
}

static void print_json(const Output *output)
{
	g_autoptr(json_t) array = json_array();
	g_autofree char *text = NULL;

	for (const GList *at = output->events.head; at; at = at->next)
		json_array_append_new(array, json_loads(at->data, 0, NULL));
	text = varve_json_dump(array, FALSE);
	fputs(text, stdout);
}

static void print_text(const Output *output, guint64 left_out)
{
	if (output->dropped > 0)
		printf("%" G_GUINT64_FORMAT " earlier ones are not shown; --lines shows more\n",
		       output->dropped);
	for (const GList *at = output->events.head; at; at = at->next)
		puts(at->data);
	if (output->events.length == 0)
		puts("Nothing was refused or denied.");
	if (output->lost > 0)
		puts("The log is not complete: there was more than the kernel or the journal "
		     "kept.");
	if (left_out > 0)
		printf("%" G_GUINT64_FORMAT " entries of the journal could not be read.\n",
		       left_out);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveReport) boot = NULL;
	VarveLogQuery query = { .boot = options->boot,
				.since = options->since,
				.follow = options->follow };
	Output output = { .json = invocation->json,
			  .follow = options->follow,
			  .events = G_QUEUE_INIT,
			  .most = options->lines > 0 ? (guint)options->lines : SHOWN_DEFAULT };
	guint64 left_out = 0;
	gboolean ok;

	if (options->boot > 0 || options->lines < 0) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "--boot takes 0 or a negative number, --lines a positive one");
		return VARVE_EXIT_USAGE;
	}
	if (!read_kinds(options->kinds, &query.kinds, error))
		return VARVE_EXIT_USAGE;
	boot = varve_node_report(error);
	if (!boot)
		return VARVE_EXIT_FAILED;
	ok = varve_node_log(boot, &query, take, &output, &left_out, error);
	if (ok && invocation->json && !options->follow)
		print_json(&output);
	else if (ok && !options->follow)
		print_text(&output, left_out);
	g_queue_clear_full(&output.events, g_free);
	return ok ? VARVE_EXIT_OK : VARVE_EXIT_FAILED;
}

const VarveVerb varve_verb_log = {
	.words = "log",
	.arguments = "",
	.summary = "Show what was refused and denied: layers, SELinux, IPE, damage, lockdown.",
	.details =
		"Kinds: layer and warning (what the boot decided), selinux, ipe, enforcement "
		"(switched "
		"on or off), verity (damaged blocks), lockdown, module, lost (records that did not "
		"reach the log). With --since what the boot decided is left out.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.run = run,
};
