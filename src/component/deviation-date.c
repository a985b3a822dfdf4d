/* Since when deviations are there: git's account of the line that declares each. */
#include "component/deviation-internal.h"
#include "component/git-internal.h"

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

void varve_deviations_date(VarveDeviations *deviations)
{
	const char *root = deviations->definition->directory;
	g_autoptr(VarveGit) git = varve_git_open_local(root, NULL);
	g_autoptr(GHashTable) files =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, lines_free);

	for (guint i = 0; git && i < deviations->deviations->len; i++) {
		VarveDeviation *deviation = deviations->deviations->pdata[i];
		const char *file = deviation->origin.file;
		g_autofree char *path = NULL;
		GHashTable *lines;
		const Blamed *blamed;

		if (deviation->origin.line == 0)
			continue;
		lines = g_hash_table_lookup(files, file);
		if (!lines) {
			path = g_canonicalize_filename(file, root);
			lines = blame(git, path);
			/* One that git does not know has no lines. */
			g_hash_table_insert(files, (gpointer)file, lines ? lines : parse(""));
			lines = g_hash_table_lookup(files, file);
		}
		blamed = g_hash_table_lookup(lines, GUINT_TO_POINTER(deviation->origin.line));
		if (blamed)
			set_date(deviation, blamed);
	}
}
