/* gpg as a signing program. */
#include "rpm/openpgp.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "ground/fd.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SIGNATURE_LIMIT (64 * 1024)
#define HOME_PREFIX "varve-gpg-" /* then the pid of who uses it */

struct VarveOpenpgp {
	char *home; /* the temporary one */
	char *fingerprint;
	gint64 created; /* seconds since the epoch */
};

/* The secret keys that can sign, from gpg's colon listing (GnuPG, doc/DETAILS): field 6 of "sec" is
 * when it was made, field 12 has an 's'; the "fpr" line that follows has the fingerprint in
 * field 10. */
static gboolean find_key(VarveOpenpgp *key, const char *original, GError **error)
{
	const char *argv[] = { "gpg",      "--homedir",          key->home,       "--batch",
			       "--no-tty", "--list-secret-keys", "--with-colons", NULL };
	VarveProcess process = { .argv = argv };
	g_autofree char *output = NULL;
	g_auto(GStrv) lines = NULL;
	gboolean primary = FALSE;

	if (!varve_process_run(&process, &output, error))
		return FALSE;
	lines = g_strsplit(output, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, ":", -1);
		guint n = g_strv_length(fields);

		if (n > 11 && strcmp(fields[0], "sec") == 0)
			primary = strpbrk(fields[11], "sS") != NULL;
		if (primary && strcmp(fields[0], "sec") == 0)
			key->created = g_ascii_strtoll(fields[5], NULL, 10);
		if (!primary || n <= 9 || strcmp(fields[0], "fpr") != 0)
			continue;
		primary = FALSE;
		if (key->fingerprint)
			return varve_fail(error, VARVE_ERROR_CONFLICT,
					  "%s: holds several secret keys, expected the one package "
					  "key; 'varve keys init DIR' makes such a directory",
					  original);
		key->fingerprint = g_strdup(fields[9]);
	}
	return key->fingerprint ? TRUE
				: varve_fail(error, VARVE_ERROR_NOT_FOUND,
					     "%s: holds no secret key that can sign; 'varve keys "
					     "init DIR' makes one",
					     original);
}

static gboolean link_files(const char *from, const char *to, GError **error)
{
	static const char *const names[] = {
		"private-keys-v1.d", "public-keys.d",    "pubring.kbx",
		"pubring.gpg",       "openpgp-revocs.d", "common.conf"
	};
	g_autofree char *absolute = realpath(from, NULL);

	if (!absolute)
		return varve_fail_errno(error, errno,
					"%s: the package key is not there; 'varve keys init DIR' "
					"makes it",
					from);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *source = g_build_filename(absolute, names[i], NULL);
		g_autofree char *target = g_build_filename(to, names[i], NULL);

		if (access(source, F_OK) == 0 && symlink(source, target) < 0)
			return varve_fail_errno(error, errno, "%s: cannot link", target);
	}
	return TRUE;
}

static void remove_home(const char *home)
{
	varve_run(NULL, "gpgconf", "--homedir", home, "--kill", "gpg-agent", NULL);
	varve_dir_remove(AT_FDCWD, home, NULL);
}

/* Homes of processes that were killed: their agents would wait there for ever. */
static void remove_orphans(void)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(AT_FDCWD, g_get_tmp_dir(), &names, NULL))
		return;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(g_get_tmp_dir(), *name, NULL);
		struct stat st;
		int pid = 0, end = 0;

		/* The end is only reached where the whole form is there: other programs' temporary
		 * names begin with a digit too. */
		if (sscanf(*name, HOME_PREFIX "%d-%n", &pid, &end) == 1 && end > 0 && pid > 0 &&
		    kill(pid, 0) < 0 && errno == ESRCH && lstat(path, &st) == 0 &&
		    S_ISDIR(st.st_mode) && st.st_uid == geteuid())
			remove_home(path);
	}
}

VarveOpenpgp *varve_openpgp_open(const char *home, GError **error)
{
	g_autoptr(VarveOpenpgp) key = g_new0(VarveOpenpgp, 1);
	g_autofree char *name = g_strdup_printf(HOME_PREFIX "%d-XXXXXX", (int)getpid());

	remove_orphans();
	key->home = g_dir_make_tmp(name, error);
	if (!key->home || !link_files(home, key->home, error) || !find_key(key, home, error))
		return NULL;
	return g_steal_pointer(&key);
}

void varve_openpgp_free(VarveOpenpgp *key)
{
	if (!key)
		return;
	if (key->home)
		remove_home(key->home);
	g_free(key->home);
	g_free(key->fingerprint);
	g_free(key);
}

const char *varve_openpgp_fingerprint(const VarveOpenpgp *key)
{
	return key->fingerprint;
}

static gboolean sign(const VarveOpenpgp *key, const void *data, gsize size, gint64 time,
		     gboolean armour, GBytes **ret_signature, GError **error)
{
	/* A key's signatures do not count before its own date; "!" makes the clock stand still. */
	g_autofree char *when = g_strdup_printf("%" G_GINT64_FORMAT "!", MAX(time, key->created));
	g_autofree char *user = g_strconcat(key->fingerprint, "!", NULL);
	const char *argv[] = { "gpg",
			       "--homedir",
			       key->home,
			       "--batch",
			       "--no-tty",
			       "--no-options",
			       "--no-auto-check-trustdb",
			       "--trust-model",
			       "always",
			       "--pinentry-mode",
			       "error",
			       "--faked-system-time",
			       when,
			       "--digest-algo",
			       "SHA256",
			       "--local-user",
			       user,
			       "--detach-sign",
			       armour ? "--armor" : "--no-armor",
			       NULL };
	varve_autofd out = memfd_create("signature", MFD_CLOEXEC);
	VarveProcess process = {
		.argv = argv, .input = data, .input_size = size, .output_fd = out
	};
	g_autofree guint8 *bytes = NULL;
	ssize_t got;

	if (out < 0)
		return varve_fail_errno(error, errno, "signature: cannot make a memory file");
	if (!varve_process_run(&process, NULL, error))
		return FALSE;
	bytes = g_malloc(SIGNATURE_LIMIT);
	got = varve_fd_read_full(out, bytes, SIGNATURE_LIMIT, 0);
	if (got <= 0)
		return varve_fail(error, VARVE_ERROR_SYSTEM, "gpg wrote no signature");
	*ret_signature = g_bytes_new(bytes, (gsize)got);
	return TRUE;
}

gboolean varve_openpgp_sign(const void *data, gsize size, gint64 time, gpointer key,
			    GBytes **ret_signature, GError **error)
{
	return sign(key, data, size, time, FALSE, ret_signature, error);
}

gboolean varve_openpgp_sign_file(VarveOpenpgp *key, const char *path, gint64 time, GError **error)
{
	g_autofree char *data = NULL, *target = g_strconcat(path, ".asc", NULL);
	g_autoptr(GBytes) signature = NULL;
	gsize size = 0;

	if (!varve_file_read(AT_FDCWD, path, 64 << 20, &data, &size, error) ||
	    !sign(key, data, size, time, TRUE, &signature, error))
		return FALSE;
	return varve_file_write(AT_FDCWD, target, g_bytes_get_data(signature, NULL),
				g_bytes_get_size(signature), 0644, error);
}

/* The paths that rpm finds no signature in. */
static gboolean find_unsigned(const GPtrArray *paths, GPtrArray *unsigned_paths, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	const char *const command[] = { "rpm",
					"--query",
					"--package",
					"--nomanifest",
					"--nosignature",
					"--queryformat",
					"%|RSAHEADER?{s}:{%|DSAHEADER?{s}:{-}|}|\\n" };
	VarveProcess process = { 0 };
	g_autofree char *output = NULL;
	g_auto(GStrv) lines = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(command); i++)
		g_ptr_array_add(argv, (gpointer)command[i]);
	for (guint i = 0; i < paths->len; i++)
		g_ptr_array_add(argv, g_ptr_array_index(paths, i));
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	if (!varve_process_run(&process, &output, error))
		return FALSE;
	lines = g_strsplit(output, "\n", -1);
	if (g_strv_length(lines) != paths->len + 1)
		return varve_fail(error, VARVE_ERROR_SYSTEM,
				  "rpm answered for %u of %u packages whether they are signed",
				  g_strv_length(lines) - 1, paths->len);
	for (guint i = 0; i < paths->len; i++)
		if (strcmp(lines[i], "s") != 0)
			g_ptr_array_add(unsigned_paths, g_ptr_array_index(paths, i));
	return TRUE;
}

gboolean varve_openpgp_sign_packages(VarveOpenpgp *key, const GPtrArray *paths, gint64 time,
				     guint *ret_signed, GError **error)
{
	g_autoptr(GPtrArray) missing = g_ptr_array_new(), argv = g_ptr_array_new();
	g_autofree char *path = g_strdup_printf("_gpg_path %s", key->home);
	g_autofree char *name = g_strdup_printf("_gpg_name %s", key->fingerprint);
	g_autofree char *gpg = g_find_program_in_path("gpg"), *gpg_macro = NULL;
	g_autofree char *clock =
		time > 0 ? g_strdup_printf("_gpg_sign_cmd_extra_args --faked-system-time "
					   "%" G_GINT64_FORMAT "!",
					   MAX(time, key->created))
			 : g_strdup("_gpg_sign_cmd_extra_args --no-options");
	VarveProcess process = { 0 };

	if (!paths->len || !find_unsigned(paths, missing, error))
		return paths->len == 0;
	*ret_signed = missing->len;
	if (!missing->len)
		return TRUE;
	/* Debian's rpm does not define where gpg is. */
	gpg_macro = g_strdup_printf("__gpg %s", gpg ? gpg : "/usr/bin/gpg");
	for (const char *const *word =
		     (const char *const[]){ "rpmsign", "--define", path, "--define", name,
					    "--define", gpg_macro, "--define", clock, "--addsign",
					    NULL };
	     *word; word++)
		g_ptr_array_add(argv, (gpointer)*word);
	for (guint i = 0; i < missing->len; i++)
		g_ptr_array_add(argv, g_ptr_array_index(missing, i));
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	return varve_process_run(&process, NULL, error);
}

char *varve_openpgp_public(VarveOpenpgp *key, GError **error)
{
	const char *argv[] = { "gpg",     "--homedir", key->home,        "--batch", "--no-tty",
			       "--armor", "--export",  key->fingerprint, NULL };
	VarveProcess process = { .argv = argv };
	char *text = NULL;

	return varve_process_run(&process, &text, error) ? text : NULL;
}
