/* varve build: an edition from its definition to a bootable disk with its bills of materials. */
#include "audit/sbom.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/varve/keys.h"
#include "cli/varve/verbs.h"
#include "cli/varve/verdict.h"
#include "cli/varve/workspace.h"
#include "image/image.h"
#include "layer/admit.h"
#include "layer/layer.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	VarveWorkspaceOptions workspace;
} BuildOptions;

/* What one run makes; everything is owned. */
typedef struct {
	VarveWorkspace *workspace;
	GPtrArray *composed;  /* const VarveComposed *, the base first */
	GPtrArray *files;     /* char *: sealed, in the same order */
	VarvePrivateKey *key; /* of the platform */
	VarveCertificate *certificate;
	char *version, *disk;
	VarveImageSummary summary;
	GPtrArray *sboms; /* char * */
	GBytes *enrolment[VARVE_ENROLMENT_N];
} Build;

static void build_clear(Build *build)
{
	g_clear_pointer(&build->composed, g_ptr_array_unref);
	g_clear_pointer(&build->files, g_ptr_array_unref);
	g_clear_pointer(&build->sboms, g_ptr_array_unref);
	g_clear_pointer(&build->workspace, varve_workspace_free);
	g_clear_pointer(&build->key, varve_private_key_free);
	g_clear_pointer(&build->certificate, varve_certificate_free);
	varve_image_summary_clear(&build->summary);
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++)
		g_clear_pointer(&build->enrolment[i], g_bytes_unref);
	g_free(build->version);
	g_free(build->disk);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Build, build_clear)

static GOptionEntry *entries(gpointer options)
{
	return varve_workspace_entries(&((BuildOptions *)options)->workspace, NULL);
}

static gboolean make_layer(Build *build, const VarveLayerDefinition *layer, GError **error)
{
	VarveComposer *composer = build->workspace->composer;
	const VarveComposed *composed;
	char *path;

	if (!varve_composer_layer(composer, layer, &composed, error) ||
	    !varve_composer_seal(composer, composed, build->workspace->output, &path, error))
		return FALSE;
	g_ptr_array_add(build->composed, (gpointer)composed);
	g_ptr_array_add(build->files, path);
	return TRUE;
}

/* The same decision that a node will take, today. */
static gboolean judge(const Build *build, GError **error)
{
	const VarveComposed *base = g_ptr_array_index(build->composed, 0);
	g_autoptr(GPtrArray) extensions = g_ptr_array_new();

	if (!build->workspace->edition->policy)
		return TRUE;
	for (guint i = 1; i < build->files->len; i++)
		g_ptr_array_add(extensions, g_ptr_array_index(build->files, i));
	g_ptr_array_add(extensions, NULL);
	return varve_verdict(
		&(VarveVerdict){ .base_root = base->staged,
				 .base = g_ptr_array_index(build->files, 0),
				 .files = (const char *const *)extensions->pdata,
				 .today = g_get_real_time() / G_USEC_PER_SEC / (24 * 60 * 60) },
		NULL, error);
}

/* What signs UKI, boot loader and code integrity policy, and admits layers. */
static gboolean load_platform_key(Build *build, GError **error)
{
	const VarveComposed *base = g_ptr_array_index(build->composed, 0);
	const char *keys = build->workspace->keys;
	g_autofree char *key = g_build_filename(keys, "platform.key", NULL);
	g_autofree char *certificate = g_build_filename(keys, "platform.crt", NULL);

	build->key = varve_private_key_load(key, error);
	build->certificate = build->key ? varve_certificate_load(certificate, error) : NULL;
	return build->certificate &&
	       varve_verdict_platform_key(base->staged, build->certificate, error);
}

/* Whether the kernel would accept @file already: then it is left as it is. */
static gboolean is_admitted(const Build *build, const char *file)
{
	g_autoptr(VarveLayer) layer = varve_layer_open_path(file, NULL);
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();

	g_ptr_array_add(certificates, build->certificate);
	return layer && varve_layer_check_platform(layer, certificates, NULL, NULL);
}

/* After the verdict. Without a policy every node refuses every extension, and nobody admits one. */
static gboolean admit(Build *build, GError **error)
{
	guint n = build->workspace->edition->policy ? build->files->len : 1;

	if (!load_platform_key(build, error))
		return FALSE;
	for (guint i = 0; i < n; i++) {
		const char *file = g_ptr_array_index(build->files, i);

		if (!is_admitted(build, file) &&
		    !varve_layer_admit(file, NULL, build->key, build->certificate, file, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean make_layers(Build *build, GError **error)
{
	const VarveEdition *edition = build->workspace->edition;

	if (!varve_workspace_compose(build->workspace, error) ||
	    !make_layer(build, edition->base, error))
		return FALSE;
	for (gsize i = 0; i < edition->n_extensions; i++)
		if (!make_layer(build, edition->extensions[i], error))
			return FALSE;
	return varve_composer_save_lock(build->workspace->composer, error) && judge(build, error) &&
	       admit(build, error);
}

static gboolean make_disk(Build *build, GError **error)
{
	const VarveWorkspace *workspace = build->workspace;
	const VarveEdition *edition = workspace->edition;
	const VarveComposed *base = g_ptr_array_index(build->composed, 0);
	g_autofree char *base_certificate =
		g_strdup_printf("%s/%s.crt", workspace->keys, edition->base->key);
	const char *certificates[] = { base_certificate, NULL };
	g_autoptr(GPtrArray) layers = g_ptr_array_new();
	g_autofree char *name = NULL;
	VarveImage image = {
		.arch = workspace->arch,
		.name = edition->name,
		.root = base->staged,
		.base = g_ptr_array_index(build->files, 0),
		.certificates = certificates,
		.modules = edition->initrd_modules,
		.command_line = edition->kernel_command_line,
		.key = build->key,
		.certificate = build->certificate,
		.code_integrity = edition->code_integrity,
		.esp_size = edition->esp_size,
		.slot_size = edition->slot_size,
		.state_size = edition->state_size,
		.epoch = workspace->definition->os.released_time,
	};

	for (guint i = 1; i < build->files->len; i++)
		g_ptr_array_add(layers, g_ptr_array_index(build->files, i));
	g_ptr_array_add(layers, NULL);
	image.layers = (const char *const *)layers->pdata;
	image.version = build->version = g_strdup(base->manifest->version);
	image.tools = varve_composer_tools(workspace->composer, error);
	if (!image.tools || !varve_keys_enrolment(workspace->keys, build->enrolment, error))
		return FALSE;
	image.enrolment = build->enrolment;
	name = varve_disk_file_name(edition->name, build->version, workspace->arch);
	build->disk = g_build_filename(workspace->output, name, NULL);
	return varve_image_build(&image, build->disk, &build->summary, error);
}

static gboolean make_sbom(Build *build, VarveSbomFormat format, const char *suffix, GError **error)
{
	const VarveWorkspace *workspace = build->workspace;
	g_autoptr(GPtrArray) manifests = g_ptr_array_new();
	g_autofree char *image_name =
		g_strdup_printf("%s-%s", workspace->definition->os.id, workspace->edition->name);
	g_autofree char *path =
		g_strdup_printf("%s/%s_%s_%s.%s.json", workspace->output, workspace->edition->name,
				build->version, workspace->arch->name, suffix);
	g_autofree char *text = NULL;

	for (guint i = 0; i < build->composed->len; i++) {
		const VarveComposed *composed = g_ptr_array_index(build->composed, i);

		g_ptr_array_add(manifests, composed->manifest);
	}
	text = varve_sbom_merge(image_name, build->version,
				(const VarveManifest *const *)manifests->pdata, manifests->len,
				format, workspace->definition->os.released_time, error);
	if (!text || !varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, error))
		return FALSE;
	g_ptr_array_add(build->sboms, g_steal_pointer(&path));
	return TRUE;
}

static void print_report(const Build *build, gboolean json)
{
	g_autoptr(json_t) report = NULL;
	json_t *layers = json_array();

	for (guint i = 0; i < build->composed->len; i++) {
		const VarveComposed *composed = g_ptr_array_index(build->composed, i);
		const char *file = g_ptr_array_index(build->files, i);

		if (!json)
			printf("%-12s %s%s\n", composed->layer->name, file,
			       composed->made ? "" : "  (unchanged)");
		json_array_append_new(layers,
				      json_pack("{s:s,s:s,s:s,s:b}", "name", composed->layer->name,
						"version", composed->manifest->version, "file",
						file, "made", composed->made));
	}
	report = json_pack("{s:s,s:s,s:s,s:o}", "edition", build->workspace->edition->name, "disk",
			   build->disk, "version", build->version, "layers", layers);
	json_object_set_new(report, "initrdBytes",
			    json_integer((json_int_t)build->summary.initrd.packed));
	json_object_set_new(report, "ukiBytes", json_integer((json_int_t)build->summary.uki_size));
	if (json) {
		g_autofree char *text = varve_json_dump(report, FALSE);

		fputs(text, stdout);
		return;
	}
	for (guint i = 0; i < build->sboms->len; i++)
		printf("%-12s %s\n", "SBOM", (char *)g_ptr_array_index(build->sboms, i));
	printf("%-12s %s\n\nBoot it: varve run %s\n", "disk", build->disk, build->disk);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const BuildOptions *options = invocation->options;
	g_auto(Build) build = {
		.composed = g_ptr_array_new(),
		.files = g_ptr_array_new_with_free_func(g_free),
		.sboms = g_ptr_array_new_with_free_func(g_free),
	};

	build.workspace = varve_workspace_open(
		&options->workspace, invocation->argc ? invocation->argv[0] : NULL, error);
	if (!build.workspace || !make_layers(&build, error) || !make_disk(&build, error) ||
	    !make_sbom(&build, VARVE_SBOM_SPDX, "spdx", error) ||
	    !make_sbom(&build, VARVE_SBOM_CYCLONEDX, "cdx", error))
		return VARVE_EXIT_FAILED;
	print_report(&build, invocation->json);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_build = {
	.words = "build",
	.arguments = "[EDITION]",
	.summary = "Build an edition: packages, layers, disk image, bills of materials.",
	.details = "Everything is kept in the work directory by the digest of its inputs: what did "
		   "not "
		   "change is not made again.",
	.options_size = sizeof(BuildOptions),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 0,
	.max_arguments = 1,
	.run = run,
};
