/* varve layer patch: from newer packages to a layer that overrides only what differs. */
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/varve/base-policy.h"
#include "cli/varve/layer-text.h"
#include "cli/varve/verbs.h"
#include "cli/varve/verdict.h"
#include "cli/varve/workspace.h"
#include "compose/patch.h"
#include "layer/layer.h"
#include "layer/seal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_DEFAULT "security"
#define ROLLBACK_INDEX 1

typedef struct {
	VarveWorkspaceOptions workspace;
	char *edition, *base, *name, *version, *key;
	char **layers, **packages, **supersedes;
} PatchOptions;

static GOptionEntry *entries(gpointer data)
{
	PatchOptions *options = data;
	const GOptionEntry more[] = {
		{ "edition", 'e', 0, G_OPTION_ARG_STRING, &options->edition,
		  "Edition whose layers are patched (default: the only one)", "NAME" },
		{ "base", 'b', 0, G_OPTION_ARG_FILENAME, &options->base,
		  "The sealed base that is patched, or that the patched layers lie on", "FILE" },
		{ "layer", 'l', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->layers,
		  "Another sealed layer that may be patched (more than once)", "FILE" },
		{ "package", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->packages,
		  "A newer RPM of one that a layer carries (more than once)", "FILE" },
		{ "name", 'n', 0, G_OPTION_ARG_STRING, &options->name,
		  "Name of the patch (default: fix- and the package; of several the first by name)",
		  "NAME" },
		{ "version", 0, 0, G_OPTION_ARG_STRING, &options->version,
		  "Version of the patch (default: that of the packages)", "VERSION" },
		{ "key", 0, 0, G_OPTION_ARG_STRING, &options->key,
		  "Which of the keys signs it (default: " KEY_DEFAULT ")", "NAME" },
		{ "supersedes", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->supersedes,
		  "A patch that this one makes unnecessary (more than once)", "NAME" },
		{ NULL },
	};

	return varve_workspace_entries(&options->workspace, more);
}

/* Everything of one run. */
typedef struct {
	const PatchOptions *options;
	char **packages;
	VarveWorkspace *workspace;
	char *scratch;   /* directory, removed at the end */
	char *base_root; /* below it: what the base judges by */
	VarveCertificate *certificate;
	VarvePrivateKey *key;
	VarvePatched patched;
	char *path; /* of the result */
	VarveDigest root;
} Making;

static void making_clear(Making *making)
{
	if (making->scratch)
		varve_dir_remove(AT_FDCWD, making->scratch, NULL);
	varve_patched_clear(&making->patched);
	g_clear_pointer(&making->key, varve_private_key_free);
	g_clear_pointer(&making->certificate, varve_certificate_free);
	g_clear_pointer(&making->workspace, varve_workspace_free);
	g_strfreev(making->packages);
	g_free(making->scratch);
	g_free(making->base_root);
	g_free(making->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Making, making_clear)

static const char *const *list(char **strings)
{
	static const char *const none[] = { NULL };

	return strings ? (const char *const *)strings : none;
}

static gboolean load_key(Making *making, GError **error)
{
	const char *name = making->options->key ? making->options->key : KEY_DEFAULT;
	g_autofree char *key = g_strdup_printf("%s/%s.key", making->workspace->keys, name);
	g_autofree char *certificate = g_strdup_printf("%s/%s.crt", making->workspace->keys, name);

	if (strchr(name, '/'))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "--key is '%s', expected the name of a key in %s", name,
				  making->workspace->keys);
	making->certificate = varve_certificate_load(certificate, error);
	making->key = making->certificate ? varve_private_key_load(key, error) : NULL;
	return making->key != NULL;
}

/* A patch is made for bytes that somebody of ours signed. */
static gboolean open_base(Making *making, GError **error)
{
	g_autoptr(VarveLayer) base = varve_layer_open_path(making->options->base, error);
	g_autoptr(GPtrArray) certificates =
		base ? varve_certificates_load_dir(AT_FDCWD, making->workspace->keys, error) : NULL;

	making->scratch = certificates ? g_dir_make_tmp("varve-patch-XXXXXX", error) : NULL;
	if (!making->scratch)
		return FALSE;
	making->base_root = g_build_filename(making->scratch, "base", NULL);
	return varve_layer_check_signature(base, certificates, NULL, error) &&
	       varve_dir_make(making->base_root, 0700, error) &&
	       varve_base_policy_extract(base, making->base_root, error);
}

static gboolean compose(Making *making, GError **error)
{
	const PatchOptions *options = making->options;
	g_autofree char *work = g_build_filename(making->scratch, "patch", NULL);
	const VarvePatch patch = {
		.name = options->name,
		.version = options->version,
		.base = options->base,
		.base_root = making->base_root,
		.layers = list(options->layers),
		.packages = list(making->packages),
		.supersedes = list(options->supersedes),
		.rollback_index = ROLLBACK_INDEX,
	};

	return varve_dir_make(work, 0700, error) &&
	       varve_composer_patch(making->workspace->composer, &patch, work, &making->patched,
				    error);
}

/* Nothing gets its name that a node would refuse. */
static gboolean judge(const Making *making, const char *sealed, GError **error)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new();

	for (const char *const *layer = list(making->options->layers); *layer; layer++)
		g_ptr_array_add(files, (gpointer)*layer);
	g_ptr_array_add(files, (gpointer)sealed);
	g_ptr_array_add(files, NULL);
	return varve_verdict(
		&(VarveVerdict){ .base_root = making->base_root,
				 .base = making->options->base,
				 .files = (const char *const *)files->pdata,
				 .today = g_get_real_time() / G_USEC_PER_SEC / (24 * 60 * 60) },
		NULL, error);
}

static gboolean seal(Making *making, GError **error)
{
	const VarveManifest *manifest = making->patched.manifest;
	const VarveWorkspace *workspace = making->workspace;
	g_autofree char *name =
		varve_layer_file_name(manifest->name, manifest->version, workspace->arch);
	g_autofree char *sealed = g_build_filename(making->scratch, name, NULL);

	making->path = g_build_filename(workspace->output, name, NULL);
	return varve_layer_seal(making->patched.image, workspace->arch, manifest->name,
				manifest->version, making->key, making->certificate, sealed,
				&making->root, error) &&
	       judge(making, sealed, error) && varve_dir_make(workspace->output, 0755, error) &&
	       varve_file_copy(sealed, making->path, 0644, error);
}

static guint64 size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (guint64)st.st_size : 0;
}

static void print_json(const Making *making)
{
	const VarveManifest *manifest = making->patched.manifest;
	g_autofree char *root = varve_digest_dup_hex(&making->root);
	g_autoptr(json_t) report = json_pack(
		"{s:s,s:s,s:s,s:s,s:I}", "name", manifest->name, "version", manifest->version,
		"file", making->path, "rootHash", root, "size", (json_int_t)size_of(making->path));
	json_t *notes = json_array();
	g_autofree char *text = NULL;

	for (guint i = 0; i < making->patched.notes->len; i++)
		json_array_append_new(notes, varve_json_escaped(making->patched.notes->pdata[i]));
	json_object_set_new(report, "overrides", varve_overrides_json(manifest));
	json_object_set_new(report, "added", json_integer(making->patched.added));
	json_object_set_new(report, "notes", notes);
	text = varve_json_dump(report, FALSE);
	fputs(text, stdout);
}

static void print_text(const Making *making)
{
	const VarveManifest *manifest = making->patched.manifest;
	g_autofree char *size = varve_size_text(size_of(making->path));

	for (guint i = 0; i < manifest->overrides->len; i++) {
		g_autofree char *text = varve_override_text(manifest->overrides->pdata[i]);

		printf("overrides   %s\n", text);
	}
	if (making->patched.added > 0)
		printf("adds        %u file%s\n", making->patched.added,
		       making->patched.added == 1 ? "" : "s");
	for (guint i = 0; i < making->patched.notes->len; i++)
		printf("note        %s\n", (const char *)making->patched.notes->pdata[i]);
	printf("%s  (%s)\n", making->path, size);
}

/* Those of --package, and what a shell made of one with a `*`. */
static char **all_packages(const VarveInvocation *invocation)
{
	const PatchOptions *options = invocation->options;
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	g_strv_builder_addv(builder, (const char **)list(options->packages));
	g_strv_builder_addv(builder, (const char **)invocation->argv);
	return g_strv_builder_end(builder);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const PatchOptions *options = invocation->options;
	g_auto(Making) making = { .options = options, .packages = all_packages(invocation) };

	if (!options->base || !*making.packages) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "'layer patch' needs --base and at least one --package");
		return VARVE_EXIT_USAGE;
	}
	making.workspace = varve_workspace_open(&options->workspace, options->edition, error);
	if (!making.workspace || !load_key(&making, error) || !open_base(&making, error) ||
	    !varve_workspace_compose(making.workspace, error) || !compose(&making, error) ||
	    !seal(&making, error))
		return VARVE_EXIT_FAILED;
	if (invocation->json)
		print_json(&making);
	else
		print_text(&making);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_layer_patch = {
	.words = "layer patch",
	.arguments = "[PACKAGE.rpm…]",
	.summary = "Make a patch: a layer with what newer packages have otherwise than a base.",
	.details =
		"Each package must be signed by a key of the definition and be newer than the "
		"build of it that the base, or a given layer, carries. The patch overrides the "
		"files that differ and adds those that are new; no scriptlet runs. It is signed, "
		"and the base's own policy is asked about it before it gets its name (exit status "
		"3: it refuses). A node drops it by itself when the fix is in the layers.",
	.options_size = sizeof(PatchOptions),
	.entries = entries,
	.reports = TRUE,
	.max_arguments = -1,
	.run = run,
};
