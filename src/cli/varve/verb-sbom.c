/* varve sbom: the bill of materials of a layer, or of an image made of several. */
#include "audit/sbom.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/varve/verbs.h"
#include "layer/layer.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	char *format, *output, *name, *version, *created;
	char **certificates;
} SbomOptions;

static GOptionEntry *entries(gpointer data)
{
	SbomOptions *options = data;
	const GOptionEntry table[] = {
		{ "format", 'f', 0, G_OPTION_ARG_STRING, &options->format,
		  "spdx (2.3, the default) or cyclonedx (1.5)", "FORMAT" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "Write here instead of to standard output", "FILE" },
		{ "certificate", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->certificates,
		  "Take only layers that one of these signed; may be given again", "FILE" },
		{ "name", 0, 0, G_OPTION_ARG_STRING, &options->name,
		  "Of the image, where there are several layers (default: the OS's id)", "NAME" },
		{ "image-version", 0, 0, G_OPTION_ARG_STRING, &options->version,
		  "Of the image (default: the OS's version-id)", "VERSION" },
		{ "created", 0, 0, G_OPTION_ARG_STRING, &options->created,
		  "Date of the document (default: SOURCE_DATE_EPOCH, else now)", "YYYY-MM-DD" },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

static gboolean parse_created(const char *date, gint64 *ret, GError **error)
{
	g_autofree char *full = date ? g_strconcat(date, "T00:00:00Z", NULL) : NULL;
	g_autoptr(GDateTime) time = full ? g_date_time_new_from_iso8601(full, NULL) : NULL;
	const char *epoch = g_getenv("SOURCE_DATE_EPOCH");
	guint64 seconds;

	if (date && !time)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "--created: '%s' is no date; give it as YYYY-MM-DD", date);
	if (time) {
		*ret = g_date_time_to_unix(time);
	} else if (epoch) {
		if (!g_ascii_string_to_unsigned(epoch, 10, 0, G_MAXUINT32, &seconds, NULL))
			return varve_fail(error, VARVE_ERROR_USAGE,
					  "SOURCE_DATE_EPOCH is '%s', expected seconds since 1970",
					  epoch);
		*ret = (gint64)seconds;
	} else {
		*ret = g_get_real_time() / G_USEC_PER_SEC;
	}
	return TRUE;
}

static gboolean load_certificates(char **files, GPtrArray *certificates, GError **error)
{
	for (char **file = files; file && *file; file++) {
		VarveCertificate *certificate = varve_certificate_load(*file, error);

		if (!certificate)
			return FALSE;
		g_ptr_array_add(certificates, certificate);
	}
	return TRUE;
}

/* The manifest of a layer whose bytes are what its root hash says, and the hash what was signed. */
static VarveManifest *read_layer(const char *path, const GPtrArray *certificates, GError **error)
{
	g_autoptr(VarveLayer) layer = varve_layer_open_path(path, error);

	if (!layer)
		return NULL;
	if (certificates->len > 0 && !varve_layer_check_signature(layer, certificates, NULL, error))
		return NULL;
	if (!varve_layer_check_data(layer, error))
		return NULL;
	return varve_layer_read_manifest(layer, error);
}

/* The base first, whatever the order on the command line. */
static gint by_role(gconstpointer a, gconstpointer b)
{
	const VarveManifest *left = *(VarveManifest *const *)a, *right = *(VarveManifest *const *)b;

	if (left->role != right->role)
		return left->role < right->role ? -1 : 1;
	return strcmp(left->name, right->name);
}

static char *make_document(const SbomOptions *options, VarveSbomFormat format, gint64 created,
			   const GPtrArray *manifests, GError **error)
{
	const VarveManifest *first = manifests->pdata[0];

	if (manifests->len == 1 && !options->name)
		return varve_sbom_write(first, format, created);
	return varve_sbom_merge(options->name ? options->name : first->os_id,
				options->version ? options->version : first->os_version_id,
				(const VarveManifest *const *)manifests->pdata, manifests->len,
				format, created, error);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const SbomOptions *options = invocation->options;
	g_autoptr(GPtrArray) manifests =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_manifest_free);
	g_autoptr(GPtrArray) certificates =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_certificate_free);
	VarveSbomFormat format = VARVE_SBOM_SPDX;
	g_autofree char *document = NULL;
	gint64 created = 0;

	if (options->format && !varve_sbom_format_from_name(options->format, &format)) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "--format: expected spdx or cyclonedx, found '%s'", options->format);
		return VARVE_EXIT_USAGE;
	}
	if (!parse_created(options->created, &created, error) ||
	    !load_certificates(options->certificates, certificates, error))
		return VARVE_EXIT_FAILED;
	for (int i = 0; i < invocation->argc; i++) {
		VarveManifest *manifest = read_layer(invocation->argv[i], certificates, error);

		if (!manifest)
			return VARVE_EXIT_FAILED;
		g_ptr_array_add(manifests, manifest);
	}
	g_ptr_array_sort(manifests, by_role);
	document = make_document(options, format, created, manifests, error);
	if (!document)
		return VARVE_EXIT_FAILED;
	if (options->output)
		return varve_file_write(AT_FDCWD, options->output, document, strlen(document), 0644,
					error)
			       ? VARVE_EXIT_OK
			       : VARVE_EXIT_FAILED;
	fputs(document, stdout);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_sbom = {
	.words = "sbom",
	.arguments = "FILE.raw…",
	.summary = "Write the bill of materials of a layer, or of an image of several.",
	.details = "Every layer is hashed against its root hash before its manifest is believed; "
		   "with\n"
		   "--certificate its signature is checked too. The layers of one image must not "
		   "bring\n"
		   "a package twice.",
	.options_size = sizeof(SbomOptions),
	.entries = entries,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = run,
};
