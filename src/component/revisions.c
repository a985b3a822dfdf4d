/* Which commits of the definition changed which component: read from the differences of the lock,
 * whose lines each say whose they are, and of azldev's lock files, one a component. */
#include "component/revisions.h"

#include "base/error.h"
#include "component/azldev-lock.h"
#include "component/components-lock.h"
#include "component/git-internal.h"

#include <stdlib.h>
#include <string.h>

#define PENDING "Changes that are not committed yet"

/** Of one component. */
typedef struct {
	GPtrArray *list; /* VarveComponentChange * */
	char *fingerprint, *upstream;
} Past;

struct VarveRevisions {
	GHashTable *pasts;  /* name → Past */
	GHashTable *azldev; /* the same by azldev's lock files */
	gboolean known;
	gint64 time; /* of the newest commit of the repository */
};

static void free_change(gpointer data)
{
	varve_component_change_free(data);
}

static void free_past(gpointer data)
{
	Past *past = data;

	g_ptr_array_unref(past->list);
	g_free(past->fingerprint);
	g_free(past->upstream);
	g_free(past);
}

void varve_revisions_free(VarveRevisions *changes)
{
	if (!changes)
		return;
	g_hash_table_unref(changes->pasts);
	g_hash_table_unref(changes->azldev);
	g_free(changes);
}

gboolean varve_revisions_known(const VarveRevisions *changes)
{
	return changes->known;
}

static Past *past_of(GHashTable *pasts, const char *name)
{
	Past *past = g_hash_table_lookup(pasts, name);

	if (past)
		return past;
	past = g_new0(Past, 1);
	past->list = g_ptr_array_new_with_free_func(free_change);
	g_hash_table_insert(pasts, g_strdup(name), past);
	return past;
}

/* "\"NAME\".KEY = \"VALUE\"": names of components and these values need no escapes; a line that has
 * some is none of ours. */
static gboolean read_fact(const char *line, char **ret_name, const char **ret_key, char **ret_value)
{
	static const char *const keys[] = { "commit", "fingerprint" };
	const char *end = *line == '"' ? strchr(line + 1, '"') : NULL;

	if (!end || end[1] != '.' || strchr(line, '\\'))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		gsize size = strlen(keys[i]);
		const char *value = end + 2 + size;

		if (strncmp(end + 2, keys[i], size) != 0 || !g_str_has_prefix(value, " = \""))
			continue;
		value += 4;
		*ret_name = g_strndup(line + 1, (gsize)(end - line - 1));
		*ret_key = keys[i];
		*ret_value = g_strndup(value, strcspn(value, "\""));
		return TRUE;
	}
	return FALSE;
}

static void note(GHashTable *pasts, const char *name, const char *key, const char *value,
		 const char *const *commit, GHashTable *touched)
{
	Past *past = past_of(pasts, name);
	VarveComponentChange *change;

	if (strcmp(key, "commit") == 0) {
		g_free(past->upstream);
		past->upstream = g_strdup(value);
		return;
	}
	if (g_strcmp0(past->fingerprint, value) == 0)
		return;
	g_free(past->fingerprint);
	past->fingerprint = g_strdup(value);
	change = g_new0(VarveComponentChange, 1);
	change->commit = g_strdup(commit[0]);
	change->author = g_utf8_make_valid(commit[1], -1);
	change->time = g_ascii_strtoll(commit[2], NULL, 10);
	change->message = g_utf8_make_valid(commit[3], -1);
	g_ptr_array_add(past->list, change);
	g_hash_table_insert(touched, past, change);
}

/* (caller frees, nullable) whose lock file of azldev's the line "+++ b/locks/NAME.lock" names. */
static char *azldev_name(const char *line)
{
	g_autofree char *base = g_path_get_basename(line);

	if (!g_str_has_prefix(line, "+++ b/") || !g_str_has_suffix(base, ".lock") ||
	    strcmp(base, VARVE_COMPONENTS_LOCK) == 0)
		return NULL;
	base[strlen(base) - strlen(".lock")] = '\0';
	return g_steal_pointer(&base);
}

static void read_azldev_line(VarveRevisions *changes, const char *name, const char *line,
			     const char *const *commit, GHashTable *touched)
{
	static const char *const keys[][2] = { { "upstream-commit", "commit" },
					       { "input-fingerprint", "fingerprint" } };

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *value = NULL;

		if (varve_azldev_lock_fact(line, keys[i][0], &value))
			note(changes->azldev, name, keys[i][1], value, commit, touched);
	}
}

/* What one commit did to the locks. */
static void read_patch(VarveRevisions *changes, const char *const *commit, const char *patch)
{
	g_auto(GStrv) lines = g_strsplit(patch, "\n", -1);
	g_autoptr(GHashTable) touched = g_hash_table_new(NULL, NULL);
	g_autofree char *azldev = NULL;
	GHashTableIter iterator;
	gpointer past, change;

	for (char **line = lines; *line; line++) {
		g_autofree char *name = NULL, *value = NULL;
		const char *key;

		if (g_str_has_prefix(*line, "+++ ")) {
			g_free(azldev);
			azldev = azldev_name(*line);
		} else if (**line == '+' && azldev) {
			read_azldev_line(changes, azldev, *line + 1, commit, touched);
		} else if (**line == '+' && read_fact(*line + 1, &name, &key, &value)) {
			note(changes->pasts, name, key, value, commit, touched);
		}
	}
	/* Known when the whole patch is read. */
	g_hash_table_iter_init(&iterator, touched);
	while (g_hash_table_iter_next(&iterator, &past, &change))
		((VarveComponentChange *)change)->upstream = g_strdup(((Past *)past)->upstream);
}

/* @paths: of the lock, and (nullable) a pattern of azldev's. */
static gboolean read_log(VarveRevisions *changes, VarveGit *git, const char *const *paths,
			 GError **error)
{
	const char *const arguments[] = { "log",
					  "--first-parent",
					  "-m",
					  "-p",
					  "-U0",
					  "--no-color",
					  "--no-ext-diff",
					  "--no-textconv",
					  "--text",
					  "--no-renames",
					  "--src-prefix=a/",
					  "--dst-prefix=b/",
					  "--reverse",
					  "--root",
					  "--no-show-signature",
					  "--encoding=UTF-8",
					  "--format=%x00%H%x00%an <%ae>%x00%ct%x00%B%x00",
					  "--end-of-options",
					  "HEAD",
					  "--",
					  paths[0],
					  paths[1],
					  NULL };
	g_autoptr(GBytes) output = NULL;
	g_autofree char *text = NULL;
	const char *at, *end;
	gsize size;

	if (!varve_git_run(git, arguments, NULL, &output, error))
		return FALSE;
	text = g_malloc(g_bytes_get_size(output) + 1);
	memcpy(text, g_bytes_get_data(output, &size), g_bytes_get_size(output));
	text[size] = '\0';
	end = text + size;
	/* Before the first NUL there is nothing; then five texts a commit. */
	at = text + strlen(text) + 1;
	while (at < end) {
		const char *fields[5] = { "", "", "", "", "" };

		for (gsize i = 0; i < G_N_ELEMENTS(fields) && at <= end; i++) {
			fields[i] = at;
			at += strlen(at) + 1;
		}
		read_patch(changes, fields, fields[4]);
	}
	return TRUE;
}

static gboolean is_shallow(VarveGit *git)
{
	const char *const ask[] = { "rev-parse", "--is-shallow-repository", NULL };
	g_autoptr(GBytes) output = NULL;

	return varve_git_run(git, ask, NULL, &output, NULL) && g_bytes_get_size(output) >= 4 &&
	       memcmp(g_bytes_get_data(output, NULL), "true", 4) == 0;
}

static gint64 time_of_head(VarveGit *git)
{
	const char *const ask[] = { "log", "-1", "--format=%ct", NULL };
	g_autoptr(GBytes) output = NULL;
	g_autofree char *text = NULL;

	if (!varve_git_run(git, ask, NULL, &output, NULL))
		return 0;
	text = g_strndup(g_bytes_get_data(output, NULL), g_bytes_get_size(output));
	return g_ascii_strtoll(text, NULL, 10);
}

/* (caller frees, nullable) @base in the directory @real, which lies below @top, from there. */
static char *path_within(const char *top, const char *real, const char *base)
{
	gsize size = strlen(top);

	if (!real || strncmp(real, top, size) != 0 || (real[size] && real[size] != '/'))
		return NULL;
	return real[size] ? g_build_filename(real + size + 1, base, NULL) : g_strdup(base);
}

/* A pattern of git's, as nothing but its stars means something in it. */
static char *locks_within(const char *top, const char *directory)
{
	g_autofree char *real = directory ? realpath(directory, NULL) : NULL;
	g_autofree char *plain = path_within(top, real, "");

	if (!plain || strpbrk(plain, "*?[\\"))
		return NULL;
	return g_strconcat(":(glob)", plain, *plain ? "/" : "", "*.lock", NULL);
}

VarveRevisions *varve_revisions_read(const char *path, const char *azldev_locks, GError **error)
{
	g_autoptr(VarveRevisions) changes = g_new0(VarveRevisions, 1);
	g_autofree char *directory = g_path_get_dirname(path), *base = g_path_get_basename(path);
	g_autofree char *real = realpath(directory, NULL);
	g_autoptr(VarveGit) git = real ? varve_git_open_local(real, NULL) : NULL;
	const char *top = git ? varve_git_directory(git) : NULL;
	g_autofree char *relative = NULL, *head = NULL, *locks = NULL;

	changes->pasts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_past);
	changes->azldev = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_past);
	head = git ? varve_git_resolve(git, "HEAD", NULL) : NULL;
	relative = head ? path_within(top, real, base) : NULL;
	if (!relative)
		return g_steal_pointer(&changes);
	if (is_shallow(git)) {
		varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"'%s' is a shallow clone: releases are counted from the whole history of "
			"%s; fetch it with 'git fetch --unshallow'",
			top, base);
		return NULL;
	}
	locks = locks_within(top, azldev_locks);
	changes->known = TRUE;
	changes->time = time_of_head(git);
	if (!read_log(changes, git, (const char *const[]){ relative, locks }, error))
		return NULL;
	return g_steal_pointer(&changes);
}

static VarveComponentChange *copy_change(const VarveComponentChange *change)
{
	VarveComponentChange *copy = g_new0(VarveComponentChange, 1);

	copy->commit = g_strdup(change->commit);
	copy->author = g_strdup(change->author);
	copy->time = change->time;
	copy->message = g_strdup(change->message);
	copy->upstream = g_strdup(change->upstream);
	return copy;
}

static GPtrArray *list_changes(const VarveRevisions *changes, GHashTable *pasts, const char *name,
			       const char *fingerprint, const char *upstream, const char *author)
{
	const Past *past = g_hash_table_lookup(pasts, name);
	GPtrArray *list = g_ptr_array_new_with_free_func(free_change);
	VarveComponentChange *pending;

	for (guint i = 0; past && i < past->list->len; i++)
		g_ptr_array_add(list, copy_change(past->list->pdata[i]));
	if (!changes->known || (past && g_strcmp0(past->fingerprint, fingerprint) == 0))
		return list;
	pending = g_new0(VarveComponentChange, 1);
	pending->author = g_strdup(author);
	pending->time = changes->time;
	pending->message = g_strdup(PENDING);
	pending->upstream = g_strdup(upstream);
	g_ptr_array_add(list, pending);
	return list;
}

GPtrArray *varve_revisions_of(const VarveRevisions *changes, const char *name,
			      const char *fingerprint, const char *upstream, const char *author)
{
	return list_changes(changes, changes->pasts, name, fingerprint, upstream, author);
}

GPtrArray *varve_revisions_of_azldev(const VarveRevisions *changes, const char *name,
				     const char *fingerprint, const char *upstream,
				     const char *author)
{
	return list_changes(changes, changes->azldev, name, fingerprint, upstream, author);
}
