/* varve keys enroll: the files with which real machines take PK, KEK and db. */
#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/varve/keys.h"
#include "cli/varve/verbs.h"

#include <stdio.h>

typedef struct {
	char *directory, *keys, *output, *pk_key, *kek_key;
} EnrollOptions;

static GOptionEntry *entries(gpointer data)
{
	EnrollOptions *options = data;
	const GOptionEntry table[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &options->directory,
		  "Where the definition lies (default: here)", "DIR" },
		{ "keys", 0, 0, G_OPTION_ARG_FILENAME, &options->keys, VARVE_KEYS_HELP, "DIR" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "Where the files go (required)", "DIR" },
		{ "pk-key", 0, 0, G_OPTION_ARG_STRING, &options->pk_key,
		  "Private key of PK: a file, or a pkcs11: URI (default: PK.key of the keys)",
		  "KEY" },
		{ "kek-key", 0, 0, G_OPTION_ARG_STRING, &options->kek_key,
		  "Private key of KEK (default: KEK.key of the keys)", "KEY" },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

static gboolean write_bytes(const char *path, GBytes *bytes, GError **error)
{
	gsize size;
	const void *data = g_bytes_get_data(bytes, &size);

	return varve_file_write(AT_FDCWD, path, data, size, 0644, error);
}

static gboolean write_all(const VarveEnrolment *enrolment, GBytes *const *updates,
			  const char *output, GError **error)
{
	if (!varve_dir_make(output, 0755, error))
		return FALSE;
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++) {
		const char *name = varve_enrolment_variable_name(i);
		g_autofree char *esl = g_strdup_printf("%s/%s.esl", output, name);
		g_autofree char *auth = g_strdup_printf("%s/%s.auth", output, name);
		g_autoptr(GBytes) list = varve_enrolment_list(enrolment, i);

		if (!write_bytes(esl, list, error) || !write_bytes(auth, updates[i], error))
			return FALSE;
	}
	return TRUE;
}

static void report(const VarveEnrolment *enrolment, const char *output, gboolean json)
{
	json_t *variables = json_array();
	g_autoptr(json_t) object =
		json_pack("{s:s, s:o}", "directory", output, "variables", variables);

	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++) {
		const char *name = varve_enrolment_variable_name(i);
		const VarveCertificate *certificate = varve_enrolment_certificate(enrolment, i);
		gboolean development = varve_certificate_is_development(certificate);
		g_autofree char *fingerprint =
			varve_digest_dup_hex(varve_certificate_fingerprint(certificate));

		json_array_append_new(
			variables, json_pack("{s:s, s:s, s:s, s:b}", "name", name, "subject",
					     varve_certificate_subject(certificate), "fingerprint",
					     fingerprint, "development", (int)development));
		if (!json)
			printf("%-3s  CN=%s  %.16s%s  %s/%s.esl, .auth\n", name,
			       varve_certificate_subject(certificate), fingerprint,
			       development ? " (development)" : "", output, name);
	}
	if (json) {
		g_autofree char *text = varve_json_dump(object, FALSE);

		fputs(text, stdout);
	}
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const EnrollOptions *options = invocation->options;
	g_autofree char *keys = NULL;
	g_autoptr(VarveEnrolment) enrolment = NULL;
	GBytes *updates[VARVE_ENROLMENT_N] = { NULL };
	gboolean written;

	if (!options->output) {
		varve_fail(error, VARVE_ERROR_USAGE, "'keys enroll' needs --output DIR");
		return VARVE_EXIT_USAGE;
	}
	keys = varve_keys_find(options->keys, options->directory, error);
	enrolment = keys ? varve_enrolment_open(keys, error) : NULL;
	if (!enrolment ||
	    !varve_enrolment_sign(enrolment, options->pk_key, options->kek_key, updates, error))
		return VARVE_EXIT_FAILED;
	written = write_all(enrolment, updates, options->output, error);
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++)
		g_bytes_unref(updates[i]);
	if (!written)
		return VARVE_EXIT_FAILED;
	report(enrolment, options->output, invocation->json);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_keys_enroll = {
	.words = "keys enroll",
	.arguments = "",
	.summary = "Write the files with which machines take the keys for Secure Boot.",
	.details =
		"PK, KEK and db (the platform certificate alone), each as NAME.esl, a signature "
		"list, and as\nNAME.auth, the signed update. A machine in setup mode takes them by "
		"its firmware's menu, from\nits system with efi-updatevar or "
		"/sys/firmware/efi/efivars, or from systemd-boot: db first, PK\nlast, for PK ends "
		"setup mode. From then on it starts what the platform key signed, and nothing\n"
		"else: no option ROM either that Microsoft signed.",
	.options_size = sizeof(EnrollOptions),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 0,
	.max_arguments = 0,
	.run = run,
};
