/* What every verb that builds needs: the definition, one edition of it for one architecture, the
 * directories and keys, and its packages imported where they have to be. */
#pragma once

#include "cli/cli.h"
#include "compose/composer.h"

/** The options that these verbs share; embed it in a verb's own struct. */
typedef struct {
	char *directory, *output, *work, *keys, *arch, *upstream, *mirror, *node_programs;
	gboolean update_lock, refresh;
} VarveWorkspaceOptions;

/** varve_workspace_entries: (caller frees) their entries, followed by @more (NULL-ended, nullable).
 */
GOptionEntry *varve_workspace_entries(VarveWorkspaceOptions *options, const GOptionEntry *more);

typedef struct {
	const VarveWorkspaceOptions *options;
	VarveDefinition *definition;
	const VarveEdition *edition;
	const VarveUpstream *upstream;
	const VarveArch *arch;
	char *output, *work, *keys;
	char *varvectl, *init; /* host paths of the node's programs that were built with this one */
	VarveComposer *composer;
} VarveWorkspace;

/**
 * varve_workspace_open:
 * Loads the definition and settles everything that options leave to it.
 *
 * @edition: (nullable) NULL where there is only one.
 */
VarveWorkspace *varve_workspace_open(const VarveWorkspaceOptions *options, const char *edition,
				     GError **error);
void varve_workspace_free(VarveWorkspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveWorkspace, varve_workspace_free)

/** varve_workspace_compose: (borrowed) imports what has to be imported and opens the composer. */
VarveComposer *varve_workspace_compose(VarveWorkspace *workspace, GError **error);
