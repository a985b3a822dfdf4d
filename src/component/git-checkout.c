/* A tree of a local repository in another place. */
#include "component/git-internal.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>

static gboolean is_left_out(const char *entry, const char *const *but)
{
	const char *path = strchr(entry, '\t');

	for (; path && *but; but++) {
		gsize size = strlen(*but);

		if (strncmp(path + 1, *but, size) == 0 && path[1 + size] == '/')
			return TRUE;
	}
	return FALSE;
}

/* The entries of the tree that are wanted, as an index takes them. */
static GString *choose(GBytes *tree, const char *const *but)
{
	GString *chosen = g_string_new(NULL);
	gsize size;
	const char *at = g_bytes_get_data(tree, &size), *end = at + size;

	while (at < end) {
		const char *nul = memchr(at, '\0', (gsize)(end - at));

		if (!nul)
			break;
		if (!is_left_out(at, but))
			g_string_append_len(chosen, at, nul - at + 1);
		at = nul + 1;
	}
	return chosen;
}

gboolean varve_git_check_out(VarveGit *git, const char *revision, const char *const *but,
			     const char *into, GError **error)
{
	g_autofree char *commit = varve_git_resolve(git, revision, error);
	g_autofree char *prefix = g_strdup_printf("--prefix=%s/", into);
	const char *const list[] = { "ls-tree", "-r", "-z", "--full-tree", commit, NULL };
	const char *const fill[] = { "update-index", "-z", "--index-info", NULL };
	const char *const write[] = { "checkout-index", "--all", "--quiet", prefix, NULL };
	g_autoptr(GBytes) tree = NULL;
	g_autoptr(GString) chosen = NULL;
	gboolean ok;

	if (!commit || !varve_git_run(git, list, NULL, &tree, error))
		return FALSE;
	chosen = choose(tree, but);
	git->index = g_strconcat(into, ".index", NULL);
	ok = varve_git_run_with(git, fill, chosen->str, chosen->len, NULL, error) &&
	     varve_git_run(git, write, NULL, NULL, error);
	unlink(git->index);
	g_clear_pointer(&git->index, g_free);
	return ok;
}
