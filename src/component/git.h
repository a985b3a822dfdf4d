/* Repositories of others, by git, with nothing of theirs run: no hooks, no submodules, no filters,
 * no configuration but ours, only https and what lies on this machine. Cached bare, never checked
 * out: files are read from the objects. */
#pragma once

#include <glib.h>

typedef struct VarveGit VarveGit;

/** Which one. Nothing is owned. */
typedef struct {
	const char *uri;   /* https:, file:, or http: of this machine */
	const char *cache; /* directory that the bare clones are kept in */
	gboolean offline;
} VarveGitSource;

/** One path of a tree. */
typedef struct {
	char *path; /* relative, canonical */
	guint mode; /* 0100644, 0100755, 0120000 (a link) */
	char *object;
	gsize size;
} VarveGitFile;

/** One commit. */
typedef struct {
	char *commit; /* 40 hex digits */
	char **parents;
	char *author;  /* "Name <mail>" */
	gint64 time;   /* committed, seconds since the epoch */
	char *message; /* UTF-8 */
	char *tree;
	char **changed; /* (nullable) paths: varve_git_add_changes() */
} VarveGitCommit;

void varve_git_file_free(VarveGitFile *file);
void varve_git_commit_free(VarveGitCommit *commit);

/** varve_git_open: makes the cached clone, empty, where it is missing; locks it. Offline nothing is
 *  made. Errors: REFUSED (a URI of another kind), NOT_FOUND (no git; offline, no clone), SYSTEM. */
VarveGit *varve_git_open(const VarveGitSource *source, GError **error);
/** varve_git_open_local: a repository on this machine, to be read as it is; @directory lies in it.
 */
VarveGit *varve_git_open_local(const char *directory, GError **error);
void varve_git_free(VarveGit *git);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveGit, varve_git_free)

/**
 * varve_git_find_commit:
 * Has the commit @wanted (7 to 40 hex digits) in the cache. Only it is fetched where the whole name
 * is given and the server allows that, else @branch with its history.
 *
 * Returns: (caller frees) the whole name, or NULL: NOT_FOUND, SYSTEM.
 */
char *varve_git_find_commit(VarveGit *git, const char *wanted, const char *branch, GError **error);

/**
 * varve_git_find_before:
 * The last commit of @branch at or before @time (seconds since the epoch; 0: of now). The network
 * is asked only where what is in the cache does not go beyond @time.
 */
char *varve_git_find_before(VarveGit *git, const char *branch, gint64 time, GError **error);

/** varve_git_deepen: has all that comes before @commit, which may be of @branch, in the cache. */
gboolean varve_git_deepen(VarveGit *git, const char *commit, const char *branch, GError **error);

/**
 * varve_git_files:
 * The files of @revision's tree, sorted by path; submodules are left out.
 *
 * Returns: (caller frees with g_ptr_array_unref) VarveGitFile *, or NULL: NOT_FOUND, CORRUPT (a
 * path that leads out, too many files).
 */
GPtrArray *varve_git_files(VarveGit *git, const char *revision, GError **error);

/**
 * varve_git_read:
 * Reads many objects at once.
 *
 * @objects: each "HEX" or "COMMIT:PATH".
 * @limit: of bytes each.
 *
 * Returns: (caller frees with g_ptr_array_unref) a GBytes * for each, in order, NULL where there is
 * no such object or it is no file; or NULL: CORRUPT (one that is larger than @limit, or all
 * together above 1 GiB), SYSTEM.
 */
GPtrArray *varve_git_read(VarveGit *git, const char *const *objects, gsize limit, GError **error);

/**
 * varve_git_export:
 * Writes @files to the empty directory @into: modes 0644 and 0755, links only where they stay
 * beside or below themselves.
 *
 * Errors: CORRUPT (a link that leads out), SYSTEM.
 */
gboolean varve_git_export(VarveGit *git, const GPtrArray *files, int into, GError **error);

/**
 * varve_git_history:
 * @commit and all before it, children before parents.
 *
 * @path: (nullable) only commits that changed it, along first parents.
 * Returns: (caller frees with g_ptr_array_unref) VarveGitCommit *, or NULL.
 */
GPtrArray *varve_git_history(VarveGit *git, const char *commit, const char *path, GError **error);

/** varve_git_add_changes: fills in @changed of those of @commits that have one parent or none. */
gboolean varve_git_add_changes(VarveGit *git, const GPtrArray *commits, GError **error);

/**
 * varve_git_check_out:
 * Writes the tree of @revision, of a local repository, below @into, without its work tree or index
 * being touched.
 *
 * @but: (NULL-ended) directories of the tree that are left out.
 */
gboolean varve_git_check_out(VarveGit *git, const char *revision, const char *const *but,
			     const char *into, GError **error);

/**
 * varve_git_count_changes:
 * How many of the files that git tracks below @directory, which lies in a local repository, are not
 * as they were at @revision: others by their bytes or mode, new ones and those that are gone. The
 * work tree counts, and neither it nor the index is touched; no filter of the repository's runs.
 *
 * @only: (nullable) paths below @directory, NULL-ended; the rest is left out.
 * @ret_commit: (caller frees) what @revision is there.
 *
 * Errors: NOT_FOUND (no repository, no such revision in it), SYSTEM.
 */
gboolean varve_git_count_changes(const char *directory, const char *const *only,
				 const char *revision, char **ret_commit, gsize *ret_changed,
				 GError **error);

/** varve_git_resolve: (caller frees) the commit that @revision names; NOT_FOUND. */
char *varve_git_resolve(VarveGit *git, const char *revision, GError **error);
/** varve_git_directory: (borrowed) of a local one, its top; else the bare clone. */
const char *varve_git_directory(const VarveGit *git);

/** varve_git_uri_is_allowed: https:, file:, or http: of this machine. */
gboolean varve_git_uri_is_allowed(const char *uri);
