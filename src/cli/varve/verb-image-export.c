/* varve image export: a disk in the forms that others take, a base as an OCI archive. */
#include "cli/cli.h"
#include "cli/varve/verbs.h"
#include "image/export.h"
#include "layer/layer.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	char *format, *output;
} ExportOptions;

static GOptionEntry *entries(gpointer data)
{
	ExportOptions *options = data;
	const GOptionEntry table[] = {
		{ "format", 'f', 0, G_OPTION_ARG_STRING, &options->format,
		  "raw, qcow2, vhd, or oci", "FORMAT" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "The file (default: beside FILE, with the format's suffix)", "FILE" },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

/* "x.disk.raw" becomes "x.qcow2"; never the file itself. */
static char *default_output(const char *from, const char *suffix)
{
	static const char *const known[] = { ".disk.raw", ".raw" };
	g_autofree char *stem = g_strdup(from);

	for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
		if (g_str_has_suffix(stem, known[i])) {
			stem[strlen(stem) - strlen(known[i])] = '\0';
			break;
		}
	}
	return g_strconcat(stem, suffix, NULL);
}

static gboolean export_oci(const char *from, const char *to, GError **error)
{
	g_autoptr(VarveLayer) layer = varve_layer_open_path(from, error);
	g_autoptr(VarveManifest) manifest = NULL;
	g_autofree char *reference = NULL;
	const char *epoch = g_getenv("SOURCE_DATE_EPOCH");
	VarveOci oci = { .epoch = epoch ? g_ascii_strtoll(epoch, NULL, 10) : 0 };

	if (!layer || !varve_layer_check_data(layer, error))
		return FALSE;
	manifest = varve_layer_read_manifest(layer, error);
	if (!manifest)
		return FALSE;
	oci.arch = varve_arch_find(manifest->arch);
	if (!oci.arch)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED, "%s: unknown architecture '%s'",
				  from, manifest->arch);
	reference = g_strdup_printf("%s:%s", manifest->name, manifest->version);
	oci.reference = reference;
	return varve_export_oci(&oci, from, to, error);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const ExportOptions *options = invocation->options;
	const char *from = invocation->argv[0];
	g_autofree char *to = NULL;
	VarveExportFormat format;

	if (!options->format || !varve_export_format_from_name(options->format, &format)) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "--format: expected raw, qcow2, vhd or oci, found '%s'",
			   options->format ? options->format : "nothing");
		return VARVE_EXIT_USAGE;
	}
	to = options->output ? g_strdup(options->output)
			     : default_output(from, varve_export_format_suffix(format));
	if (strcmp(from, to) == 0) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "'%s' would be written over itself; name another file with --output",
			   from);
		return VARVE_EXIT_USAGE;
	}
	if (format == VARVE_EXPORT_OCI ? !export_oci(from, to, error)
				       : !varve_export_disk(from, format, to, error))
		return VARVE_EXIT_FAILED;
	printf("%s\n", to);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_image_export = {
	.words = "image export",
	.arguments = "FILE",
	.summary = "Write a disk image as raw, qcow2 or VHD, or a base layer as an OCI archive.",
	.options_size = sizeof(ExportOptions),
	.entries = entries,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
