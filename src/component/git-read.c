/* Reading the objects: trees, files, history. What they hold is hostile. */
#include "component/git-internal.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

#define FILES_LIMIT 20000
#define TOTAL_LIMIT ((guint64)1 << 30)
#define FILE_LIMIT ((gsize)256 << 20)

void varve_git_file_free(VarveGitFile *file)
{
	g_free(file->path);
	g_free(file->object);
	g_free(file);
}

void varve_git_commit_free(VarveGitCommit *commit)
{
	g_free(commit->commit);
	g_strfreev(commit->parents);
	g_free(commit->author);
	g_free(commit->message);
	g_free(commit->tree);
	g_strfreev(commit->changed);
	g_free(commit);
}

static void free_file(gpointer data)
{
	varve_git_file_free(data);
}

static void free_commit(gpointer data)
{
	varve_git_commit_free(data);
}

/* Walks texts that are each ended by a NUL. */
static const char *next_text(const char **at, const char *end)
{
	const char *text = *at, *nul = text < end ? memchr(text, '\0', (gsize)(end - text)) : NULL;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return text;
}

static gboolean is_path(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);

	for (char **part = parts; *part; part++) {
		if (!**part || strlen(*part) > 255 || strcmp(*part, ".") == 0 ||
		    strcmp(*part, "..") == 0 || g_ascii_strcasecmp(*part, ".git") == 0)
			return FALSE;
	}
	return *path != '\0' && g_utf8_validate(path, -1, NULL) && strlen(path) < 1024;
}

/* "100644 blob HEX    SIZE\tPATH" */
static gboolean take_file(VarveGit *git, const char *line, GPtrArray *files, GError **error)
{
	const char *tab = strchr(line, '\t');
	g_autofree char *head = g_strndup(line, tab ? (gsize)(tab - line) : 0);
	g_auto(GStrv) words = g_strsplit_set(head, " ", -1);
	guint n = g_strv_length(words);
	VarveGitFile *file;

	if (!tab || n < 4)
		return varve_fail(error, VARVE_ERROR_SYSTEM, "git: '%.80s' is no entry of a tree",
				  line);
	if (strcmp(words[1], "blob") != 0)
		return TRUE;
	if (!is_path(tab + 1))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "'%s': the path '%.80s' is none that is taken", git->directory,
				  tab + 1);
	if (files->len >= FILES_LIMIT)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "'%s': has more than %d files: no repository of a package",
				  git->directory, FILES_LIMIT);
	file = g_new0(VarveGitFile, 1);
	file->mode = (guint)g_ascii_strtoull(words[0], NULL, 8);
	file->object = g_strdup(words[2]);
	file->size = (gsize)g_ascii_strtoull(words[n - 1], NULL, 10);
	file->path = g_strdup(tab + 1);
	g_ptr_array_add(files, file);
	return TRUE;
}

GPtrArray *varve_git_files(VarveGit *git, const char *revision, GError **error)
{
	const char *const list[] = { "ls-tree", "-r", "-l", "-z", "--full-tree", revision, NULL };
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(free_file);
	g_autoptr(GBytes) output = NULL;
	const char *at, *end, *line;

	if (*revision == '-' || !varve_git_run(git, list, NULL, &output, error))
		return NULL;
	at = g_bytes_get_data(output, NULL);
	end = at + g_bytes_get_size(output);
	while ((line = next_text(&at, end))) {
		if (!take_file(git, line, files, error))
			return NULL;
	}
	return g_steal_pointer(&files);
}

/* Sizes first: a large object is not even read. */
static gboolean check_sizes(VarveGit *git, const char *const *objects, const char *input,
			    gsize limit, GError **error)
{
	const char *const check[] = { "cat-file", "--batch-check=%(objecttype) %(objectsize)",
				      NULL };
	g_autoptr(GBytes) output = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	guint64 total = 0;

	if (!varve_git_run(git, check, input, &output, error))
		return FALSE;
	text = g_strndup(g_bytes_get_data(output, NULL), g_bytes_get_size(output));
	lines = g_strsplit(text, "\n", -1);
	for (gsize i = 0; lines[i] && objects[i]; i++) {
		guint64 size;

		if (!g_str_has_prefix(lines[i], "blob "))
			continue;
		size = g_ascii_strtoull(lines[i] + 5, NULL, 10);
		total += size;
		if (size > limit || total > TOTAL_LIMIT)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "'%s': '%s' is larger than a file of a package's "
					  "repository may be",
					  git->directory, objects[i]);
	}
	return TRUE;
}

static void unref_bytes(gpointer data)
{
	if (data)
		g_bytes_unref(data);
}

/* "HEX TYPE SIZE\nBYTES\n", or "NAME missing\n", for each. */
static gboolean split_batch(GBytes *output, gsize n, GPtrArray *contents, GError **error)
{
	gsize size;
	const char *at = g_bytes_get_data(output, &size), *end = at + size;

	for (gsize i = 0; i < n; i++) {
		const char *line = at < end ? memchr(at, '\n', (gsize)(end - at)) : NULL;
		g_autofree char *head = line ? g_strndup(at, (gsize)(line - at)) : NULL;
		const char *space = head ? strrchr(head, ' ') : NULL;
		guint64 bytes;

		if (!space)
			return varve_fail(error, VARVE_ERROR_SYSTEM, "git: its answer ends early");
		at = line + 1;
		if (!g_ascii_string_to_unsigned(space + 1, 10, 0, (guint64)(end - at), &bytes,
						NULL)) {
			g_ptr_array_add(contents, NULL);
			continue;
		}
		g_ptr_array_add(contents, strstr(head, " blob ") ? g_bytes_new(at, bytes) : NULL);
		at += bytes + 1;
	}
	return TRUE;
}

GPtrArray *varve_git_read(VarveGit *git, const char *const *objects, gsize limit, GError **error)
{
	const char *const batch[] = { "cat-file", "--batch", NULL };
	g_autoptr(GPtrArray) contents = g_ptr_array_new_with_free_func(unref_bytes);
	g_autoptr(GString) input = g_string_new(NULL);
	g_autoptr(GBytes) output = NULL;
	gsize n = 0;

	for (; objects[n]; n++) {
		if (strchr(objects[n], '\n')) {
			varve_fail(error, VARVE_ERROR_CORRUPT, "git: a path has a line break");
			return NULL;
		}
		g_string_append_printf(input, "%s\n", objects[n]);
	}
	if (n == 0)
		return g_steal_pointer(&contents);
	if (!check_sizes(git, objects, input->str, limit, error) ||
	    !varve_git_run(git, batch, input->str, &output, error) ||
	    !split_batch(output, n, contents, error))
		return NULL;
	return g_steal_pointer(&contents);
}

/* The directory that @path lies in, made; never through a link. Returns: an fd, or -1. */
static int make_parents(int into, const char *path, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	varve_autofd directory = dup(into);

	for (char **part = parts; directory >= 0 && part[0] && part[1]; part++) {
		int inner;

		if (mkdirat(directory, *part, 0755) < 0 && errno != EEXIST)
			break;
		inner = openat(directory, *part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner < 0)
			break;
		close(directory);
		directory = inner;
		if (!part[2])
			return varve_fd_steal(&directory);
	}
	if (directory >= 0 && !strchr(path, '/'))
		return varve_fd_steal(&directory);
	varve_fail_errno(error, errno, "%s: its directory", path);
	return -1;
}

static gboolean write_link(int directory, const char *base, const VarveGitFile *file,
			   const char *bytes, gsize size, GError **error)
{
	g_autofree char *target = g_strndup(bytes, size);

	if (strlen(target) != size || !is_path(target))
		return varve_fail(
			error, VARVE_ERROR_CORRUPT,
			"%s: is a link to '%.80s'; only links to what lies beside or below "
			"them are taken",
			file->path, target);
	if (symlinkat(target, directory, base) < 0)
		return varve_fail_errno(error, errno, "%s", file->path);
	return TRUE;
}

static gboolean write_file(const VarveGitFile *file, GBytes *content, int into, GError **error)
{
	varve_autofd directory = make_parents(into, file->path, error);
	g_autofree char *base = g_path_get_basename(file->path);
	mode_t mode = file->mode == 0100755 ? 0755 : 0644;
	gsize size;
	const char *bytes = g_bytes_get_data(content, &size);
	varve_autofd fd = -1;

	if (directory < 0)
		return FALSE;
	if (file->mode == 0120000)
		return write_link(directory, base, file, bytes, size, error);
	fd = openat(directory, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || varve_fd_write_full(fd, bytes, size) < 0 || fchmod(fd, mode) < 0)
		return varve_fail_errno(error, errno, "%s", file->path);
	return TRUE;
}

gboolean varve_git_export(VarveGit *git, const GPtrArray *files, int into, GError **error)
{
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	g_autoptr(GPtrArray) contents = NULL;

	for (guint i = 0; i < files->len; i++)
		g_ptr_array_add(objects, ((const VarveGitFile *)files->pdata[i])->object);
	g_ptr_array_add(objects, NULL);
	contents = varve_git_read(git, (const char *const *)objects->pdata, FILE_LIMIT, error);
	if (!contents)
		return FALSE;
	for (guint i = 0; i < files->len; i++) {
		const VarveGitFile *file = files->pdata[i];

		if (!contents->pdata[i])
			return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: its object %s is gone",
					  file->path, file->object);
		if (!write_file(file, contents->pdata[i], into, error))
			return FALSE;
	}
	return TRUE;
}

static char *valid_text(const char *text)
{
	return g_utf8_make_valid(text, -1);
}

GPtrArray *varve_git_history(VarveGit *git, const char *commit, const char *path, GError **error)
{
	const char *arguments[] = { "log",
				    "-z",
				    "--topo-order",
				    "--no-show-signature",
				    "--encoding=UTF-8",
				    "--format=%H%x00%P%x00%an <%ae>%x00%ct%x00%T%x00%B",
				    path ? "--first-parent" : "--no-color",
				    "--end-of-options",
				    commit,
				    "--",
				    path,
				    NULL };
	g_autoptr(GPtrArray) commits = g_ptr_array_new_with_free_func(free_commit);
	g_autoptr(GBytes) output = NULL;
	g_autofree char *text = NULL;
	const char *at, *end;

	if (!varve_git_run(git, arguments, NULL, &output, error))
		return NULL;
	/* The last one is not ended. */
	text = g_malloc(g_bytes_get_size(output) + 1);
	memcpy(text, g_bytes_get_data(output, NULL), g_bytes_get_size(output));
	text[g_bytes_get_size(output)] = '\0';
	at = text;
	end = text + g_bytes_get_size(output) + 1;
	while (at + 1 < end) {
		const char *fields[6];
		VarveGitCommit *entry;

		for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
			fields[i] = next_text(&at, end);
			if (!fields[i]) {
				varve_fail(error, VARVE_ERROR_SYSTEM, "git: its log ends early");
				return NULL;
			}
		}
		entry = g_new0(VarveGitCommit, 1);
		entry->commit = g_strdup(fields[0]);
		entry->parents = *fields[1] ? g_strsplit(fields[1], " ", -1) : g_new0(char *, 1);
		entry->author = valid_text(fields[2]);
		entry->time = g_ascii_strtoll(fields[3], NULL, 10);
		entry->tree = g_strdup(fields[4]);
		entry->message = valid_text(fields[5]);
		g_ptr_array_add(commits, entry);
	}
	return g_steal_pointer(&commits);
}

gboolean varve_git_add_changes(VarveGit *git, const GPtrArray *commits, GError **error)
{
	const char *const diff[] = { "diff-tree", "--stdin",     "-r",           "-z",
				     "--root",    "--name-only", "--no-renames", NULL };
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GString) input = g_string_new(NULL);
	g_autoptr(GBytes) output = NULL;
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	VarveGitCommit *current = NULL;
	const char *at, *end, *text;

	for (guint i = 0; i < commits->len; i++) {
		VarveGitCommit *commit = commits->pdata[i];

		if (g_strv_length(commit->parents) > 1)
			continue;
		g_hash_table_insert(by_name, commit->commit, commit);
		g_string_append_printf(input, "%s\n", commit->commit);
	}
	if (!input->len)
		return TRUE;
	if (!varve_git_run(git, diff, input->str, &output, error))
		return FALSE;
	at = g_bytes_get_data(output, NULL);
	end = at + g_bytes_get_size(output);
	do {
		VarveGitCommit *next;

		text = next_text(&at, end);
		next = text ? g_hash_table_lookup(by_name, text) : NULL;
		if ((!text || next) && current) {
			g_ptr_array_add(paths, NULL);
			current->changed = g_strdupv((char **)paths->pdata);
			g_ptr_array_set_size(paths, 0);
		}
		if (next) {
			current = next;
			g_hash_table_remove(by_name, text);
		} else if (text) {
			g_ptr_array_add(paths, (gpointer)text);
		}
	} while (text);
	return TRUE;
}
