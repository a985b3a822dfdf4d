/* The distribution's changes to its components, as the history of the definition's repository has
 * them: each commit that gave a component another fingerprint in components.lock. */
#pragma once

#include "component/autospec.h"

typedef struct VarveChanges VarveChanges;

/**
 * varve_changes_read:
 * Reads the history of the lock @path along first parents.
 *
 * Returns: (caller frees) what there is: nothing, where @path does not lie in a git repository. Or
 * NULL: UNSUPPORTED (the repository is a shallow clone), SYSTEM.
 */
VarveChanges *varve_changes_read(const char *path, GError **error);
void varve_changes_free(VarveChanges *changes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveChanges, varve_changes_free)

/** varve_changes_known: whether there is a repository that has a history. */
gboolean varve_changes_known(const VarveChanges *changes);

/**
 * varve_changes_of:
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
GPtrArray *varve_changes_of(const VarveChanges *changes, const char *name, const char *fingerprint,
			    const char *upstream, const char *author);
