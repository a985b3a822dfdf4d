/* Since when deviations are there: git's account of the line that declares each. */
#include "component/deviation-internal.h"
#include "component/git-internal.h"

#include "base/parallel.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	char *commit;
	gint64 time;
} Blamed;

static void blamed_free(gpointer data)
{
	Blamed *blamed = data;

	g_free(blamed->commit);
	g_free(blamed);
}

static gboolean is_commit(const char *word)
{
	return strspn(word, "0123456789abcdef") == 40 && word[40] == ' ';
}

/* git-blame(1), "the porcelain format": of each line a header, after the first of a commit what is
 * known of it, and the line itself after a tab. @ret: (element-type Blamed) by line number. */
static GHashTable *parse(const char *output)
{
	GHashTable *lines = g_hash_table_new(NULL, NULL);
	Blamed *current = NULL;
	GHashTable *commits = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, blamed_free);

	while (*output) {
		gsize size = strcspn(output, "\n");
		g_autofree char *line = g_strndup(output, size);
		guint number;

		output += size + (output[size] == '\n');
		if (*line == '\t')
			continue;
		if (is_commit(line)) {
			if (sscanf(line + 41, "%*u %u", &number) != 1)
				continue;
			line[40] = '\0';
			current = g_hash_table_lookup(commits, line);
			if (!current) {
				current = g_new0(Blamed, 1);
				current->commit = g_strdup(line);
				g_hash_table_insert(commits, current->commit, current);
			}
			g_hash_table_insert(lines, GUINT_TO_POINTER(number), current);
		} else if (current && g_str_has_prefix(line, "author-time ")) {
			current->time = g_ascii_strtoll(line + 12, NULL, 10);
		}
	}
	g_hash_table_insert(lines, GUINT_TO_POINTER(0), commits);
	return lines;
}

static void lines_free(gpointer data)
{
	GHashTable *lines = data;

	g_hash_table_unref(g_hash_table_lookup(lines, GUINT_TO_POINTER(0)));
	g_hash_table_unref(lines);
}

/* (nullable) of the file @name; NULL: git does not know it. */
static GHashTable *blame(VarveGit *git, const char *path)
{
	const char *const arguments[] = {
		"blame", "--porcelain", "--no-textconv", "--", path, NULL
	};
	g_autoptr(GBytes) output = NULL;
	g_autofree char *text = NULL;

	if (!varve_git_run(git, arguments, NULL, &output, NULL))
		return NULL;
	text = g_strndup(g_bytes_get_data(output, NULL), g_bytes_get_size(output));
	return parse(text);
}

static void set_date(VarveDeviation *deviation, const Blamed *blamed)
{
	g_autoptr(GDateTime) time = NULL;

	/* Not yet committed. */
	if (strspn(blamed->commit, "0") == 40)
		return;
	time = g_date_time_new_from_unix_utc(blamed->time);
	if (!time)
		return;
	deviation->since = g_date_time_format(time, "%Y-%m-%d");
	deviation->commit = g_strdup(blamed->commit);
}

/* One file that declares deviations. */
typedef struct {
	char *path;
	GHashTable *lines; /* (nullable) */
} File;

static void file_free(gpointer data)
{
	File *file = data;

	if (file->lines)
		lines_free(file->lines);
	g_free(file->path);
	g_free(file);
}

typedef struct {
	VarveGit *git;
	GPtrArray *files; /* File * */
} Blame;

static gboolean blame_one(gsize i, gpointer data, GError **error)
{
	const Blame *all = data;
	File *file = all->files->pdata[i];

	(void)error;
	file->lines = blame(all->git, file->path);
	return TRUE;
}

/* The files, and in @by_name each by the name that origins have. */
static GPtrArray *list_files(const VarveDeviations *deviations, GHashTable *by_name)
{
	GPtrArray *files = g_ptr_array_new_with_free_func(file_free);

	for (guint i = 0; i < deviations->deviations->len; i++) {
		const VarveDeviation *deviation = deviations->deviations->pdata[i];
		File *file;

		if (deviation->origin.line == 0 ||
		    g_hash_table_contains(by_name, deviation->origin.file))
			continue;
		file = g_new0(File, 1);
		file->path = g_canonicalize_filename(deviation->origin.file,
						     deviations->definition->directory);
		g_ptr_array_add(files, file);
		g_hash_table_insert(by_name, (gpointer)deviation->origin.file, file);
	}
	return files;
}

void varve_deviations_date(VarveDeviations *deviations)
{
	g_autoptr(VarveGit) git = varve_git_open_local(deviations->definition->directory, NULL);
	g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) files = list_files(deviations, by_name);
	Blame all = { git, files };

	/* Cannot fail: what git does not know has no date. */
	if (!git || !varve_parallel(files->len, 0, blame_one, &all, NULL))
		return;
	for (guint i = 0; i < deviations->deviations->len; i++) {
		VarveDeviation *deviation = deviations->deviations->pdata[i];
		const File *file = g_hash_table_lookup(by_name, deviation->origin.file);
		const Blamed *blamed = NULL;

		if (file && file->lines)
			blamed = g_hash_table_lookup(file->lines,
						     GUINT_TO_POINTER(deviation->origin.line));
		if (blamed && deviation->origin.line)
			set_date(deviation, blamed);
	}
}
