/* The distribution's changes to its components, as the history of the definition's repository has
 * them: each commit that gave a component another fingerprint in components.lock, or in azldev's
 * lock file of the component. */
#pragma once

#include "component/autospec.h"

typedef struct VarveRevisions VarveRevisions;

/**
 * varve_revisions_read:
 * Reads the history of the lock @path along first parents.
 *
 * @azldev_locks: (nullable) the directory of azldev's lock files, whose history is read too if it
 * lies in the same repository.
 *
 * Returns: (caller frees) what there is: nothing, where @path does not lie in a git repository. Or
 * NULL: UNSUPPORTED (the repository is a shallow clone), SYSTEM.
 */
VarveRevisions *varve_revisions_read(const char *path, const char *azldev_locks, GError **error);
void varve_revisions_free(VarveRevisions *changes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveRevisions, varve_revisions_free)

/** varve_revisions_known: whether there is a repository that has a history. */
gboolean varve_revisions_known(const VarveRevisions *changes);

/**
 * varve_revisions_of:
 * The changes of the component @name, oldest first. Where its last recorded fingerprint is another
 * than
 * @fingerprint, the change that is not committed yet comes last: so that what is rendered before
 * the commit is the same as what is rendered after it.
 *
 * @author: of that last one, "Name <mail>".
 * @upstream: (nullable) commit of the upstream now.
 *
 * Returns: (caller frees with g_ptr_array_unref) VarveComponentChange *.
 */
GPtrArray *varve_revisions_of(const VarveRevisions *changes, const char *name,
			      const char *fingerprint, const char *upstream, const char *author);

/** varve_revisions_of_azldev: the same by azldev's lock files and their fingerprints. */
GPtrArray *varve_revisions_of_azldev(const VarveRevisions *changes, const char *name,
				     const char *fingerprint, const char *upstream,
				     const char *author);
