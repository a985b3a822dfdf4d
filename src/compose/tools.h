/* The tools tree: a root composed of the upstream's own packages, whose programs build and finish
 * images, so that a build does not depend on the host's versions. */
#pragma once

#include "base/process.h"

typedef struct VarveTools VarveTools;

/** varve_tools_open: @root is a composed root directory; NULL runs the host's own programs (what
 *  tests do that need no particular version). */
VarveTools *varve_tools_open(const char *root);
void varve_tools_free(VarveTools *tools);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTools, varve_tools_free)

/** (borrowed, nullable) the root directory. */
const char *varve_tools_root(const VarveTools *tools);

/**
 * varve_tools_run:
 * Runs @argv inside the tree: root read-only, no network, @binds visible at their targets (on the
 * host, with NULL root, binds must have source and target equal). SOURCE_DATE_EPOCH is @epoch.
 *
 * @ret_output: (nullable, caller frees) standard output.
 */
gboolean varve_tools_run(const VarveTools *tools, const char *const *argv, const VarveBind *binds,
			 size_t n_binds, gint64 epoch, char **ret_output, GError **error);
