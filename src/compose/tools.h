/* The tools tree: a root composed of the upstream's own packages, whose programs build and finish
 * images, so that a build does not depend on the host's versions. */
#pragma once

#include "base/process.h"
#include "format/manifest.h"

typedef struct VarveTools VarveTools;

/** varve_tools_open: @root is a composed root directory; NULL runs the host's own programs (what
 *  tests do that need no particular version). */
VarveTools *varve_tools_open(const char *root);
void varve_tools_free(VarveTools *tools);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTools, varve_tools_free)

/** (borrowed, nullable) the root directory. */
const char *varve_tools_root(const VarveTools *tools);

/* What of a tools tree becomes part of images (EFI programs) is attributed in this file beside its
 * root: a JSON object of path → package, as manifests write it. */
#define VARVE_TOOLS_OWNERS "owners.json"
#define VARVE_TOOLS_OWNED "usr/lib/systemd/boot/efi/"

/** varve_tools_owner: (caller frees, nullable) the package that brought @path ("usr/…"), as far as
 *  the tree's maker wrote it down: NULL on the host. */
VarveManifestPackage *varve_tools_owner(const VarveTools *tools, const char *path);

/** varve_tools_write_owners: writes that file; @owners: path → VarveManifestPackage *. */
gboolean varve_tools_write_owners(const char *file, GHashTable *owners, GError **error);

/**
 * varve_tools_run:
 * Runs @argv inside the tree: root read-only, no network, @binds visible at their targets (on the
 * host, with NULL root, binds must have source and target equal). SOURCE_DATE_EPOCH is @epoch.
 *
 * @ret_output: (nullable, caller frees) standard output.
 */
gboolean varve_tools_run(const VarveTools *tools, const char *const *argv, const VarveBind *binds,
			 size_t n_binds, gint64 epoch, char **ret_output, GError **error);
