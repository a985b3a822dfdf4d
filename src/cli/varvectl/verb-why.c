/* varvectl why: where files come from, who vouches for them, whether they are what they should be.
 */
#include "cli/cli.h"
#include "cli/varvectl/show.h"
#include "cli/varvectl/verbs.h"
#include "cli/why-text.h"
#include "cli/why-told.h"
#include "trace/process.h"
#include "trace/why.h"

#include <stdio.h>

typedef struct {
	int pid;
	gboolean full, boot;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "pid", 0, 0, G_OPTION_ARG_INT, &options->pid,
		  "What process PID runs: its program and every file that is mapped into it",
		  "PID" },
		{ "full", 0, 0, G_OPTION_ARG_NONE, &options->full,
		  "With --pid: hash every file, and tell all of each", NULL },
		{ "boot", 0, 0, G_OPTION_ARG_NONE, &options->boot,
		  "The unified kernel image, its initrd's files and the boot loader", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

/* What one invocation has found so far. */
typedef struct {
	VarveTraceNode *node;
	VarveTraceBoot *boot; /* once it was asked for */
	VarveWhyTold told;
} Asking;

static gboolean open_boot(Asking *asking, GError **error)
{
	const VarveTraceLayer *base = asking->node->stack->layers->pdata[0];

	if (asking->boot)
		return TRUE;
	asking->boot = varve_trace_boot_node(base->root, error);
	if (asking->boot)
		asking->told.problems += asking->boot->problems->len;
	return asking->boot != NULL;
}

static gboolean ask(Asking *asking, const char *word, GError **error)
{
	g_autoptr(VarveTraceWhy) why = NULL;
	const char *path;
	VarveBootAsk kind;

	if (varve_trace_boot_ask(word, &kind, &path))
		return open_boot(asking, error) &&
		       varve_why_boot_word(asking->boot, kind, path, asking->told.json, error);
	why = varve_trace_why(asking->node, word, error);
	if (!why)
		return FALSE;
	varve_why_tell(&asking->told, why);
	return TRUE;
}

static gboolean ask_boot(Asking *asking, GError **error)
{
	if (!open_boot(asking, error))
		return FALSE;
	varve_why_tell_boot(&asking->told, asking->boot);
	return TRUE;
}

static gboolean ask_process(Asking *asking, const Options *options, GError **error)
{
	g_autoptr(VarveTraceProcess) process =
		varve_trace_process(asking->node, options->pid, options->full, error);

	if (!process)
		return FALSE;
	asking->told.problems += process->flagged;
	if (asking->told.json)
		json_array_append_new(asking->told.json, varve_trace_process_json(process));
	else
		varve_show_process(process, options->full);
	return TRUE;
}

/* The stack's own problems, last: some are only found while it is asked. */
static int finish(Asking *asking, gboolean ok)
{
	const GPtrArray *problems = asking->node->stack->problems;
	int status;

	asking->told.problems += problems->len;
	status = varve_why_end(&asking->told, ok);
	for (guint i = 0; i < problems->len; i++)
		fprintf(stderr, "PROBLEM with the stack: %s\n", (const char *)problems->pdata[i]);
	return status;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(json_t) json = invocation->json ? json_array() : NULL;
	g_autoptr(VarveTraceNode) node = NULL;
	Asking asking = { .told = { .json = json } };
	gboolean ok = TRUE;
	int status;

	if (invocation->argc == 0 && !options->pid && !options->boot) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "say what is asked about: a path, --pid, "
			   "--boot, uki, boot-loader or initrd:PATH");
		return VARVE_EXIT_USAGE;
	}
	node = varve_trace_node_open(error);
	asking.node = node;
	if (!node)
		return VARVE_EXIT_FAILED;
	if (options->boot)
		ok = ask_boot(&asking, error);
	if (ok && options->pid)
		ok = ask_process(&asking, options, error);
	for (int i = 0; ok && i < invocation->argc; i++)
		ok = ask(&asking, invocation->argv[i], error);
	status = finish(&asking, ok);
	varve_trace_boot_free(asking.boot);
	return status;
}

const VarveVerb varve_verb_why = {
	.words = "why",
	.arguments = "[PATH…]",
	.summary = "Say where files come from, who signed them, and whether they are as signed.",
	.details =
		"PATH is absolute; links are followed, and each is told. 'uki', 'boot-loader' and "
		"'initrd:PATH' are what came before the base. Which layer a file is read from is "
		"asked of "
		"the kernel and of the layers' path tables; its bytes are hashed now; the "
		"signature of "
		"its layer is checked now.\n\n"
		"Status 4: it is not there. Status 5: something is not what was signed, or the "
		"process runs "
		"code that nobody signed.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 0,
	.max_arguments = -1,
	.run = run,
};
