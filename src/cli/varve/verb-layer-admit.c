/* varve layer admit: the platform's signature for layers that a base's own policy accepts. */
#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/varve/base-policy.h"
#include "cli/varve/verbs.h"
#include "cli/varve/verdict.h"
#include "layer/admit.h"
#include "layer/layer.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	char *base, *key, *certificate, *output;
} AdmitOptions;

typedef struct {
	const AdmitOptions *options;
	VarveLayer *base;
	char *root; /* directory: what the base judges by */
	VarvePrivateKey *key;
	VarveCertificate *certificate;
	json_t *report; /* (nullable) array */
} Admit;

static void admit_clear(Admit *admit)
{
	if (admit->root)
		varve_dir_remove(AT_FDCWD, admit->root, NULL);
	g_free(admit->root);
	g_clear_pointer(&admit->base, varve_layer_free);
	g_clear_pointer(&admit->key, varve_private_key_free);
	g_clear_pointer(&admit->certificate, varve_certificate_free);
	g_clear_pointer(&admit->report, json_decref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Admit, admit_clear)

static GOptionEntry *entries(gpointer data)
{
	AdmitOptions *options = data;
	const GOptionEntry table[] = {
		{ "base", 'b', 0, G_OPTION_ARG_FILENAME, &options->base,
		  "The base whose policy is asked; without a LAYER it is admitted itself", "FILE" },
		{ "key", 0, 0, G_OPTION_ARG_STRING, &options->key,
		  "The platform's private key: a file, or a pkcs11: URI", "KEY" },
		{ "certificate", 0, 0, G_OPTION_ARG_FILENAME, &options->certificate,
		  "Its certificate, which the firmware has in its db", "FILE" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "Directory for the admitted files (default: they take the place of those given)",
		  "DIR" },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

/* The policy that is asked must be one that this platform's nodes start: an extension is admitted
 * for what its base says, so the base comes first. */
static gboolean check_base(const Admit *admit, GError **error)
{
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();
	g_autoptr(GError) local = NULL;

	g_ptr_array_add(certificates, admit->certificate);
	if (varve_layer_check_platform(admit->base, certificates, NULL, &local))
		return TRUE;
	return varve_fail(
		error, VARVE_ERROR_REFUSED,
		"base '%s' is not admitted by '%s' itself, so no node of this platform "
		"starts it and its policy does not count: admit it first, with --base and "
		"no LAYER (%s)",
		admit->options->base, varve_certificate_name(admit->certificate), local->message);
}

/* @ret_roots: as varve_verdict() gives them. */
static gboolean judge(const Admit *admit, const char *const *files, VarveDigest *ret_roots,
		      GError **error)
{
	const VarveVerdict verdict = {
		.base_root = admit->root,
		.base = admit->options->base,
		.files = files,
		.whole = TRUE,
		.today = g_get_real_time() / G_USEC_PER_SEC / (24 * 60 * 60),
	};
	guint n = g_strv_length((char **)files);

	if ((*files && !check_base(admit, error)) || !varve_verdict(&verdict, ret_roots, error))
		return FALSE;
	return varve_digest_equal(&ret_roots[n], varve_layer_root(admit->base)) ||
	       varve_fail(error, VARVE_ERROR_CONFLICT,
			  "'%s': it was replaced while its policy was asked; start again",
			  admit->options->base);
}

static gboolean admit_one(const Admit *admit, const char *file, const VarveDigest *judged,
			  GError **error)
{
	g_autofree char *name = g_path_get_basename(file);
	g_autofree char *path = admit->options->output
					? g_build_filename(admit->options->output, name, NULL)
					: g_strdup(file);
	g_autofree char *root = varve_digest_dup_hex(judged);

	if (!varve_layer_admit(file, judged, admit->key, admit->certificate, path, error))
		return FALSE;
	if (admit->report)
		json_array_append_new(admit->report,
				      json_pack("{s:s,s:s,s:s}", "file", path, "rootHash", root,
						"platform",
						varve_certificate_subject(admit->certificate)));
	else
		printf("%s\nroot hash %s, admitted by %s%s\n", path, root,
		       varve_certificate_subject(admit->certificate),
		       varve_certificate_is_development(admit->certificate) ? " (development key)"
									    : "");
	return TRUE;
}

static gboolean admit_all(Admit *admit, const VarveInvocation *invocation, GError **error)
{
	const AdmitOptions *options = admit->options;
	const char *const *files = (const char *const *)invocation->argv;
	const char *const base[] = { options->base, NULL };
	g_autofree VarveDigest *roots = g_new0(VarveDigest, (gsize)invocation->argc + 1);

	admit->certificate = varve_certificate_load(options->certificate, error);
	admit->key = admit->certificate ? varve_private_key_load(options->key, error) : NULL;
	admit->base = admit->key ? varve_layer_open_path(options->base, error) : NULL;
	admit->root = admit->base ? g_dir_make_tmp("varve-admit-XXXXXX", error) : NULL;
	if (!admit->root || !varve_base_policy_extract(admit->base, admit->root, error) ||
	    !varve_verdict_platform_key(admit->root, admit->certificate, error) ||
	    !judge(admit, files, roots, error) ||
	    (options->output && !varve_dir_make(options->output, 0755, error)))
		return FALSE;
	if (!*files)
		files = base;
	for (guint i = 0; files[i]; i++) {
		if (!admit_one(admit, files[i], &roots[i], error))
			return FALSE;
	}
	return TRUE;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const AdmitOptions *options = invocation->options;
	g_auto(Admit) admit = { .options = options };

	if (!options->base || !options->key || !options->certificate) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "'layer admit' needs --base, --key and --certificate");
		return VARVE_EXIT_USAGE;
	}
	admit.report = invocation->json ? json_array() : NULL;
	if (!admit_all(&admit, invocation, error))
		return VARVE_EXIT_FAILED;
	if (admit.report) {
		g_autofree char *text = varve_json_dump(admit.report, FALSE);

		fputs(text, stdout);
	}
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_layer_admit = {
	.words = "layer admit",
	.arguments = "[LAYER…]",
	.summary = "Add the platform signature that kernels under Secure Boot ask for.",
	.details = "The base's own policy is asked first, about all LAYERs together on top of it: "
		   "what a node would refuse is not admitted, and then none is (exit status 3). "
		   "Without a LAYER the base itself is admitted. The platform key must not be one "
		   "that signs layers.",
	.options_size = sizeof(AdmitOptions),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 0,
	.max_arguments = -1,
	.run = run,
};
