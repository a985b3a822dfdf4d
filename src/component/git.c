/* Having the objects: cached bare clones, fetched into as little as is needed. */
#include "component/git-internal.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define OUTPUT_LIMIT ((gsize)1 << 30)
#define FETCH_SECONDS 3600

/* Neither the user's configuration nor the repository's can make git run or reach anything else. */
static const char *const environment[] = {
	"HOME=/nonexistent",        "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
	"GIT_TERMINAL_PROMPT=0",    "GIT_ASKPASS=true",      "GIT_SSH_COMMAND=false",
	"GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0",  NULL
};

static const char *const settings[] = { "core.hooksPath=/dev/null",
					"core.fsmonitor=false",
					"core.splitIndex=false",
					"core.attributesFile=/dev/null",
					"submodule.recurse=false",
					"fetch.recurseSubmodules=no",
					"transfer.fsckObjects=true",
					"fetch.fsckObjects=true",
					"transfer.bundleURI=false",
					"gc.auto=0",
					"maintenance.auto=false",
					"http.followRedirects=initial",
					"http.lowSpeedLimit=100",
					"http.lowSpeedTime=60",
					"safe.directory=*",
					"protocol.version=2",
					NULL };

static gboolean map_output(int fd, GBytes **ret, GError **error)
{
	struct stat st;
	void *bytes;

	if (fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "git: its output");
	if ((guint64)st.st_size > OUTPUT_LIMIT)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "git: the repository is too large to be one of packages");
	if (st.st_size == 0) {
		*ret = g_bytes_new_static("", 0);
		return TRUE;
	}
	bytes = g_malloc((gsize)st.st_size);
	if (varve_fd_read_full(fd, bytes, (size_t)st.st_size, 0) != st.st_size) {
		g_free(bytes);
		return varve_fail_errno(error, errno, "git: its output");
	}
	*ret = g_bytes_new_take(bytes, (gsize)st.st_size);
	return TRUE;
}

/* A server cannot redirect to another kind of URI than the one that was asked for. */
static char *allowed_protocol(const VarveGit *git)
{
	g_autofree char *scheme = git->uri ? g_uri_parse_scheme(git->uri) : NULL;

	return g_strconcat("GIT_ALLOW_PROTOCOL=", scheme ? scheme : "", NULL);
}

static char **environment_of(const VarveGit *git)
{
	static const char *const certificates[] = { "SSL_CERT_FILE", "SSL_CERT_DIR",
						    "GIT_SSL_CAINFO", NULL };
	GPtrArray *all = g_ptr_array_new();

	varve_environment_keep(all, varve_proxy_variables);
	varve_environment_keep(all, certificates);
	for (gsize i = 0; environment[i]; i++)
		g_ptr_array_add(all, g_strdup(environment[i]));
	g_ptr_array_add(all, allowed_protocol(git));
	if (git->index)
		g_ptr_array_add(all, g_strconcat("GIT_INDEX_FILE=", git->index, NULL));
	g_ptr_array_add(all, NULL);
	return (char **)g_ptr_array_free(all, FALSE);
}

gboolean varve_git_run_with(VarveGit *git, const char *const *arguments, const char *input,
			    gsize input_size, GBytes **ret_output, GError **error)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_auto(GStrv) env = environment_of(git);
	varve_autofd output = memfd_create("git", MFD_CLOEXEC);
	VarveProcess process = { .env = (const char *const *)env,
				 .input = input,
				 .input_size = input_size,
				 .output_fd = output,
				 .timeout = FETCH_SECONDS,
				 .tied = TRUE };

	if (output < 0)
		return varve_fail_errno(error, errno, "memfd");
	g_ptr_array_add(argv, (gpointer) "git");
	g_ptr_array_add(argv, (gpointer) "-C");
	g_ptr_array_add(argv, git->directory);
	for (gsize i = 0; settings[i]; i++) {
		g_ptr_array_add(argv, (gpointer) "-c");
		g_ptr_array_add(argv, (gpointer)settings[i]);
	}
	for (; *arguments; arguments++)
		g_ptr_array_add(argv, (gpointer)*arguments);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	if (!varve_process_run(&process, NULL, error))
		return FALSE;
	return !ret_output || map_output(output, ret_output, error);
}

gboolean varve_git_run(VarveGit *git, const char *const *arguments, const char *input,
		       GBytes **ret_output, GError **error)
{
	return varve_git_run_with(git, arguments, input, input ? strlen(input) : 0, ret_output,
				  error);
}

/* The one line that git answers. */
static char *run_line(VarveGit *git, const char *const *arguments, GError **error)
{
	g_autoptr(GBytes) output = NULL;
	char *line;

	if (!varve_git_run(git, arguments, NULL, &output, error))
		return NULL;
	line = g_strndup(g_bytes_get_data(output, NULL), g_bytes_get_size(output));
	return g_strchomp(line);
}

gboolean varve_git_uri_is_allowed(const char *uri)
{
	static const char *const beginnings[] = { "https://",          "file:///",
						  "http://127.0.0.1:", "http://127.0.0.1/",
						  "http://localhost:", "http://localhost/",
						  "http://[::1]:",     "http://[::1]/" };

	for (const char *c = uri; *c; c++) {
		if (g_ascii_iscntrl(*c) || *c == ' ')
			return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(beginnings); i++) {
		if (g_str_has_prefix(uri, beginnings[i]))
			return !g_str_has_prefix(uri, "http:") ||
			       !memchr(uri + 7, '@', strcspn(uri + 7, "/"));
	}
	return FALSE;
}

static char *clone_name(const char *uri)
{
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, uri, -1);
	g_autofree char *base = g_path_get_basename(uri);

	if (g_str_has_suffix(base, ".git"))
		base[strlen(base) - 4] = '\0';
	g_strcanon(base, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ".+_-", '_');
	return g_strdup_printf("%.100s-%.16s.git", base, digest);
}

static gboolean is_cloned(const VarveGit *git)
{
	g_autofree char *head = g_build_filename(git->directory, "HEAD", NULL);

	return g_file_test(head, G_FILE_TEST_IS_REGULAR);
}

static gboolean make_clone(VarveGit *git, GError **error)
{
	const char *const init[] = { "init", "--quiet", "--bare", "--template=", ".", NULL };

	if (is_cloned(git))
		return TRUE;
	return varve_dir_make(git->directory, 0755, error) &&
	       varve_git_run(git, init, NULL, NULL, error);
}

/* What a git that was killed left in its way. Nobody else is in this clone: its lock is ours. */
static gboolean remove_stale_locks(int parent, const char *path, GError **error)
{
	g_auto(GStrv) names = NULL;
	varve_autofd directory = varve_dir_open_beneath(parent, path, error);

	if (directory < 0 || !varve_dir_list(directory, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		struct stat st;

		if (fstatat(directory, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s/%s", path, *name);
		if (S_ISDIR(st.st_mode) &&
		    (!g_str_equal(path, ".") || g_str_equal(*name, "refs"))) {
			if (!remove_stale_locks(directory, *name, error))
				return FALSE;
		} else if (S_ISREG(st.st_mode) && g_str_has_suffix(*name, ".lock") &&
			   unlinkat(directory, *name, 0) < 0) {
			return varve_fail_errno(error, errno, "%s/%s", path, *name);
		}
	}
	return TRUE;
}

static gboolean clean_clone(const VarveGit *git, GError **error)
{
	varve_autofd directory = varve_dir_open(AT_FDCWD, git->directory, error);

	if (directory >= 0 && remove_stale_locks(directory, ".", error))
		return TRUE;
	g_prefix_error(error, "%s: ", git->directory);
	return FALSE;
}

VarveGit *varve_git_open(const VarveGitSource *source, GError **error)
{
	g_autoptr(VarveGit) git = g_new0(VarveGit, 1);
	g_autofree char *name = clone_name(source->uri), *lock = NULL;

	git->lock = -1;
	if (!varve_git_uri_is_allowed(source->uri)) {
		varve_fail(error, VARVE_ERROR_REFUSED,
			   "'%s': a repository is cloned over https: or from file:///, nothing "
			   "else; correct dist-git-base-uri",
			   source->uri);
		return NULL;
	}
	git->uri = g_strdup(source->uri);
	git->offline = source->offline;
	git->directory = g_build_filename(source->cache, name, NULL);
	lock = g_strconcat(git->directory, ".lock", NULL);
	if (git->offline && !is_cloned(git)) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "'%s' is not in the cache (--offline); run once without it", git->uri);
		return NULL;
	}
	if (!varve_dir_make(source->cache, 0755, error))
		return NULL;
	git->lock = varve_lock(lock, TRUE, error);
	if (git->lock < 0 || !make_clone(git, error) || !clean_clone(git, error))
		return NULL;
	return g_steal_pointer(&git);
}

VarveGit *varve_git_open_local(const char *directory, GError **error)
{
	g_autoptr(VarveGit) git = g_new0(VarveGit, 1);
	const char *const top[] = { "rev-parse", "--show-toplevel", NULL };
	g_autoptr(GError) cause = NULL;
	char *path;

	git->lock = -1;
	git->directory = g_strdup(directory);
	path = run_line(git, top, &cause);
	if (!path) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "'%s' does not lie in a git repository",
			   directory);
		return NULL;
	}
	g_free(git->directory);
	git->directory = path;
	return g_steal_pointer(&git);
}

void varve_git_free(VarveGit *git)
{
	if (!git)
		return;
	varve_autofd_close(&git->lock);
	g_free(git->directory);
	g_free(git->uri);
	g_free(git->index);
	g_free(git);
}

const char *varve_git_directory(const VarveGit *git)
{
	return git->directory;
}

static gboolean is_branch(const char *branch)
{
	return *branch && *branch != '-' && *branch != '/' && !strstr(branch, "..") &&
	       strspn(branch, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._/+-") == strlen(branch);
}

static gboolean is_hex(const char *text)
{
	return strspn(text, "0123456789abcdef") == strlen(text);
}

/* @how: (nullable) "--depth=1", "--unshallow". */
static gboolean fetch(VarveGit *git, const char *how, const char *refspec, const char *more,
		      GError **error)
{
	const char *arguments[12] = { "fetch",
				      "--quiet",
				      "--no-tags",
				      "--no-recurse-submodules",
				      "--no-write-fetch-head",
				      "--force" };
	gsize n = 6;

	if (git->offline)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "'%s': what is asked for is not in the cache (--offline)",
				  git->uri);
	if (how)
		arguments[n++] = how;
	arguments[n++] = "--";
	arguments[n++] = git->uri;
	arguments[n++] = refspec;
	if (more)
		arguments[n++] = more;
	return varve_git_run(git, arguments, NULL, NULL, error);
}

static gboolean fetch_branch(VarveGit *git, const char *branch, GError **error)
{
	g_autofree char *refspec = NULL, *shallow = NULL;

	if (!is_branch(branch))
		return varve_fail(error, VARVE_ERROR_REFUSED, "'%s' is no name of a branch",
				  branch);
	refspec = g_strdup_printf("refs/heads/%s:refs/heads/%s", branch, branch);
	shallow = g_build_filename(git->directory, "shallow", NULL);
	return fetch(git, g_file_test(shallow, G_FILE_TEST_EXISTS) ? "--unshallow" : NULL, refspec,
		     NULL, error);
}

char *varve_git_resolve(VarveGit *git, const char *revision, GError **error)
{
	g_autofree char *wanted = g_strconcat(revision, "^{commit}", NULL);
	const char *const parse[] = { "rev-parse",        "--verify", "--quiet",
				      "--end-of-options", wanted,     NULL };
	g_autoptr(GError) cause = NULL;
	g_autofree char *line = NULL;
	char *commit;

	line = run_line(git, parse, &cause);
	/* Older gits echo the option. */
	commit = line && strrchr(line, '\n') ? strrchr(line, '\n') + 1 : line;
	if (commit && is_hex(commit) && strlen(commit) >= 40)
		return g_strdup(commit);
	varve_fail(error, VARVE_ERROR_NOT_FOUND, "'%s': there is no commit '%s'",
		   git->uri ? git->uri : git->directory, revision);
	return NULL;
}

char *varve_git_find_commit(VarveGit *git, const char *wanted, const char *branch, GError **error)
{
	g_autofree char *lower = g_ascii_strdown(wanted, -1);
	char *commit;

	if (!is_hex(lower) || strlen(lower) < 7 || strlen(lower) > 40) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "'%s' is no name of a commit: 7 to 40 hex digits", wanted);
		return NULL;
	}
	commit = varve_git_resolve(git, lower, NULL);
	if (commit)
		return commit;
	if (strlen(lower) == 40) {
		g_autofree char *refspec = g_strdup_printf("%s:refs/varve/%s", lower, lower);

		/* Not every server gives what no branch ends in. */
		if (fetch(git, "--depth=1", refspec, NULL, NULL) &&
		    (commit = varve_git_resolve(git, lower, NULL)))
			return commit;
	}
	if (!branch) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "'%s': commit '%s' is not to be had, and no dist-git-branch is known "
			   "whose history may have it",
			   git->uri, wanted);
		return NULL;
	}
	if (!fetch_branch(git, branch, error))
		return NULL;
	return varve_git_resolve(git, lower, error);
}

/* When the branch was last asked for, seconds since the epoch; 0: never. */
static char *stamp_path(const VarveGit *git, const char *branch)
{
	g_autofree char *name = g_strdelimit(g_strdup(branch), "/", '_');
	g_autofree char *file = g_strconcat("varve-fetched-", name, NULL);

	return g_build_filename(git->directory, file, NULL);
}

static gint64 last_fetched(const VarveGit *git, const char *branch)
{
	g_autofree char *path = stamp_path(git, branch);
	struct stat st;

	return stat(path, &st) == 0 ? (gint64)st.st_mtime : 0;
}

static gboolean reaches(VarveGit *git, const char *branch, gint64 time)
{
	g_autofree char *ref = g_strconcat("refs/heads/", branch, NULL);
	const char *const show[] = { "log", "-1", "--format=%ct", "--end-of-options", ref, NULL };
	g_autofree char *shallow = g_build_filename(git->directory, "shallow", NULL);
	g_autofree char *line = NULL;

	if (g_file_test(shallow, G_FILE_TEST_EXISTS) || !is_branch(branch))
		return FALSE;
	line = run_line(git, show, NULL);
	if (!line)
		return FALSE;
	if (git->offline)
		return TRUE;
	/* A day: commits arrive after the time that they carry. */
	return time > 0 && (g_ascii_strtoll(line, NULL, 10) > time ||
			    last_fetched(git, branch) > time + 24 * 3600);
}

char *varve_git_find_before(VarveGit *git, const char *branch, gint64 time, GError **error)
{
	g_autofree char *ref = g_strconcat("refs/heads/", branch, NULL);
	g_autofree char *before = g_strdup_printf("--before=@%" G_GINT64_FORMAT, time);
	const char *const list[] = { "rev-list",         "-1", time > 0 ? before : "--topo-order",
				     "--end-of-options", ref,  NULL };
	g_autofree char *commit = NULL;

	if (!reaches(git, branch, time)) {
		g_autofree char *stamp = stamp_path(git, branch);

		if (!fetch_branch(git, branch, error) ||
		    !varve_file_write(AT_FDCWD, stamp, "", 0, 0644, error))
			return NULL;
	}
	commit = run_line(git, list, error);
	if (!commit)
		return NULL;
	if (!*commit) {
		g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(time);
		g_autofree char *text = g_date_time_format_iso8601(date);

		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "'%s': branch '%s' has no commit at or before %s", git->uri, branch,
			   text);
		return NULL;
	}
	return g_steal_pointer(&commit);
}

gboolean varve_git_deepen(VarveGit *git, const char *commit, const char *branch, GError **error)
{
	g_autofree char *shallow = g_build_filename(git->directory, "shallow", NULL);
	g_autofree char *refspec = g_strdup_printf("%s:refs/varve/%s", commit, commit);

	if (!g_file_test(shallow, G_FILE_TEST_EXISTS))
		return TRUE;
	if (fetch(git, "--unshallow", refspec, NULL, NULL))
		return TRUE;
	if (branch)
		return fetch_branch(git, branch, error);
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "'%s': the history before commit %.12s is not to be had; set "
			  "dist-git-branch",
			  git->uri, commit);
}
