/* varve layer show: what a layer says of itself, and who signed it. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varve/layer-text.h"
#include "cli/varve/platform-text.h"
#include "cli/varve/verbs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

typedef struct {
	char *certificates;
	gboolean packages, files;
} Options;

typedef struct {
	VarveLayer *layer;
	VarveManifest *manifest;
	GPtrArray *certificates; /* NULL: nobody asked who signed */
	const VarveCertificate *signer;
	const VarveCertificate *platform; /* who admitted it, where that is known */
	GPtrArray *files;                 /* NULL unless asked for */
	guint n_paths;
} Shown;

static void shown_clear(Shown *shown)
{
	g_clear_pointer(&shown->layer, varve_layer_free);
	g_clear_pointer(&shown->manifest, varve_manifest_free);
	g_clear_pointer(&shown->certificates, g_ptr_array_unref);
	g_clear_pointer(&shown->files, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Shown, shown_clear)

static gboolean load(const Options *options, const char *path, Shown *shown, GError **error)
{
	g_autoptr(VarvePathTable) paths = NULL;

	if (options->certificates) {
		shown->certificates =
			varve_certificates_load_dir(AT_FDCWD, options->certificates, error);
		if (!shown->certificates)
			return FALSE;
	}
	shown->layer = varve_layer_open_path(path, error);
	if (!shown->layer)
		return FALSE;
	if (shown->certificates &&
	    !varve_layer_check_signature(shown->layer, shown->certificates, &shown->signer, error))
		return FALSE;
	if (!varve_platform_find(shown->layer, shown->certificates, &shown->platform, error))
		return FALSE;
	shown->manifest = varve_layer_read_manifest(shown->layer, error);
	if (!shown->manifest)
		return FALSE;
	paths = varve_layer_read_paths(shown->layer, shown->manifest, error);
	if (!paths)
		return FALSE;
	shown->n_paths = (guint)varve_path_table_count(paths);
	if (!options->files)
		return TRUE;
	shown->files = varve_path_table_list(paths, error);
	return shown->files != NULL;
}

static void print_list(const char *title, char *const *items)
{
	g_autofree char *text = g_strjoinv(" ", (char **)items);

	if (*text)
		printf("  %-12s %s\n", title, text);
}

static void print_check(const VarveManifestCheck *check)
{
	g_autofree char *command = g_strjoinv(" ", check->command);

	printf("  %-12s %s%s, within %u s\n", "check", *check->unit ? check->unit : command,
	       *check->unit ? " is active" : "", check->timeout);
}

static void print_place(const char *title, guint64 offset, guint64 size)
{
	g_autofree char *text = varve_size_text(size);

	printf("  %-12s %" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT " (%s)\n", title, size,
	       offset, text);
}

static void print_signer(const Shown *shown)
{
	g_autofree char *fingerprint = NULL;

	if (!shown->signer) {
		printf("  %-12s not checked (give --certificates=DIR)\n", "signer");
		return;
	}
	fingerprint = varve_digest_dup_hex(varve_certificate_fingerprint(shown->signer));
	printf("  %-12s %s, CN=%s, %.16s…%s\n", "signer", varve_certificate_name(shown->signer),
	       varve_certificate_subject(shown->signer), fingerprint,
	       varve_certificate_is_development(shown->signer) ? " (development key)" : "");
}

static void print_platform(const Shown *shown)
{
	g_autofree char *text = varve_platform_text(shown->layer, shown->platform);

	if (shown->certificates || !varve_layer_claims(shown->layer)->platform_signature)
		printf("  %-12s %s\n", "platform", text);
	else
		printf("  %-12s admitted, not checked (give --certificates=DIR)\n", "platform");
}

static void print_places(const Shown *shown)
{
	guint64 data, data_size, hash, hash_size, signature, signature_size;

	varve_layer_extents(shown->layer, &data, &data_size, &hash, &hash_size);
	varve_layer_signature_extent(shown->layer, &signature, &signature_size);
	print_place("data", data, data_size);
	print_place("verity tree", hash, hash_size);
	print_place("signature", signature, signature_size);
}

static void print_packages(const Shown *shown)
{
	printf("\n");
	for (guint i = 0; i < shown->manifest->packages->len; i++) {
		const VarveManifestPackage *package = shown->manifest->packages->pdata[i];
		g_autofree char *nevra = varve_manifest_package_nevra(package);
		g_autofree char *size = varve_size_text(package->size);

		printf("  %10s  %s%s%s\n", size, nevra, *package->source ? "  from " : "",
		       package->source);
	}
}

static void print_files(const Shown *shown)
{
	printf("\n");
	for (guint i = 0; i < shown->files->len; i++) {
		const VarvePath *path = shown->files->pdata[i];
		g_autofree char *mode = varve_mode_text(path->mode);

		printf("  %s %5u %5u %10" G_GUINT64_FORMAT "  /%s%s%s%s%s\n", mode, path->uid,
		       path->gid, path->size, path->path, *path->target ? " -> " : "", path->target,
		       *path->label ? "  " : "", path->label);
	}
}

static void print_text(const Shown *shown, const Options *options)
{
	const VarveManifest *m = shown->manifest;
	g_autofree char *root = varve_digest_dup_hex(varve_layer_root(shown->layer));
	g_autofree char *installed = NULL;
	guint64 sum = 0;

	for (guint i = 0; i < m->packages->len; i++)
		sum += ((const VarveManifestPackage *)m->packages->pdata[i])->size;
	installed = varve_size_text(sum);
	printf("%s %s\n  %-12s %s, %s\n  %-12s %s %s\n", m->name, m->version, "role",
	       varve_role_name(m->role), m->arch, "os", m->os_id, m->os_version_id);
	printf("  %-12s %" G_GUINT64_FORMAT "\n", "rollback", m->rollback_index);
	if (*m->support_end)
		printf("  %-12s until %s\n", "support", m->support_end);
	print_list("replaces", m->replaces);
	print_list("supersedes", m->supersedes);
	print_list("restart", m->restart);
	print_list("reload", m->reload);
	print_list("ask", m->ask);
	for (guint i = 0; i < m->checks->len; i++)
		print_check(m->checks->pdata[i]);
	for (guint i = 0; i < m->overrides->len; i++) {
		g_autofree char *text = varve_override_text(m->overrides->pdata[i]);

		printf("  %-12s %s\n", i ? "" : "overrides", text);
	}
	printf("  %-12s %u, %s installed; %u paths\n", "packages", m->packages->len, installed,
	       shown->n_paths);
	printf("  %-12s %u provided, %u required\n", "capabilities", g_strv_length(m->provides),
	       g_strv_length(m->requires));
	printf("  %-12s %s\n", "root hash", root);
	print_signer(shown);
	print_platform(shown);
	print_places(shown);
	if (options->packages)
		print_packages(shown);
	if (options->files)
		print_files(shown);
}

static json_t *place_json(guint64 offset, guint64 size)
{
	json_t *object = json_object();

	json_object_set_new(object, "offset", json_integer((json_int_t)offset));
	json_object_set_new(object, "size", json_integer((json_int_t)size));
	return object;
}

static json_t *signer_json(const Shown *shown)
{
	g_autofree char *fingerprint = NULL;
	json_t *object;

	if (!shown->signer)
		return json_null();
	object = json_object();
	fingerprint = varve_digest_dup_hex(varve_certificate_fingerprint(shown->signer));
	json_object_set_new(object, "certificate",
			    json_string(varve_certificate_name(shown->signer)));
	json_object_set_new(object, "subject",
			    json_string(varve_certificate_subject(shown->signer)));
	json_object_set_new(object, "fingerprint", json_string(fingerprint));
	json_object_set_new(object, "development",
			    json_boolean(varve_certificate_is_development(shown->signer)));
	return object;
}

static gboolean print_json(const Shown *shown, const Options *options, GError **error)
{
	g_autofree char *manifest_text = varve_manifest_write(shown->manifest);
	g_autofree char *root = varve_digest_dup_hex(varve_layer_root(shown->layer));
	g_autoptr(json_t) object = json_object();
	g_autofree char *text = NULL;
	guint64 data, data_size, hash, hash_size, signature, signature_size;
	json_t *manifest, *files;

	manifest = varve_json_parse(manifest_text, strlen(manifest_text), "manifest", error);
	if (!manifest)
		return FALSE;
	/* The manifest as it is in the layer, whole; --packages and --files are for people, except
	 * that the files are thousands and so have to be asked for here too. */
	json_object_set_new(object, "manifest", manifest);
	json_object_set_new(object, "rootHash", json_string(root));
	json_object_set_new(object, "signer", signer_json(shown));
	json_object_set_new(object, "platform", varve_platform_json(shown->layer, shown->platform));
	varve_layer_extents(shown->layer, &data, &data_size, &hash, &hash_size);
	varve_layer_signature_extent(shown->layer, &signature, &signature_size);
	json_object_set_new(object, "data", place_json(data, data_size));
	json_object_set_new(object, "verityTree", place_json(hash, hash_size));
	json_object_set_new(object, "signature", place_json(signature, signature_size));
	json_object_set_new(object, "pathCount", json_integer(shown->n_paths));
	if (options->files) {
		files = json_array();
		for (guint i = 0; i < shown->files->len; i++)
			json_array_append_new(files, varve_path_json(shown->files->pdata[i]));
		json_object_set_new(object, "files", files);
	}
	text = varve_json_dump(object, FALSE);
	fputs(text, stdout);
	return TRUE;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_auto(Shown) shown = { 0 };

	if (!load(options, invocation->argv[0], &shown, error))
		return VARVE_EXIT_FAILED;
	if (invocation->json)
		return print_json(&shown, options, error) ? VARVE_EXIT_OK : VARVE_EXIT_FAILED;
	print_text(&shown, options);
	return VARVE_EXIT_OK;
}

static GOptionEntry *entries(gpointer pointer)
{
	Options *options = pointer;
	const GOptionEntry list[] = {
		{ "certificates", 'c', 0, G_OPTION_ARG_FILENAME, &options->certificates,
		  "Say which of the certificates (*.crt) in DIR signed and admitted it", "DIR" },
		{ "packages", 'p', 0, G_OPTION_ARG_NONE, &options->packages, "List the packages",
		  NULL },
		{ "files", 'f', 0, G_OPTION_ARG_NONE, &options->files, "List the files", NULL },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

const VarveVerb varve_verb_layer_show = {
	.words = "layer show",
	.arguments = "FILE",
	.summary = "Show what a layer says of itself.",
	.details = "Nothing that is shown was checked against the data; 'varve layer verify' does "
		   "that.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
