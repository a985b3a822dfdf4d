/* varve keys init: a directory of development keys, one for each purpose (design: keys). */
#include "base/file.h"
#include "base/json.h"
#include "base/parallel.h"
#include "base/process.h"
#include "cli/cli.h"
#include "cli/varve/verbs.h"
#include "crypt/authority.h"
#include "crypt/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKAGE_HOME "package-gnupg"
#define PACKAGE_KEY "package.asc"
#define PACKAGE_USER "Varve development packages (not for production) <packages@varve.invalid>"

static const struct {
	const char *name, *purpose;
} certificates[] = {
	{ "base", "seals base layers" },
	{ "layers", "seals extension layers" },
	{ "monitoring", "seals the monitoring team's layers" },
	{ "security", "seals patches of layers" },
	{ "platform", "signs boot loader and UKIs: what the firmware's db gets (Secure Boot)" },
	{ "PK", "owns the firmware: signs changes of PK and KEK" },
	{ "KEK", "signs changes of the firmware's db" },
};

/* The nearest ancestor of @path that exists, its links resolved, and what of @path is below it. */
static char *resolve(const char *path)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autofree char *parent = g_strdup(absolute);
	char *real, *joined;

	while (!(real = realpath(parent, NULL)) && strcmp(parent, "/") != 0) {
		char *up = g_path_get_dirname(parent);

		g_free(parent);
		parent = up;
	}
	joined = g_build_filename(real ?: "/", absolute + strlen(parent), NULL);
	free(real);
	return joined;
}

/* The work tree that @path lies in, or NULL. */
static char *find_work_tree(const char *path)
{
	g_autofree char *at = g_path_get_dirname(path);

	for (;;) {
		g_autofree char *git = g_build_filename(at, ".git", NULL);
		char *up;

		if (g_file_test(git, G_FILE_TEST_EXISTS))
			return g_steal_pointer(&at);
		if (strcmp(at, "/") == 0)
			return NULL;
		up = g_path_get_dirname(at);
		g_free(at);
		at = up;
	}
}

/* Private keys must not be committed by mistake; only a path that git ignores is safe from that. */
static gboolean check_not_in_git(const char *dir, GError **error)
{
	g_autofree char *tree = find_work_tree(dir);
	g_autofree char *key = g_build_filename(dir, "base.key", NULL);
	const char *argv[] = { "git", "-C", tree, "check-ignore", "-q", "--", key, NULL };
	int status = -1;

	if (!tree)
		return TRUE;
	/* With our environment: under sudo git asks it whose work tree this may be. */
	if (!varve_process_status(&(VarveProcess){ .argv = argv, .inherit_env = TRUE }, NULL, NULL,
				  &status, error)) {
		g_prefix_error(error,
			       "'%s' lies in the git work tree '%s', and whether git ignores it "
			       "cannot be told: ",
			       dir, tree);
		return FALSE;
	}
	if (status == 0)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_REFUSED,
			  "'%s' lies in the git work tree '%s' and is not ignored there: private "
			  "keys could be committed by mistake; name a directory outside, or add it "
			  "to .gitignore",
			  dir, tree);
}

static gboolean check_is_new(const char *dir, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!g_file_test(dir, G_FILE_TEST_EXISTS))
		return TRUE;
	if (!varve_dir_list(AT_FDCWD, dir, &names, error))
		return FALSE;
	if (!names[0])
		return TRUE;
	return varve_fail(error, VARVE_ERROR_CONFLICT,
			  "'%s' exists and has '%s': keys are never overwritten; name another "
			  "directory, or move the old keys away",
			  dir, names[0]);
}

static gboolean make_certificate(gsize index, gpointer dir, GError **error)
{
	return varve_authority_make(dir, certificates[index].name, error);
}

static gboolean gpg(const char *home, char **ret_output, GError **error, const char *first, ...)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *variable = g_strconcat("GNUPGHOME=", home, NULL);
	const char *env[] = { variable, NULL };
	va_list args;

	g_ptr_array_add(argv, (gpointer)first);
	va_start(args, first);
	do
		g_ptr_array_add(argv, va_arg(args, gpointer));
	while (g_ptr_array_index(argv, argv->len - 1));
	va_end(args);
	return varve_process_run(
		&(VarveProcess){ .argv = (const char *const *)argv->pdata, .env = env }, ret_output,
		error);
}

/* The primary key's fingerprint out of --with-colons (gnupg, doc/DETAILS). */
static char *parse_fingerprint(const char *listing)
{
	g_auto(GStrv) lines = g_strsplit(listing, "\n", -1);

	for (size_t i = 0; lines[i]; i++) {
		g_auto(GStrv) fields = g_strsplit(lines[i], ":", -1);

		if (g_strv_length(fields) > 9 && strcmp(fields[0], "fpr") == 0)
			return g_strdup(fields[9]);
	}
	return g_strdup("");
}

/* gpg's work in @home, which it sees under the short name @through: the sockets of its agent have
 * names of at most 107 bytes. */
static gboolean generate_key(const char *through, char **ret_armored, char **ret_listing,
			     GError **error)
{
	gboolean made =
		gpg(through, NULL, error, "gpg", "--batch", "--quiet", "--passphrase", "",
		    "--quick-generate-key", PACKAGE_USER, "rsa3072", "sign", "never", NULL) &&
		gpg(through, ret_armored, error, "gpg", "--batch", "--armor", "--export", NULL) &&
		gpg(through, ret_listing, error, "gpg", "--batch", "--with-colons", "--list-keys",
		    NULL);

	/* Its agent would outlive us, in a directory that is about to be renamed. */
	gpg(through, NULL, NULL, "gpgconf", "--kill", "all", NULL);
	return made;
}

static gboolean make_package_key(const char *dir, char **ret_fingerprint, GError **error)
{
	g_autofree char *home = g_build_filename(dir, PACKAGE_HOME, NULL);
	g_autofree char *path = g_build_filename(dir, PACKAGE_KEY, NULL);
	g_autofree char *temporary = NULL, *through = NULL, *armored = NULL, *listing = NULL;
	gboolean made;

	if (!varve_dir_make(home, 0700, error))
		return FALSE;
	temporary = g_dir_make_tmp("varve-gpg-XXXXXX", error);
	if (!temporary)
		return FALSE;
	through = g_build_filename(temporary, "home", NULL);
	if (symlink(home, through) < 0)
		made = varve_fail_errno(error, errno, "%s: cannot link", through);
	else
		made = generate_key(through, &armored, &listing, error);
	varve_dir_remove(AT_FDCWD, temporary, NULL);
	if (!made || !varve_file_write(AT_FDCWD, path, armored, strlen(armored), 0644, error))
		return FALSE;
	*ret_fingerprint = parse_fingerprint(listing);
	return TRUE;
}

static gboolean make_all(const char *dir, char **ret_fingerprint, GError **error)
{
	return varve_dir_make(dir, 0700, error) &&
	       varve_parallel(G_N_ELEMENTS(certificates), 0, make_certificate, (gpointer)dir,
			      error) &&
	       make_package_key(dir, ret_fingerprint, error);
}

static char *day(gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

	return time ? g_date_time_format(time, "%Y-%m-%d") : g_strdup("?");
}

static gboolean report(const char *dir, const char *package_fingerprint, gboolean json,
		       GError **error)
{
	g_autoptr(json_t) object = json_object();
	json_t *list = json_array();

	json_object_set_new(object, "directory", json_string(dir));
	json_object_set_new(object, "development", json_true());
	json_object_set_new(object, "certificates", list);
	json_object_set_new(object, "packageKey", json_string(package_fingerprint));
	if (!json)
		printf("Made development keys in %s:\n\n", dir);
	for (size_t i = 0; i < G_N_ELEMENTS(certificates); i++) {
		g_autofree char *path = g_strdup_printf("%s/%s.crt", dir, certificates[i].name);
		g_autoptr(VarveCertificate) certificate = varve_certificate_load(path, error);
		g_autofree char *fingerprint = NULL, *until = NULL;
		json_t *item;
		gint64 from, to;

		if (!certificate)
			return FALSE;
		fingerprint = varve_digest_dup_hex(varve_certificate_fingerprint(certificate));
		varve_certificate_validity(certificate, &from, &to);
		until = day(to);
		item = json_object();
		json_object_set_new(item, "name", json_string(certificates[i].name));
		json_object_set_new(item, "purpose", json_string(certificates[i].purpose));
		json_object_set_new(item, "fingerprint", json_string(fingerprint));
		json_object_set_new(item, "notAfter", json_string(until));
		json_array_append_new(list, item);
		if (!json)
			printf("  %-11s %.16s  %s\n", certificates[i].name, fingerprint,
			       certificates[i].purpose);
	}
	if (json) {
		g_autofree char *text = varve_json_dump(object, FALSE);

		fputs(text, stdout);
		return TRUE;
	}
	printf("  %-11s %.16s  signs packages and repositories (OpenPGP)\n\n"
	       "They are for development: their certificates say so, and publishing refuses them.\n"
	       "The private halves are readable by you alone; keep them out of every tree.\n",
	       "package", package_fingerprint);
	return TRUE;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	g_autofree char *dir = resolve(invocation->argv[0]);
	g_autofree char *partial = g_strconcat(dir, ".new", NULL);
	g_autofree char *fingerprint = NULL;
	g_autofree char *program = g_find_program_in_path("gpg");
	gboolean made;

	if (!program) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "gpg is not installed, and the package key is an OpenPGP key; install "
			   "gnupg");
		return VARVE_EXIT_FAILED;
	}
	if (!check_not_in_git(dir, error) || !check_is_new(dir, error))
		return VARVE_EXIT_FAILED;
	/* Whole or not at all: an earlier run that was killed leaves only this name. */
	if (!varve_dir_remove(AT_FDCWD, partial, error))
		return VARVE_EXIT_FAILED;
	made = make_all(partial, &fingerprint, error);
	if (made && rename(partial, dir) < 0)
		made = varve_fail_errno(error, errno, "'%s': rename to '%s'", partial, dir);
	if (!made) {
		varve_dir_remove(AT_FDCWD, partial, NULL);
		return VARVE_EXIT_FAILED;
	}
	return report(dir, fingerprint, invocation->json, error) ? VARVE_EXIT_OK
								 : VARVE_EXIT_FAILED;
}

const VarveVerb varve_verb_keys_init = {
	.words = "keys init",
	.arguments = "DIR",
	.summary = "Make development keys and certificates in a new directory.",
	.details =
		"Makes the X.509 keys base, layers, monitoring, security, and for Secure Boot "
		"platform, "
		"PK and KEK (RSA 3072,\nten years, marked as development certificates), and the "
		"OpenPGP key that signs packages:\npackage.asc and package-gnupg/. Nothing is ever "
		"overwritten. DIR must not lie in a git work tree,\nunless git ignores it.",
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
