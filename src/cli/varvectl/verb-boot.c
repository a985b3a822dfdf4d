/* varvectl boot: composes the root in the initrd. */
#include "cli/cli.h"
#include "cli/varvectl/show.h"
#include "cli/varvectl/verbs.h"
#include "ground/cmdline.h"
#include "ground/fd.h"
#include "stack/boot.h"
#include "trace/boot.h"

#include <fcntl.h>
#include <stdio.h>

typedef struct {
	char *sysroot;
	char *root_hash;
} Options;

static GOptionEntry *entries(gpointer data)
{
	Options *options = data;
	const GOptionEntry list[] = {
		{ "sysroot", 0, 0, G_OPTION_ARG_FILENAME, &options->sysroot,
		  "Compose below DIR instead of /sysroot", "DIR" },
		{ "root-hash", 0, 0, G_OPTION_ARG_STRING, &options->root_hash,
		  "The base's root hash, instead of varve.roothash= on the kernel's command line",
		  "HEX" },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

static void print(const VarveReport *report)
{
	g_autofree char *base = varve_show_layer_line(report->base);
	g_autofree char *verification = varve_show_verification(report);
	g_autofree char *integrity = varve_show_integrity(report);

	printf("varve: base %s, checked by %s\n", base, verification);
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];
		g_autofree char *line = varve_show_layer_line(layer);

		if (layer->accepted)
			printf("varve: + %s\n", line);
		else
			varve_show_refused(layer, "varve: - ");
	}
	if (integrity)
		printf("varve: code integrity: %s\n", integrity);
	varve_show_warnings(report, "varve: ");
	varve_show_compliance(report, "varve: ");
	printf("varve: rollback protection: %s\n", report->protection);
	printf("varve: generation %u, state %s (%s)", report->generation, report->state,
	       report->state_detail);
	for (guint i = 0; i < report->timings->len; i++) {
		const VarveReportTiming *timing = report->timings->pdata[i];

		printf(", %s %" G_GINT64_FORMAT " ms", timing->what, timing->microseconds / 1000);
	}
	putchar('\n');
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_autoptr(VarveReport) report = varve_report_new();
	g_autoptr(GError) local = NULL;
	char cmdline[VARVE_CMDLINE_SIZE], hash[80];
	varve_autofd root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	VarveBootOptions boot = {
		.sysroot = options->sysroot ? options->sysroot : "/sysroot",
		.root_hash = options->root_hash,
		.command_line = cmdline,
		.initrd_fd = root,
	};

	if (varve_cmdline_read(cmdline) < 0) {
		varve_fail_errno(error, errno, "/proc/cmdline");
		return VARVE_EXIT_FAILED;
	}
	if (!boot.root_hash) {
		if (!varve_cmdline_get(cmdline, "varve.roothash", hash, sizeof(hash))) {
			varve_fail(error, VARVE_ERROR_USAGE,
				   "the kernel's command line has no varve.roothash=HEX; give "
				   "--root-hash=HEX");
			return VARVE_EXIT_USAGE;
		}
		boot.root_hash = hash;
	}
	if (!varve_boot(&boot, report, error))
		return VARVE_EXIT_FAILED;
	if (!varve_trace_boot_keep(root, &local))
		varve_report_warn(report, "the initrd's manifest cannot be kept: %s",
				  local->message);
	print(report);
	return varve_report_refused(report) > 0 ? VARVE_EXIT_REFUSED : VARVE_EXIT_OK;
}

const VarveVerb varve_verb_boot = {
	.words = "boot",
	.arguments = "",
	.summary = "Compose the root in the initrd: base, state partition, layers.",
	.details = "Run by varve-init. Exit status 3 says that the root is there, but that a layer "
		   "was "
		   "refused.",
	.options_size = sizeof(Options),
	.entries = entries,
	.run = run,
};
