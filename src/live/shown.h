/* What the running stack shows at a path, by the path tables of its layers: for questions that name
 * files. Nothing is verified: dm-verity checks what is read, and whether it does is asked by
 * stack/health.h. */
#pragma once

#include "live/who.h"
#include "stack/report.h"

typedef struct VarveShown VarveShown;

/** varve_shown_open: the base and the accepted layers of @running, by their mounts. Errors:
 *  NOT_FOUND (one is not mounted), CORRUPT, SYSTEM. */
VarveShown *varve_shown_open(const VarveReport *running, GError **error);
void varve_shown_free(VarveShown *shown);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveShown, varve_shown_free)

/** varve_shown_find: a VarveWhoFind for a VarveShown. */
gboolean varve_shown_find(const char *path, VarveDigest *ret, gpointer shown);

/** varve_shown_layer: (borrowed, nullable) the manifest of the layer that has @path ("/usr/…"). */
const VarveManifest *varve_shown_layer(const VarveShown *shown, const char *path);

/**
 * varve_shown_who:
 * varve_who() against the stack of @running, which is not asked anything where nothing was swapped.
 *
 * @ret_shown: (nullable) opened in any case.
 */
gboolean varve_shown_who(const VarveReport *running, VarveShown **ret_shown, VarveWho **ret_who,
			 GError **error);

/**
 * varve_shown_declared:
 * What the layers of the running stack say that a swap does with @unit, the strongest: "ask",
 * "restart", "reload"; "" where none says anything.
 *
 * @ret_layer: (borrowed) who says it; untouched where none does.
 */
const char *varve_shown_declared(const VarveShown *shown, const char *unit, const char **ret_layer);
