/* varve layer verify: signature, every block, and what the layer says of itself (design.md §5). */
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varve/layer-text.h"
#include "cli/varve/platform-text.h"
#include "cli/varve/verbs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

typedef struct {
	char *certificates, *platform;
	char **key_scopes;
} Options;

/* "monitoring.crt:monitoring*": the certificate may sign the layers whose names match. */
typedef struct {
	const VarveCertificate *certificate;
	char *layers;
} Scope;

typedef struct {
	GPtrArray *certificates;
	GPtrArray *platform; /* (nullable) the one who must have admitted them */
	GArray *scopes;      /* empty: each may sign all */
	json_t *report;      /* array, or NULL for text */
} Verify;

/* What is told of a good layer. */
typedef struct {
	const VarveCertificate *signer;
	char *platform; /* varve_platform_text() */
	json_t *platform_json;
	VarveManifest *manifest;
	guint n_paths;
	guint64 size;
	char root[VARVE_DIGEST_HEX_SIZE];
} Found;

static void scope_clear(gpointer data)
{
	g_free(((Scope *)data)->layers);
}

static void verify_clear(Verify *verify)
{
	g_clear_pointer(&verify->certificates, g_ptr_array_unref);
	g_clear_pointer(&verify->platform, g_ptr_array_unref);
	g_clear_pointer(&verify->scopes, g_array_unref);
	g_clear_pointer(&verify->report, json_decref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verify, verify_clear)

static void found_clear(Found *found)
{
	g_clear_pointer(&found->manifest, varve_manifest_free);
	g_clear_pointer(&found->platform, g_free);
	g_clear_pointer(&found->platform_json, json_decref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

static gboolean add_scope(Verify *verify, const char *text, GError **error)
{
	g_auto(GStrv) halves = g_strsplit(text, ":", 2);

	if (!halves[0] || !halves[1] || !*halves[1])
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "--key-scope=%s: expected CERTIFICATE:GLOB, as in "
				  "'monitoring.crt:monitoring*'",
				  text);
	for (guint i = 0; i < verify->certificates->len; i++) {
		const VarveCertificate *certificate = verify->certificates->pdata[i];
		Scope scope = { .certificate = certificate };

		if (strcmp(varve_certificate_name(certificate), halves[0]) != 0)
			continue;
		scope.layers = g_strdup(halves[1]);
		g_array_append_val(verify->scopes, scope);
		return TRUE;
	}
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "--key-scope=%s: no certificate '%s' in the directory of --certificates",
			  text, halves[0]);
}

static gboolean check_scope(const Verify *verify, const Found *found, const char *layer,
			    GError **error)
{
	if (verify->scopes->len == 0)
		return TRUE;
	for (guint i = 0; i < verify->scopes->len; i++) {
		const Scope *scope = &g_array_index(verify->scopes, Scope, i);

		if (scope->certificate == found->signer &&
		    varve_glob_match(scope->layers, found->manifest->name))
			return TRUE;
	}
	return varve_fail(
		error, VARVE_ERROR_REFUSED,
		"layer '%s': key-scope: signed by '%s', which may not sign a layer called "
		"'%s'",
		layer, varve_certificate_name(found->signer), found->manifest->name);
}

/* Asked for it is required; else it is told, for it says nothing on nodes without Secure Boot. */
static gboolean check_platform(const Verify *verify, const VarveLayer *layer, Found *found,
			       GError **error)
{
	const GPtrArray *certificates = verify->platform ? verify->platform : verify->certificates;
	const VarveCertificate *signer = NULL;

	if (verify->platform ? !varve_layer_check_platform(layer, certificates, &signer, error)
			     : !varve_platform_find(layer, certificates, &signer, error))
		return FALSE;
	found->platform = varve_platform_text(layer, signer);
	found->platform_json = varve_platform_json(layer, signer);
	return TRUE;
}

static gboolean verify_layer(const Verify *verify, const char *path, Found *found, GError **error)
{
	g_autoptr(VarveLayer) layer = varve_layer_open_path(path, error);
	g_autoptr(VarvePathTable) paths = NULL;
	guint64 unused;

	if (!layer)
		return FALSE;
	varve_digest_to_hex(varve_layer_root(layer), found->root);
	varve_layer_extents(layer, &unused, &found->size, &unused, &unused);
	if (!varve_layer_check_signature(layer, verify->certificates, &found->signer, error) ||
	    !check_platform(verify, layer, found, error) || !varve_layer_check_data(layer, error))
		return FALSE;
	found->manifest = varve_layer_read_manifest(layer, error);
	if (!found->manifest || !check_scope(verify, found, varve_layer_name(layer), error))
		return FALSE;
	paths = varve_layer_read_paths(layer, found->manifest, error);
	if (!paths || !varve_layer_check_tree(layer, found->manifest, paths, NULL, error))
		return FALSE;
	found->n_paths = (guint)varve_path_table_count(paths);
	return TRUE;
}

static void report_json(const Verify *verify, const char *path, const Found *found,
			const GError *error)
{
	json_t *object = json_object();

	json_object_set_new(object, "file", json_string(path));
	json_object_set_new(object, "good", json_boolean(!error));
	if (*found->root)
		json_object_set_new(object, "rootHash", json_string(found->root));
	if (error) {
		json_object_set_new(object, "error", json_string(error->message));
		json_object_set_new(object, "status", json_integer(varve_exit_status(error)));
	} else {
		json_object_set_new(object, "name", json_string(found->manifest->name));
		json_object_set_new(object, "version", json_string(found->manifest->version));
		json_object_set_new(object, "signer",
				    json_string(varve_certificate_name(found->signer)));
		json_object_set_new(object, "development",
				    json_boolean(varve_certificate_is_development(found->signer)));
		json_object_set(object, "platform", found->platform_json);
		json_object_set_new(object, "paths", json_integer(found->n_paths));
		json_object_set_new(object, "size", json_integer((json_int_t)found->size));
	}
	json_array_append_new(verify->report, object);
}

static void report_text(const char *path, const Found *found, const GError *error)
{
	g_autofree char *size = varve_size_text(found->size);

	if (error) {
		g_autofree char *message = varve_printable(error->message);

		/* Beside the other files' lines, so that which one is bad can be seen. */
		printf("%s: BAD: %s\n", path, message);
		return;
	}
	printf("%s: good: %s %s, %s in %u paths, root hash %.16s…, signed by %s%s, %s\n", path,
	       found->manifest->name, found->manifest->version, size, found->n_paths, found->root,
	       varve_certificate_name(found->signer),
	       varve_certificate_is_development(found->signer) ? " (development key)" : "",
	       found->platform);
}

static gboolean load_platform(Verify *verify, const char *path, GError **error)
{
	VarveCertificate *certificate = varve_certificate_load(path, error);

	if (!certificate)
		return FALSE;
	verify->platform = g_ptr_array_new_with_free_func((GDestroyNotify)varve_certificate_free);
	g_ptr_array_add(verify->platform, certificate);
	return TRUE;
}

static gboolean prepare(Verify *verify, const Options *options, gboolean json, GError **error)
{
	if (!options->certificates)
		return varve_fail(
			error, VARVE_ERROR_USAGE,
			"who may sign is not said: give --certificates=DIR, the directory "
			"with the *.crt files that are trusted");
	verify->certificates = varve_certificates_load_dir(AT_FDCWD, options->certificates, error);
	if (!verify->certificates ||
	    (options->platform && !load_platform(verify, options->platform, error)))
		return FALSE;
	verify->scopes = g_array_new(FALSE, FALSE, sizeof(Scope));
	g_array_set_clear_func(verify->scopes, scope_clear);
	for (char **scope = options->key_scopes; scope && *scope; scope++) {
		if (!add_scope(verify, *scope, error))
			return FALSE;
	}
	verify->report = json ? json_array() : NULL;
	return TRUE;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	g_auto(Verify) verify = { 0 };
	int status = VARVE_EXIT_OK;

	if (!prepare(&verify, invocation->options, invocation->json, error))
		return VARVE_EXIT_FAILED;
	for (int i = 0; i < invocation->argc; i++) {
		g_autoptr(GError) failure = NULL;
		g_auto(Found) found = { 0 };

		/* One bad layer does not keep the others from being looked at. */
		verify_layer(&verify, invocation->argv[i], &found, &failure);
		if (verify.report)
			report_json(&verify, invocation->argv[i], &found, failure);
		else
			report_text(invocation->argv[i], &found, failure);
		if (failure)
			status = MAX(status, varve_exit_status(failure));
	}
	if (verify.report) {
		g_autofree char *text = varve_json_dump(verify.report, FALSE);

		fputs(text, stdout);
	}
	return status;
}

static GOptionEntry *entries(gpointer pointer)
{
	Options *options = pointer;
	const GOptionEntry list[] = {
		{ "certificates", 'c', 0, G_OPTION_ARG_FILENAME, &options->certificates,
		  "Trust the certificates (*.crt) in DIR", "DIR" },
		{ "platform-certificate", 0, 0, G_OPTION_ARG_FILENAME, &options->platform,
		  "Ask for a platform signature by this certificate, too", "FILE" },
		{ "key-scope", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->key_scopes,
		  "Let CERTIFICATE sign only layers named GLOB; may be repeated; who is in none "
		  "may sign nothing",
		  "CERTIFICATE:GLOB" },
		{ NULL },
	};

	return g_memdup2(list, sizeof(list));
}

const VarveVerb varve_verb_layer_verify = {
	.words = "layer verify",
	.arguments = "FILE…",
	.summary = "Check signatures, every block, and what layers say of themselves.",
	.details =
		"A layer is good if one of the certificates signed its root hash, every block of "
		"data and of the\nverity tree matches it, and every path in it, with mode, "
		"owner, size, digest, label and xattrs,\nis what its manifest and path table "
		"say. Nothing is mounted; no privilege is needed.\nExit status: 5 if one is "
		"corrupt or untrusted, 3 if one is signed out of its key's scope.",
	.options_size = sizeof(Options),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = run,
};
