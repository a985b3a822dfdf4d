/* A commit against the work tree. Contents are compared as they lie there: a filter of the
 * repository's would be a program of somebody else's. */
#include "component/git-internal.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT ((gsize)256 << 20)
#define HEX_SHA1 40

/** One file, of the commit or of the work tree. */
typedef struct {
	char mode[8]; /* "100644", "100755", "120000" */
	char *object; /* the name that git has for its contents */
} Entry;

static void entry_free(gpointer data)
{
	Entry *entry = data;

	g_free(entry->object);
	g_free(entry);
}

/* "MODE OBJECT STAGE\tPATH". A file that is being merged is there more than once. */
static gboolean take_entry(const char *line, GHashTable *entries, GError **error)
{
	const char *tab = strchr(line, '\t');
	g_autofree char *head = g_strndup(line, tab ? (gsize)(tab - line) : 0);
	g_auto(GStrv) words = g_strsplit(head, " ", 3);
	Entry *entry;

	if (g_strv_length(words) != 3)
		return varve_fail(error, VARVE_ERROR_SYSTEM, "git: '%.80s' is no entry of an index",
				  line);
	if (strcmp(words[0], "160000") == 0)
		return TRUE; /* a submodule */
	entry = g_new0(Entry, 1);
	g_strlcpy(entry->mode, words[0], sizeof(entry->mode));
	entry->object = g_strdup(words[1]);
	g_hash_table_replace(entries, g_strdup(tab + 1), entry);
	return TRUE;
}

/* What the index of @git has below its directory: path → Entry. */
static GHashTable *list_index(VarveGit *git, const char *const *only, GError **error)
{
	g_autoptr(GHashTable) entries =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	g_autoptr(GBytes) output = NULL;
	const char *at, *end;
	gsize size;

	for (const char *const *word = (const char *const[]){ "ls-files", "-s", "-z", "--", NULL };
	     *word; word++)
		g_ptr_array_add(arguments, (gpointer)*word);
	for (; only && *only; only++)
		g_ptr_array_add(arguments, (gpointer)*only);
	g_ptr_array_add(arguments, NULL);
	if (!varve_git_run(git, (const char *const *)arguments->pdata, NULL, &output, error))
		return NULL;
	at = g_bytes_get_data(output, &size);
	end = at + size;
	for (const char *nul; at < end && (nul = memchr(at, '\0', (gsize)(end - at)));
	     at = nul + 1) {
		if (!take_entry(at, entries, error))
			return NULL;
	}
	return g_steal_pointer(&entries);
}

/* The same of @commit, by an index of its own: so paths mean the same for both. */
static GHashTable *list_commit(VarveGit *git, const char *commit, const char *const *only,
			       GError **error)
{
	const char *const fill[] = { "read-tree", commit, NULL };
	g_autofree char *scratch = g_dir_make_tmp("varve-index-XXXXXX", error);
	GHashTable *entries = NULL;

	if (!scratch)
		return NULL;
	git->index = g_build_filename(scratch, "index", NULL);
	if (varve_git_run(git, fill, NULL, NULL, error))
		entries = list_index(git, only, error);
	g_clear_pointer(&git->index, g_free);
	varve_dir_remove(AT_FDCWD, scratch, NULL);
	return entries;
}

/* git, Documentation/gitformat-pack: the digest of "blob SIZE\0" and the contents. */
static char *name_contents(const char *data, gsize size, gsize hex_size)
{
	g_autoptr(GChecksum) checksum =
		g_checksum_new(hex_size == HEX_SHA1 ? G_CHECKSUM_SHA1 : G_CHECKSUM_SHA256);
	g_autofree char *head = g_strdup_printf("blob %zu", size);

	g_checksum_update(checksum, (const guchar *)head, (gssize)strlen(head) + 1);
	g_checksum_update(checksum, (const guchar *)data, (gssize)size);
	return g_strdup(g_checksum_get_string(checksum));
}

/* @ret: 1 where @path of the work tree is what @entry says, 0 where it is something else, -1 where
 * it is not there. @entry: (nullable) */
static gboolean compare_file(int tree, const char *path, const Entry *entry, int *ret,
			     GError **error)
{
	char target[4096];
	g_autofree char *data = NULL, *object = NULL;
	const char *mode;
	size_t size = 0;
	struct stat st;

	if (fstatat(tree, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		*ret = -1;
		return errno == ENOENT || errno == ENOTDIR ||
		       varve_fail_errno(error, errno, "%s", path);
	}
	*ret = S_ISLNK(st.st_mode) || S_ISREG(st.st_mode) ? 0 : -1;
	mode = S_ISLNK(st.st_mode) ? "120000" : st.st_mode & S_IXUSR ? "100755" : "100644";
	if (*ret < 0 || !entry || strcmp(entry->mode, mode) != 0)
		return TRUE;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(tree, path, target, sizeof(target));

		if (n < 0)
			return varve_fail_errno(error, errno, "%s", path);
		size = (size_t)n;
	} else if (!varve_file_read(tree, path, FILE_LIMIT, &data, &size, error)) {
		return FALSE;
	}
	object = name_contents(data ? data : target, size, strlen(entry->object));
	*ret = strcmp(object, entry->object) == 0;
	return TRUE;
}

static gboolean count(const char *directory, GHashTable *before, GHashTable *after, gsize *ret,
		      GError **error)
{
	varve_autofd tree = varve_dir_open(AT_FDCWD, directory, error);
	GHashTableIter iterator;
	gpointer path;
	gsize changed = 0;

	if (tree < 0)
		return FALSE;
	g_hash_table_iter_init(&iterator, after);
	while (g_hash_table_iter_next(&iterator, &path, NULL)) {
		int same;

		if (!compare_file(tree, path, g_hash_table_lookup(before, path), &same, error))
			return FALSE;
		/* What is tracked and not there is as if it were not tracked. */
		if (same < 0)
			continue;
		changed += !same;
		g_hash_table_remove(before, path);
	}
	*ret = changed + g_hash_table_size(before);
	return TRUE;
}

gboolean varve_git_count_changes(const char *directory, const char *const *only,
				 const char *revision, char **ret_commit, gsize *ret_changed,
				 GError **error)
{
	g_autoptr(VarveGit) git = varve_git_open_local(directory, error);
	g_autofree char *commit = git ? varve_git_resolve(git, revision, error) : NULL;
	g_autoptr(GHashTable) before = NULL, after = NULL;

	if (!commit)
		return FALSE;
	/* Paths are relative to it. */
	g_free(git->directory);
	git->directory = g_strdup(directory);
	before = list_commit(git, commit, only, error);
	after = before ? list_index(git, only, error) : NULL;
	if (!after || !count(directory, before, after, ret_changed, error))
		return FALSE;
	*ret_commit = g_steal_pointer(&commit);
	return TRUE;
}
