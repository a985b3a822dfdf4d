/* varve repo publish: a directory of RPMs as a signed repository. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/varve/keys.h"
#include "cli/varve/verbs.h"
#include "package/repository.h"

#include <stdio.h>

typedef struct {
	char *directory, *keys;
} PublishOptions;

static GOptionEntry *entries(gpointer data)
{
	PublishOptions *options = data;
	const GOptionEntry table[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &options->directory,
		  "Where the definition lies (default: here)", "DIR" },
		{ "keys", 0, 0, G_OPTION_ARG_FILENAME, &options->keys, VARVE_KEYS_HELP, "DIR" },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

static gboolean publish(const char *directory, const char *keys, gboolean json, GError **error)
{
	g_autofree char *home = g_build_filename(keys, "package-gnupg", NULL);
	g_autoptr(VarveOpenpgp) key = varve_openpgp_open(home, error);
	g_autoptr(GPtrArray) names = key ? varve_repository_packages(directory, error) : NULL;
	guint newly_signed = 0;

	if (!names || !varve_repository_sign(directory, key, names, &newly_signed, error) ||
	    !varve_repository_publish(directory, key, names, error))
		return FALSE;
	if (json) {
		g_autoptr(json_t) object = json_pack(
			"{s:s, s:i, s:i, s:s}", "repository", directory, "packages", names->len,
			"signed", newly_signed, "key", varve_openpgp_fingerprint(key));
		g_autofree char *text = varve_json_dump(object, FALSE);

		fputs(text, stdout);
	} else {
		printf("%s: %u packages, %u of them signed now, index signed by %s\n", directory,
		       names->len, newly_signed, varve_openpgp_fingerprint(key));
	}
	return TRUE;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const PublishOptions *options = invocation->options;
	g_autofree char *keys = varve_keys_find(options->keys, options->directory, error);

	return keys && publish(invocation->argv[0], keys, invocation->json, error)
		       ? VARVE_EXIT_OK
		       : VARVE_EXIT_FAILED;
}

const VarveVerb varve_verb_repo_publish = {
	.words = "repo publish",
	.arguments = "DIR",
	.summary = "Index and sign a directory of RPMs as a repository.",
	.details = "Packages without a signature are signed in place, by the package key. The "
		   "index and its\nsignature (repodata/repomd.xml.asc) replace the old ones in one "
		   "step; the same packages give\nthe same index.",
	.options_size = sizeof(PublishOptions),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
