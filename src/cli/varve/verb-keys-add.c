/* varve keys add: one more development key, for a team that ships layers of its own. */
#include "cli/cli.h"
#include "cli/varve/verbs.h"
#include "crypt/authority.h"
#include "crypt/signature.h"

#include <stdio.h>
#include <string.h>

/* Those that Secure Boot needs and a directory of an earlier Varve lacks. */
static gboolean is_of_firmware(const char *name)
{
	return strcmp(name, "PK") == 0 || strcmp(name, "KEK") == 0 || strcmp(name, "platform") == 0;
}

static gboolean check_name(const char *name, GError **error)
{
	gboolean good = *name && *name != '-';

	for (const char *c = name; *c; c++)
		good &= g_ascii_islower(*c) || g_ascii_isdigit(*c) || *c == '-';
	return good || is_of_firmware(name) ||
	       varve_fail(error, VARVE_ERROR_USAGE,
			  "'%s' cannot be a key's name: expected small letters, digits and "
			  "dashes, or PK or KEK",
			  name);
}

static void report(const char *path, const char *file, const char *name,
		   const VarveCertificate *certificate)
{
	g_autofree char *fingerprint =
		varve_digest_dup_hex(varve_certificate_fingerprint(certificate));

	printf("%s  %.16s (development)\n", path, fingerprint);
	if (is_of_firmware(name))
		printf("It is for Secure Boot: 'varve run --secure-boot' and 'varve keys enroll' "
		       "take it from there.\n");
	else
		printf("Let it sign layers: key = \"%s\" in [layers.NAME], and in the edition's "
		       "policy\n\n"
		       "[[allow]]\ncertificate = \"%s\"\nlayers      = [\"%s*\"]\nroles       = "
		       "[\"extension\"]\n"
		       "paths       = [\"/usr/**\"]\n",
		       name, file, name);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const char *dir = invocation->argv[0], *name = invocation->argv[1];
	g_autofree char *base = g_build_filename(dir, "base.crt", NULL);
	g_autofree char *file = g_strconcat(name, ".crt", NULL);
	g_autofree char *path = g_build_filename(dir, file, NULL);
	g_autoptr(VarveCertificate) certificate = NULL;

	if (!check_name(name, error))
		return VARVE_EXIT_USAGE;
	if (!g_file_test(base, G_FILE_TEST_IS_REGULAR)) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "%s: not a keys directory; make one with 'varve keys init %s'", dir,
			   dir);
		return VARVE_EXIT_FAILED;
	}
	if (!varve_authority_make(dir, name, error))
		return VARVE_EXIT_FAILED;
	certificate = varve_certificate_load(path, error);
	if (!certificate)
		return VARVE_EXIT_FAILED;
	report(path, file, name, certificate);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_keys_add = {
	.words = "keys add",
	.arguments = "DIR NAME",
	.summary = "Make one more development key in a keys directory.",
	.details =
		"For a team that ships layers of its own: NAME.key stays with the team, "
		"NAME.crt goes "
		"into the base of every edition that has a layer with key = \"NAME\". PK and KEK "
		"are the firmware's, for a directory that lacks them.",
	.min_arguments = 2,
	.max_arguments = 2,
	.run = run,
};
