/* apt as a program (apt.conf(5), apt-get(8), apt-cache(8)). */
#include "package/debian-apt.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "crypt/sha256.h"
#include "package/debian-mirror.h"

#include <string.h>
#include <sys/stat.h>

#define DEBIAN_KEYRING "/usr/share/keyrings/debian-archive-keyring.gpg"
#define DAY_SECONDS (24 * 60 * 60)
#define STANZAS_LIMIT (256U << 20)

struct VarveApt {
	char *directory;
	char *environment; /* "APT_CONFIG=…" */
	char *sources;     /* text of sources.list */
	char *stamp;       /* path: its text is the sources that the lists are of */
	char *answer;      /* path: the last resolution, below a comment that says of what */
};

void varve_apt_free(VarveApt *apt)
{
	if (!apt)
		return;
	g_free(apt->directory);
	g_free(apt->environment);
	g_free(apt->sources);
	g_free(apt->stamp);
	g_free(apt->answer);
	g_free(apt);
}

static gboolean run_apt(const VarveApt *apt, const char *const *argv, const char *directory,
			char **ret_output, char **ret_errors, int *ret_status, GError **error)
{
	const char *env[] = { apt->environment, "DEBIAN_FRONTEND=noninteractive", NULL };
	VarveProcess process = { .argv = argv, .env = env, .directory = directory };

	return varve_process_status(&process, ret_output, ret_errors, ret_status, error);
}

/* Proxies and certificates are how this machine reaches anything at all: they are its own. */
static char *machine_network_settings(void)
{
	const char *argv[] = { "apt-config", "dump", "Acquire", NULL };
	VarveProcess process = { .argv = argv };
	g_autofree char *output = NULL;
	g_auto(GStrv) lines = NULL;
	GString *kept = g_string_new(NULL);

	if (!varve_process_run(&process, &output, NULL))
		return g_string_free(kept, FALSE);
	lines = g_strsplit(output, "\n", -1);
	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "Acquire::http::") ||
		    g_str_has_prefix(*line, "Acquire::https::"))
			g_string_append_printf(kept, "%s\n", *line);
	return g_string_free(kept, FALSE);
}

static gboolean write_configuration(VarveApt *apt, const char *debian_arch, GError **error)
{
	g_autofree char *path = g_build_filename(apt->directory, "apt.conf", NULL);
	g_autofree char *network = machine_network_settings();
	const char *d = apt->directory;
	g_autofree char *text =
		g_strdup_printf("Dir \"/\";\n"
				"Dir::State \"%s\";\n"
				"Dir::State::lists \"%s/lists\";\n"
				"Dir::State::status \"%s/status\";\n"
				"Dir::State::extended_states \"%s/extended_states\";\n"
				"Dir::Cache \"%s/cache\";\n"
				"Dir::Log \"%s\";\n"
				"Dir::Etc::main \"/dev/null\";\n"
				"Dir::Etc::parts \"/dev/null\";\n"
				"Dir::Etc::preferences \"/dev/null\";\n"
				"Dir::Etc::preferencesparts \"/dev/null\";\n"
				"Dir::Etc::sourcelist \"%s/sources.list\";\n"
				"Dir::Etc::sourceparts \"/dev/null\";\n"
				"Dir::Etc::trusted \"/dev/null\";\n"
				"Dir::Etc::trustedparts \"/dev/null\";\n"
				"Dir::Etc::netrc \"/dev/null\";\n"
				"Dir::Etc::netrcparts \"/dev/null\";\n"
				"#clear APT::Architectures;\n"
				"APT::Architecture \"%s\";\n"
				"APT::Architectures { \"%s\"; };\n"
				"APT::Install-Recommends \"false\";\n"
				"APT::Install-Suggests \"false\";\n"
				"APT::Get::AllowUnauthenticated \"false\";\n"
				/* Its own user could not reach a private directory; what is fetched
				 * is checked against signatures whoever fetches it. */
				"APT::Sandbox::User \"root\";\n"
				"Acquire::AllowInsecureRepositories \"false\";\n"
				"Acquire::AllowWeakRepositories \"false\";\n"
				"Acquire::AllowDowngradeToInsecureRepositories \"false\";\n"
				"Acquire::Languages \"none\";\n"
				"Acquire::Retries \"2\";\n"
				"Debug::NoLocking \"true\";\n"
				"%s",
				d, d, d, d, d, d, d, debian_arch, debian_arch, network);

	return varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, error);
}

static void add_source(GString *text, const char *keyring, const char *uri, const char *suite,
		       const char *suffix, const char *components)
{
	g_string_append_printf(text, "deb [signed-by=%s] %s %s%s %s\n", keyring, uri, suite, suffix,
			       components);
}

/* Mirrors of ".../debian" have ".../debian-security" beside it; of any other archive nothing is
 * known. */
static char *security_beside(const char *mirror)
{
	g_autofree char *trimmed = g_strdup(mirror);

	while (g_str_has_suffix(trimmed, "/"))
		trimmed[strlen(trimmed) - 1] = '\0';
	return g_str_has_suffix(trimmed, "/debian") ? g_strconcat(trimmed, "-security", NULL)
						    : NULL;
}

static char *make_sources(const VarveAptSource *source, GError **error)
{
	g_auto(VarveDebianMirror) mirror = { 0 };
	const char *keyring = source->keyring ? source->keyring : DEBIAN_KEYRING;
	g_autofree char *components = NULL;
	GString *text;

	if (access(keyring, R_OK) < 0) {
		varve_fail_errno(
			error, errno,
			"%s: no keyring to check Debian's archive with; install the "
			"package 'debian-archive-keyring' or set 'keyring' of the upstream",
			keyring);
		return NULL;
	}
	if (source->mirror) {
		mirror.archive = g_strdup(source->mirror);
		mirror.security = source->security_mirror ? g_strdup(source->security_mirror)
							  : security_beside(source->mirror);
	} else if (!varve_debian_mirror_find("/etc/apt", &mirror, error)) {
		return NULL;
	}
	while (g_str_has_suffix(mirror.archive, "/"))
		mirror.archive[strlen(mirror.archive) - 1] = '\0';
	components = g_strjoinv(" ", (char **)source->components);
	text = g_string_new(NULL);
	add_source(text, keyring, mirror.archive, source->suite, "", components);
	if (g_str_has_suffix(mirror.archive, "/debian"))
		add_source(text, keyring, mirror.archive, source->suite, "-updates", components);
	if (mirror.security)
		add_source(text, keyring, mirror.security, source->suite, "-security", components);
	return g_string_free(text, FALSE);
}

static gboolean prepare(VarveApt *apt, const VarveAptSource *source, GError **error)
{
	static const char *const directories[] = { "lists/partial", "cache/archives/partial" };
	g_autofree char *list = g_build_filename(apt->directory, "sources.list", NULL);
	g_autofree char *status = g_build_filename(apt->directory, "status", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autofree char *path = g_build_filename(apt->directory, directories[i], NULL);

		if (!varve_dir_make(path, 0755, error))
			return FALSE;
	}
	apt->sources = make_sources(source, error);
	return apt->sources && write_configuration(apt, source->debian_arch, error) &&
	       varve_file_write(AT_FDCWD, list, apt->sources, strlen(apt->sources), 0644, error) &&
	       varve_file_write(AT_FDCWD, status, "", 0, 0644, error);
}

VarveApt *varve_apt_open(const VarveAptSource *source, const char *directory, GError **error)
{
	g_autoptr(VarveApt) apt = g_new0(VarveApt, 1);

	apt->directory = g_canonicalize_filename(directory, NULL);
	if (strpbrk(apt->directory, "\"\\\n")) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "%s: apt cannot work below a path with quotes or backslashes",
			   apt->directory);
		return NULL;
	}
	apt->environment = g_strdup_printf("APT_CONFIG=%s/apt.conf", apt->directory);
	apt->stamp = g_build_filename(apt->directory, "updated", NULL);
	apt->answer = g_build_filename(apt->directory, "resolved", NULL);
	return prepare(apt, source, error) ? g_steal_pointer(&apt) : NULL;
}

/* Seconds since the last update from the same sources; below 0 where there was none. */
static gint64 lists_age(const VarveApt *apt)
{
	g_autofree char *of = NULL;
	struct stat st;
	gint64 age;

	if (!varve_file_read(AT_FDCWD, apt->stamp, 1 << 20, &of, NULL, NULL) ||
	    strcmp(of, apt->sources) != 0 || stat(apt->stamp, &st) < 0)
		return -1;
	age = g_get_real_time() / G_USEC_PER_SEC - st.st_mtime;
	return MAX(age, 0);
}

static gboolean fail_update(const char *errors, GError **error)
{
	gboolean untrusted = strstr(errors, "not signed") || strstr(errors, "no longer signed") ||
			     strstr(errors, "GPG error") || strstr(errors, "NO_PUBKEY") ||
			     strstr(errors, "BADSIG") || strstr(errors, "Hash Sum mismatch");

	return varve_fail(error, untrusted ? VARVE_ERROR_UNTRUSTED : VARVE_ERROR_SYSTEM,
			  untrusted ? "the archive's lists are not trustworthy: apt says:\n%s"
				    : "the archive's lists cannot be fetched: apt says:\n%s",
			  errors);
}

gboolean varve_apt_update(VarveApt *apt, gboolean refresh, gint64 *ret_age, GError **error)
{
	const char *argv[] = { "apt-get", "update", "-q", "--error-on=any", NULL };
	g_autofree char *errors = NULL;
	gint64 age = lists_age(apt);
	int status = 0;

	if (!refresh && age >= 0 && age < DAY_SECONDS) {
		if (ret_age)
			*ret_age = age;
		return TRUE;
	}
	if (!run_apt(apt, argv, NULL, NULL, &errors, &status, error))
		return FALSE;
	if (status != 0) {
		g_autoptr(GError) failure = NULL;

		fail_update(g_strstrip(errors), &failure);
		/* Only an absent network is forgiven, and only where nobody asked to use it. */
		if (refresh || age < 0 ||
		    g_error_matches(failure, VARVE_ERROR, VARVE_ERROR_UNTRUSTED)) {
			g_propagate_error(error, g_steal_pointer(&failure));
			return FALSE;
		}
	} else {
		if (!varve_file_write(AT_FDCWD, apt->stamp, apt->sources, strlen(apt->sources),
				      0644, error))
			return FALSE;
		age = 0;
	}
	if (ret_age)
		*ret_age = age;
	return TRUE;
}

/* "Inst NAME (VERSION SOURCE [ARCH])" -> "NAME=VERSION" */
static GPtrArray *parse_simulation(const char *output)
{
	GPtrArray *chosen = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) lines = g_strsplit(output, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = NULL;

		if (!g_str_has_prefix(*line, "Inst "))
			continue;
		words = g_strsplit(*line, " ", 4);
		if (g_strv_length(words) >= 3 && words[2][0] == '(')
			g_ptr_array_add(chosen, g_strdup_printf("%s=%.*s", words[1],
								(int)strcspn(words[2] + 1, ")"),
								words[2] + 1));
	}
	return chosen;
}

static gboolean show_stanzas(const VarveApt *apt, const GPtrArray *chosen, char **ret_text,
			     GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *output = NULL, *errors = NULL;
	int status = 0;

	g_ptr_array_add(argv, (gpointer) "apt-cache");
	g_ptr_array_add(argv, (gpointer) "show");
	for (guint i = 0; i < chosen->len; i++)
		g_ptr_array_add(argv, g_ptr_array_index(chosen, i));
	g_ptr_array_add(argv, NULL);
	if (!run_apt(apt, (const char *const *)argv->pdata, NULL, &output, &errors, &status, error))
		return FALSE;
	if (status != 0)
		return varve_fail(error, VARVE_ERROR_SYSTEM, "apt-cache show: %s",
				  g_strstrip(errors));
	*ret_text = g_steal_pointer(&output);
	return TRUE;
}

static gboolean simulate(const VarveApt *apt, const GPtrArray *names, char **ret_output,
			 GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *output = NULL, *errors = NULL;
	const char *const command[] = { "apt-get", "install", "--simulate",
					"-q",      "-y",      "--no-install-recommends" };
	const char *unmet;
	int status = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(command); i++)
		g_ptr_array_add(argv, (gpointer)command[i]);
	for (guint i = 0; i < names->len; i++)
		g_ptr_array_add(argv, g_ptr_array_index(names, i));
	g_ptr_array_add(argv, NULL);
	if (!run_apt(apt, (const char *const *)argv->pdata, NULL, &output, &errors, &status, error))
		return FALSE;
	if (status == 0) {
		*ret_output = g_steal_pointer(&output);
		return TRUE;
	}
	/* What does not fit together is explained on standard output. */
	unmet = strstr(output, "The following packages have unmet");
	return varve_fail(error,
			  strstr(errors, "Unable to locate") ? VARVE_ERROR_NOT_FOUND
							     : VARVE_ERROR_CONFLICT,
			  "the wanted packages cannot be had together: apt says:\n%s%s",
			  unmet ? unmet : "", g_strstrip(errors));
}

/* What an answer depends on, as a comment line: the question and the lists. */
static char *answer_title(const VarveApt *apt, const GPtrArray *names)
{
	g_autoptr(GString) question = g_string_new(apt->sources);
	g_autofree char *hex = NULL;
	struct stat st = { 0 };
	VarveDigest digest;

	stat(apt->stamp, &st);
	g_string_append_printf(question, "%" G_GINT64_FORMAT ".%ld", (gint64)st.st_mtim.tv_sec,
			       st.st_mtim.tv_nsec);
	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(question, "\n%s", (char *)g_ptr_array_index(names, i));
	varve_sha256(question->str, question->len, &digest);
	hex = varve_digest_dup_hex(&digest);
	return g_strdup_printf("# %s\n", hex);
}

GPtrArray *varve_apt_resolve(VarveApt *apt, const GPtrArray *names, GError **error)
{
	g_autofree char *title = answer_title(apt, names), *text = NULL, *output = NULL;
	g_autofree char *whole = NULL;
	g_autoptr(GPtrArray) chosen = NULL;
	gsize size = 0;

	if (varve_file_read(AT_FDCWD, apt->answer, STANZAS_LIMIT, &text, &size, NULL) &&
	    g_str_has_prefix(text, title))
		return varve_deb822_parse(text, size, apt->answer, error);
	g_clear_pointer(&text, g_free);
	if (!simulate(apt, names, &output, error))
		return NULL;
	chosen = parse_simulation(output);
	if (!show_stanzas(apt, chosen, &text, error))
		return NULL;
	whole = g_strconcat(title, text, NULL);
	if (!varve_file_write(AT_FDCWD, apt->answer, whole, strlen(whole), 0644, error))
		return NULL;
	return varve_deb822_parse(whole, strlen(whole), "apt's lists", error);
}

char *varve_apt_file_name(const VarveParagraph *stanza, GError **error)
{
	const char *name = varve_paragraph_require(stanza, "Package", "package", error);
	const char *version = name ? varve_paragraph_require(stanza, "Version", name, error) : NULL;
	const char *arch =
		version ? varve_paragraph_require(stanza, "Architecture", name, error) : NULL;
	g_autofree char *file = NULL;
	g_auto(GStrv) parts = NULL;

	if (!arch)
		return NULL;
	parts = g_strsplit(version, ":", -1);
	version = file = g_strjoinv("%3a", parts);
	if (strchr(name, '/') || strchr(version, '/') || strchr(arch, '/')) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "'%s' is not a package name", name);
		return NULL;
	}
	return g_strdup_printf("%s_%s_%s.deb", name, version, arch);
}

gboolean varve_apt_download(VarveApt *apt, const GPtrArray *stanzas, const char *directory,
			    GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *errors = NULL;
	int status = 0;

	g_ptr_array_add(argv, g_strdup("apt-get"));
	g_ptr_array_add(argv, g_strdup("download"));
	g_ptr_array_add(argv, g_strdup("-q"));
	for (guint i = 0; i < stanzas->len; i++) {
		const VarveParagraph *stanza = g_ptr_array_index(stanzas, i);

		g_ptr_array_add(argv,
				g_strdup_printf("%s=%s", varve_paragraph_get(stanza, "Package"),
						varve_paragraph_get(stanza, "Version")));
	}
	g_ptr_array_add(argv, NULL);
	if (!run_apt(apt, (const char *const *)argv->pdata, directory, NULL, &errors, &status,
		     error))
		return FALSE;
	if (status == 0)
		return TRUE;
	return varve_fail(error,
			  strstr(errors, "Hash Sum mismatch") ? VARVE_ERROR_UNTRUSTED
							      : VARVE_ERROR_SYSTEM,
			  "packages cannot be fetched: apt says:\n%s", g_strstrip(errors));
}
