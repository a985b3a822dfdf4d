/* What git.c and git-read.c share: how git is run. */
#pragma once

#include "component/git.h"

struct VarveGit {
	char *directory; /* bare; of a local repository its top */
	char *uri;       /* NULL for a local one */
	gboolean offline;
	int lock;    /* of the cached clone; -1 */
	char *index; /* (nullable) a file that git is to use in the place of its index */
};

/**
 * varve_git_run:
 * Runs git on @git with @arguments (NULL-ended, without the "git").
 *
 * @input: (nullable) for its standard input.
 * @ret_output: (nullable) all of standard output, NUL bytes and all.
 */
gboolean varve_git_run(VarveGit *git, const char *const *arguments, const char *input,
		       GBytes **ret_output, GError **error);
/** varve_git_run_with: the same with @input_size bytes of input. */
gboolean varve_git_run_with(VarveGit *git, const char *const *arguments, const char *input,
			    gsize input_size, GBytes **ret_output, GError **error);
