/* varve why: the questions of `varvectl why`, asked of image files. */
#include "cli/cli.h"
#include "cli/varve/verbs.h"
#include "cli/varve/why-open.h"
#include "cli/why-text.h"
#include "cli/why-told.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	char *certificates, *slot;
	gboolean boot;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "certificates", 'c', 0, G_OPTION_ARG_FILENAME, &options->certificates,
		  "Check the base's signature, or a single layer's, against *.crt of DIR", "DIR" },
		{ "slot", 0, 0, G_OPTION_ARG_STRING, &options->slot,
		  "Which base of a disk: A or B (default: the one that its newest image starts)",
		  "SLOT" },
		{ "boot", 0, 0, G_OPTION_ARG_NONE, &options->boot,
		  "The unified kernel image, its initrd's files and the boot loader", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

typedef struct {
	VarveWhySource *source;
	VarveWhyTold told;
	gboolean boot_counted, told_refused;
} Asking;

static const VarveTraceBoot *open_boot(Asking *asking, GError **error)
{
	const VarveTraceBoot *boot = varve_why_source_boot(asking->source, error);

	if (boot && !asking->boot_counted)
		asking->told.problems += boot->problems->len;
	asking->boot_counted = boot != NULL;
	return boot;
}

/* What is not merged has no say; who asks wants to know that. */
static void tell_refused(Asking *asking, const VarveTraceImage *image)
{
	if (asking->told_refused)
		return;
	asking->told_refused = TRUE;
	asking->told.problems += image->stack->problems->len;
	for (guint i = 0; i < image->refused->len; i++) {
		const VarveTraceRefused *refused = image->refused->pdata[i];

		fprintf(stderr, "%s: a node would %s it, %s: %s\n", refused->file,
			refused->retired ? "not merge" : "refuse", refused->code,
			refused->sentence);
	}
	for (guint i = 0; i < image->stack->problems->len; i++)
		fprintf(stderr, "PROBLEM: %s\n", (const char *)image->stack->problems->pdata[i]);
}

static gboolean ask(Asking *asking, const char *word, GError **error)
{
	g_autoptr(VarveTraceWhy) why = NULL;
	const VarveTraceImage *image;
	const char *path;
	VarveBootAsk kind;

	if (varve_trace_boot_ask(word, &kind, &path)) {
		const VarveTraceBoot *boot = open_boot(asking, error);

		return boot && varve_why_boot_word(boot, kind, path, asking->told.json, error);
	}
	image = varve_why_source_image(asking->source, error);
	if (!image)
		return FALSE;
	tell_refused(asking, image);
	why = varve_trace_image_why(image, word, error);
	if (!why)
		return FALSE;
	varve_why_tell(&asking->told, why);
	return TRUE;
}

static gboolean ask_boot(Asking *asking, GError **error)
{
	const VarveTraceBoot *boot = open_boot(asking, error);

	if (boot)
		varve_why_tell_boot(&asking->told, boot);
	return boot != NULL;
}

static gboolean parse_slot(const char *text, char *ret, GError **error)
{
	*ret = text ? g_ascii_toupper(text[0]) : '\0';
	return !text || ((*ret == 'A' || *ret == 'B') && !text[1]) ||
	       varve_fail(error, VARVE_ERROR_USAGE, "--slot: '%s' is neither A nor B", text);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(json_t) json = invocation->json ? json_array() : NULL;
	g_autoptr(VarveTools) tools = varve_tools_open(NULL);
	g_autoptr(VarveWhySource) source = NULL;
	Asking asking = { .told = { .json = json } };
	gboolean ok = TRUE;
	char slot;

	if (!parse_slot(options->slot, &slot, error))
		return VARVE_EXIT_USAGE;
	if (invocation->argc < 2 && !options->boot) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "say what is asked about: a path, --boot, "
			   "uki, boot-loader or initrd:PATH");
		return VARVE_EXIT_USAGE;
	}
	source = varve_why_source_open(invocation->argv[0], options->certificates, slot, tools,
				       error);
	asking.source = source;
	if (!source)
		return VARVE_EXIT_FAILED;
	if (options->boot)
		ok = ask_boot(&asking, error);
	for (int i = 1; ok && i < invocation->argc; i++)
		ok = ask(&asking, invocation->argv[i], error);
	return varve_why_end(&asking.told, ok);
}

const VarveVerb varve_verb_why = {
	.words = "why",
	.arguments = "IMAGE [PATH…]",
	.summary =
		"Say where an image's files come from, who signed them, and what they should be.",
	.details = "IMAGE is a sealed layer, a disk image (raw or VHD), a unified kernel image, or "
		   "the "
		   "directory that a "
		   "build wrote to. Its layers are hashed whole and put together as a node would "
		   "do it, by "
		   "the base's own policy; PATH is answered as that node would answer it before "
		   "anybody "
		   "wrote to it, and for a disk with what its state partition has. 'uki', "
		   "'boot-loader' and "
		   "'initrd:PATH' are what starts it.\n\n"
		   "Status 4: it is not there. Status 5: something is not what was signed.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = run,
};
